import type { PlanarImage } from '../../data/image.js'
import { planesFor, preparePicture } from '../../data/preparation.js'
import type { Net } from '../../net.js'
import { readDatum } from '../../proto/datum.js'
import { type JobId, type LayerRow, type Prediction, StudioError, type TestOneRequest } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { activationRows, weightRows } from './activations.js'
import { readRecord } from './items.js'
import { type OpenModel, openModel } from './model_nets.js'
import { fitChannels, isPlain, planesOfFile, planesOfPixels, planesOfRecord, pngOf } from './pictures.js'
import { scoresOf } from './scores.js'

/** Classes that an answer lists. */
const LISTED = 10

/** What somebody wants to be told while it is found out. */
export interface TestOneOptions {
  readonly signal?: AbortSignal
  /** Each row as it becomes ready, of the activations first; the answer has them all again. */
  readonly onRow?: (row: LayerRow) => void
}

/**
 * What a model says about a picture, which is prepared as in its training; with `details`, what each layer gave. The
 * net stays for the next picture.
 */
export async function testOne(
  context: ProjectContext,
  model: JobId,
  request: TestOneRequest,
  options: TestOneOptions = {},
): Promise<Prediction> {
  const { stage = 'deploy', iter, details = false, weights = true } = request
  const open = await openModel(context, model, stage, iter)
  const { image, label = 0 } = await pictureOf(context, request.picture, open)
  return testPicture(open, image, { label, details, weights, ...options })
}

/** The same of a net that is open, and planes. */
export function testPicture(
  open: OpenModel,
  image: PlanarImage,
  {
    label = 0,
    details = false,
    weights = true,
    onRow,
    signal,
  }: TestOneOptions & { label?: number; details?: boolean; weights?: boolean },
): Promise<Prediction> {
  const { net, preparation, labels } = open
  const values = preparePicture(image, preparation)
  return net.exclusive(async () => {
    fill(net, values, label)
    const start = performance.now()
    const times = new Map<string, number>()
    await (details ? timedForward(net, times, signal) : net.runner.forward(0, net.built.nodes.length - 1, { signal }))
    await net.engine.finish?.()
    const scores = (await scoresOf(net))[0]
    const milliseconds = performance.now() - start
    const classes = best(scores).map(([label, score]) => ({ label, name: labels[label] ?? String(label), score }))
    if (!details) return { classes, milliseconds }
    for (const { blobs } of net.layers) for (const blob of blobs) await blob.memory.data.pull()
    for (const blob of net.built.blobs) await blob.memory.data.pull()
    const rows: LayerRow[] = []
    for (const row of activationRows(net, key => open.types?.get(key)?.type, times)) {
      rows.push(row)
      onRow?.(row)
    }
    if (weights) {
      // they change with the snapshot, which has a net of its own
      const known = open.weights
      open.weights ??= [...weightRows(net)]
      rows.push(...(known ?? open.weights))
      for (const row of open.weights) onRow?.(row)
    }
    return { classes, milliseconds, rows }
  })
}

/** Forward, with the milliseconds of each layer: layers that would be computed as one take their turns. */
async function timedForward(net: Net, times: Map<string, number>, signal: AbortSignal | undefined): Promise<void> {
  const { beforeForward, afterForward } = net.runner.hooks
  let begun = 0
  const begin = () => void (begun = performance.now())
  const end = (key: string) => void times.set(key, performance.now() - begun)
  beforeForward.push(begin)
  afterForward.push(end)
  try {
    await net.runner.forward(0, net.built.nodes.length - 1, { signal })
  } finally {
    beforeForward.splice(beforeForward.indexOf(begin), 1)
    afterForward.splice(afterForward.indexOf(end), 1)
  }
}

/** The picture into the first input, its label into what has one value an item, zeros into all others. */
function fill(net: Net, values: Float32Array, label: number): void {
  const [first, ...others] = net.inputs.map(name => net.blob(name))
  if (!first || first.count !== values.length)
    throw new StudioError(
      first
        ? `input '${first.name}' takes ${first.shape.join('×')} values, the picture has ${values.length}`
        : 'the net has no input for a picture',
      409,
    )
  first.memory.data.claim()
  first.dataArray.set(values)
  for (const blob of others) {
    blob.memory.data.claim()
    blob.dataArray.fill(blob.count === 1 ? label : 0)
  }
}

/** The highest scores with their places, the best first. */
function best(scores: Float32Array): [label: number, score: number][] {
  const order = Array.from(scores, (score, label): [number, number] => [label, score])
  return order.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, LISTED)
}

/**
 * The picture that is asked about as a PNG, where reading it takes a native library: another process does that than the one
 * that runs custom layers, which loads none. Undefined where it takes none.
 */
export async function decoded(
  context: ProjectContext,
  picture: TestOneRequest['picture'],
): Promise<{ file: Uint8Array; label?: number } | undefined> {
  if ('pixels' in picture) return undefined
  if ('file' in picture)
    return (await isPlain(picture.file)) ? undefined : { file: await pngOf(await planesOfFile(picture.file, 3)) }
  const record = await readRecord(context, picture.dataset, picture.set, picture.item)
  const { encoded, data } = readDatum(record)
  if (!encoded || (await isPlain(data.slice()))) return undefined
  const { image, label } = await planesOfRecord(record)
  return { file: await pngOf(image), label }
}

/** The picture that is asked about as planes, as many as the net takes, and its label where it has one. */
async function pictureOf(
  context: ProjectContext,
  picture: TestOneRequest['picture'],
  { preparation }: OpenModel,
): Promise<{ image: PlanarImage; label?: number }> {
  const channels = planesFor(preparation)
  if ('file' in picture) return { image: await planesOfFile(picture.file, channels), label: picture.label }
  if ('pixels' in picture) return { image: planesOfPixels(picture, channels) }
  const { image, label } = await planesOfRecord(await readRecord(context, picture.dataset, picture.set, picture.item))
  return { image: fitChannels(image, channels), label }
}
