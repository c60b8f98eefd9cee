import { readLabels } from '../../data/labels.js'
import type { Preparation } from '../../data/preparation.js'
import { type MeanImage, readMeanImage } from '../../data/transformer.js'
import { type ModelParts, modelFiles, readModelArchive } from '../../net/archive.js'
import { Net } from '../../net.js'
import { parseNet } from '../../proto/text.js'
import { readFile } from '../../system/read_file.js'
import { type Place, type PretrainedForm, StudioError } from '../api/index.js'
import type { JobContext, JobFunction, ProjectContext } from '../core/job_context.js'
import { pathsOf } from '../core/job_files.js'
import { listAll, writeJson } from '../core/store.js'
import { codeFiles } from '../core/trust.js'
import { modelParts } from './model_archive.js'

/** A model from elsewhere, into the job's folder: the files of an archive. Nothing in it is run. */
export const pretrainedJob: JobFunction<'pretrained'> = async (job, context) => {
  context.emit({ kind: 'start', attempt: context.attempt, iter: 0 })
  const parts = await partsOf(job.form, context)
  const files = await modelFiles({ ...parts, name: job.form.name })
  for (const [name, bytes] of files) await context.store.write(`${context.folder}/${name}`, bytes)
  // what came in is known by its hashes from now on: it runs once somebody has agreed to it
  const layers = Object.entries(parts.layers ?? {}).map(([file, text]) => [file.split(/[\\/]/).pop()!, text])
  const code = await codeFiles(Object.fromEntries(layers))
  if (code.length) await writeJson(context.store, pathsOf(job.id).job, { ...job, code })
  return 'done'
}

async function partsOf({ name, source }: PretrainedForm, context: JobContext): Promise<ModelParts> {
  if ('model' in source) return modelParts(context, source.model, source.iter)
  if ('archive' in source) {
    const { bytes, file } = await oneFile(source.archive, /\.(zip|tar|tgz|tar\.gz)$/i, 'archive', context)
    return readModelArchive(bytes, file)
  }
  return looseParts(name, source, context)
}

/** A net's text, weights, and what else there is. */
async function looseParts(
  name: string,
  source: Extract<PretrainedForm['source'], { net: string }>,
  context: JobContext,
): Promise<ModelParts> {
  const { bytes: weights, file } = await oneFile(source.weights, /\.(caffemodel|h5)$/i, 'model', context)
  const mean = source.mean && (await oneFile(source.mean, /\.binaryproto$/i, 'mean picture', context))
  const labels = source.labels === undefined ? undefined : readLabels(source.labels, 'labels')
  // a mean file that the text names is the one that was given
  const files = (path: string) => (path.endsWith('.binaryproto') ? mean?.bytes : undefined)
  const net = await Net.deploy(parseNet(source.net, { file: 'net.prototxt' }), {
    ...{ weights, files: { read: files }, engine: 'js', log: line => context.log(line) },
    ...(labels && { labels }),
  })
  try {
    const picture = mean && readMeanImage(mean.bytes, mean.file)
    const preparation = (await net.preparation()) ?? usualPreparation(net, picture)
    const own = labels ?? net.labels
    return {
      name,
      deploy: net.param,
      weights: await modelOf(weights, file, net),
      ...(own && { labels: own }),
      ...(preparation && { preparation }),
    }
  } finally {
    net.dispose()
  }
}

/** Weights as a .caffemodel, which is what a folder of Studio has. */
const modelOf = async (bytes: Uint8Array, file: string, net: Net): Promise<Uint8Array> =>
  /\.h5$/i.test(file) ? net.toBytes() : bytes

/** Where nothing says how pictures were prepared: brought to the input's size, and the mean taken off. */
function usualPreparation(net: Net, mean: MeanImage | undefined): Preparation | undefined {
  const [, channels, height, width] = net.blobs[net.inputs[0]]?.shape ?? []
  if ((channels !== 1 && channels !== 3) || !height || !width) return undefined
  const same = mean?.shape.join() === [channels, height, width].join()
  return {
    ...{ channels, height, width, resize: [height, width], fit: 'squash', order: 'BGR', scale: 1 },
    meanValues: mean && !same ? channelMeans(mean) : [],
    ...(mean && same && { mean }),
  }
}

function channelMeans({ shape: [channels, height, width], data }: MeanImage): number[] {
  const size = height * width
  return Array.from(
    { length: channels },
    (_, c) => data.subarray(c * size, (c + 1) * size).reduce((sum, value) => sum + value, 0) / size,
  )
}

/** The one file of its kind at a place. */
async function oneFile(
  place: Place,
  kind: RegExp,
  what: string,
  { store }: Pick<ProjectContext, 'store'>,
): Promise<{ bytes: Uint8Array; file: string }> {
  if ('path' in place) return { bytes: await readFile(place.path), file: place.path.replace(/^.*[\\/]/, '') }
  const folder = `uploads/${place.upload}/files`
  const files = await listAll(store, folder)
  const found = files.length === 1 ? files : files.filter(({ path }) => kind.test(path))
  if (found.length !== 1)
    throw new StudioError(`the upload holds ${found.length} files that may be the ${what}: one is wanted`, 422)
  const file = found[0].path
  return { bytes: (await store.read(`${folder}/${file}`)) ?? new Uint8Array(0), file }
}
