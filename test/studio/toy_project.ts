/** A small project in memory: a dataset, and models with weights that nobody trained. */
import { Net, parseNet } from '../../lib/index.js'
import type { ModelForm } from '../../lib/studio/api/index.js'
import { readFacts } from '../../lib/studio/core/facts.js'
import { planModel } from '../../lib/studio/core/forms.js'
import type { JobContext, JobEventBody, ProjectContext } from '../../lib/studio/core/job_context.js'
import { pathsOf } from '../../lib/studio/core/job_files.js'
import { memoryStore } from '../../lib/studio/core/memory_store.js'
import { type Store, writeJson } from '../../lib/studio/core/store.js'
import { codeFiles, Trust } from '../../lib/studio/core/trust.js'
import { withLayers } from '../../lib/studio/jobs/layers.js'
import { makeDataset } from '../../lib/tools/make_dataset.js'

export const DATASET = '20261129-0131-data'

/** Names of a project as nets call its files: a path from another job's folder is one from the project's. */
export function contextOf(store: Store): ProjectContext {
  return {
    store,
    files: { files: path => store.read(path.replace(/^\.\.\//, 'jobs/')) },
    place: path => path,
    async loadCode() {},
  }
}

/** A dataset of noise with a bright half: class 1 has it above. `size` × `size`, of 1 or 3 planes. */
export async function toyProject(options: { size?: number; count?: number; planes?: 1 | 3; classes?: string[] } = {}) {
  const { size = 16, count = 40, planes = 1, classes = ['below', 'above'] } = options
  const store = memoryStore()
  const n = planes * size * size
  const data = Uint8Array.from({ length: count * n }, (_, i) => {
    const above = (i % (size * size)) / (size * size) < 0.5
    return above === (Math.floor(i / n) % 2 === 1) ? 200 + (i % 50) : i % 31
  })
  const labels = Array.from({ length: count }, (_, i) => classes[i % classes.length])
  const { folder, job } = pathsOf(DATASET)
  const output = { sink: (path: string) => store.sink(`${folder}/${path}`) }
  await makeDataset({ data, shape: [count, planes, size, size], labels }, { output, classes, val: 0.25, threads: 1 })
  await writeJson(store, job, {
    version: 1,
    id: DATASET,
    kind: 'dataset',
    form: { name: 'toy' },
    parents: {},
    created: 1,
    code: [],
  })
  return { store, context: contextOf(store), data, labels, size }
}

/** A model of a form, with weights drawn by a seed as its snapshots. */
export async function toyModel(
  { store }: { store: Store },
  id: string,
  form: Partial<ModelForm> & { net: string },
  { iters = [5], seed = 1 }: { iters?: number[]; seed?: number } = {},
): Promise<void> {
  const paths = pathsOf(id)
  const facts = readFacts(new TextDecoder().decode(await store.read(pathsOf(DATASET).summary)))
  const whole: ModelForm = {
    ...{ name: id, dataset: DATASET, epochs: 1 },
    solver: { type: 'SGD', rate: 0.01, policy: { policy: 'fixed' } },
    ...form,
  }
  const { files } = planModel(whole, facts, `../${DATASET}`)
  for (const [file, text] of Object.entries(files)) await store.write(`${paths.folder}/${file}`, text)
  for (const [file, text] of Object.entries(whole.layers ?? {})) await store.write(`${paths.layers}/${file}`, text)
  const code = await codeFiles(whole.layers ?? {})
  await (await Trust.open(store, 'ask')).add(code.map(({ sha256 }) => sha256))
  await writeJson(store, paths.job, {
    ...{ version: 1, id, kind: 'model', form: whole, parents: { dataset: DATASET }, created: 1, code },
  })
  for (const iter of iters) {
    const net = await withLayers(whole.layers, () =>
      Net.create(parseNet(files['net.prototxt']), {
        ...{ phase: 'TRAIN', stages: ['train'], engine: 'js', seed: seed + iter },
        files: contextOf(store).files.files,
      }),
    )
    await store.write(`${paths.snapshots}/model_iter_${iter}.caffemodel`, await net.toBytes())
    await store.write(`${paths.snapshots}/model_iter_${iter}.solverstate`, 'state')
    net.dispose()
  }
}

/** What a job of the project gets; `events` are those that it emits. */
export function jobContext(context: ProjectContext, id: string, signal = new AbortController().signal) {
  const events: JobEventBody[] = []
  const job: JobContext = {
    ...context,
    ...{ id, folder: pathsOf(id).folder, attempt: 1, threads: 1, signal },
    onCommand() {},
    emit: event => void events.push(event),
    log() {},
  }
  return { job, events }
}
