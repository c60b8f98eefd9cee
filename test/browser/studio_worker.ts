/** Studio's looking functions in a worker of a page: nothing of Node, no files. */
import type { JobFile } from '../../lib/studio/core/job_files.js'
import { readJson } from '../../lib/studio/core/store.js'
import { evaluateJob } from '../../lib/studio/jobs/evaluate.js'
import { importLayerFiles, type ModuleUrls } from '../../lib/studio/jobs/layers.js'
import { looking } from '../../lib/studio/jobs/looking.js'
import { DATASET, jobContext, toyModel, toyProject } from '../studio/toy_project.js'

const MODEL = '20261129-0140-lene'
const EVALUATION = '20261129-0150-eval'

async function walk(source: string, urls: ModuleUrls) {
  const layers = { 'blank_square.ts': source }
  const classes = Object.keys((await importLayerFiles(layers, urls))['blank_square.ts'])
  const { layers: checked } = await looking.checkLayers((await toyProject()).context, layers)
  const project = await toyProject({ size: 20 })
  const { context, store } = project
  const { net } = await looking.standardNet(context, 'lenet', DATASET)
  const own = net.replace(
    /layer \{\s+name: "conv1"/,
    found =>
      `layer { name: "blank" type: "BlankSquareLayer" bottom: "data" top: "data" include { phase: TRAIN } }\n${found}`,
  )
  const { marks, graph } = await looking.inspect(context, { net: own, stage: 'train', dataset: DATASET, layers })
  // nothing is taken off: what is blanked is black
  await toyModel(project, MODEL, { net: own, mean: 'none', layers })
  const picture = { dataset: DATASET, set: 'val', item: 1 } as const
  const { rows, classes: answers } = await looking.testOne(context, MODEL, { picture, details: true, stage: 'train' })
  const file = { version: 1, id: EVALUATION, kind: 'evaluation', form: { model: MODEL, on: { set: 'val' } } } as never
  await evaluateJob(
    { ...(file as JobFile<'evaluation'>), parents: { model: MODEL } },
    jobContext(context, EVALUATION).job,
  )
  const result = await readJson<{ items: number }>(store, `jobs/${EVALUATION}/summary.json`)
  await looking.archive(context, MODEL, undefined, 'model.zip')
  return {
    ...{ classes, marks, verdict: checked[0].verdict, nodes: graph!.nodes.length, items: result!.items },
    zeros: rows!.find(({ blob }) => blob === 'data')!.picture!.pixels.filter(value => value === 0).length,
    score: answers.reduce((sum, { score }) => sum + score, 0),
    png: (await looking.picture(context, DATASET, 'val', 0)).length,
    zip: (await store.size('model.zip'))!,
  }
}

self.onmessage = ({ data }: MessageEvent<{ source: string; urls: ModuleUrls }>) => {
  walk(data.source, data.urls).then(
    answer => self.postMessage(answer),
    error => self.postMessage({ error: String((error as Error).stack) }),
  )
}
