import type { Blob } from '../../blob.js'
import type { PlanarImage } from '../../data/image.js'
import { planesFor, preparePicture } from '../../data/preparation.js'
import type { NetNode } from '../../net/node.js'
import type { Net } from '../../net.js'
import { classOf } from '../../registry.js'
import { type JobId, type LayerRow, type Prediction, StudioError, type TestOneRequest } from '../api/index.js'
import type { ProjectContext } from '../core/job_context.js'
import { activationRows, weightRows } from './activations.js'
import { readRecord } from './items.js'
import { type OpenModel, openModel } from './model_nets.js'
import { fitChannels, planesOfFile, planesOfPixels, planesOfRecord } from './pictures.js'

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
    await net.runner.forward(0, net.built.nodes.length - 1, signal)
    await net.engine.finish?.()
    const scores = await scoresOf(net)
    const milliseconds = performance.now() - start
    const classes = best(scores).map(([label, score]) => ({ label, name: labels[label] ?? String(label), score }))
    if (!details) return { classes, milliseconds }
    for (const { blobs } of net.layers) for (const blob of blobs) await blob.memory.data.pull()
    for (const blob of net.built.blobs) await blob.memory.data.pull()
    const rows: LayerRow[] = []
    for (const row of activationRows(net, key => open.types?.get(key)?.type)) {
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

/** Item 0 of what a loss or accuracy compares, as probabilities; without one, of the last output. */
async function scoresOf(net: Net): Promise<Float32Array> {
  const how = (node: NetNode) => classOf(node.param)?.compares
  const { nodes } = net.built
  // an accuracy takes either; a loss says what its scores are
  const node = nodes.findLast(node => how(node) && how(node) !== 'either') ?? nodes.findLast(how)
  const blob = node?.bottom[0] ?? outputOf(net)
  await blob.memory.data.pull()
  const items = blob.numAxes > 1 ? blob.shape[0] : 1
  const scores = blob.dataArray.slice(0, blob.count / items)
  return node && (how(node) === 'scores' || !areShares(scores)) ? softmax(scores) : scores
}

const areShares = (scores: Float32Array): boolean =>
  scores.every(score => score >= 0) && Math.abs(scores.reduce((a, b) => a + b, 0) - 1) < 1e-3

function outputOf(net: Net): Blob {
  const blobs = net.outputs.map(name => net.blob(name))
  const found = blobs.findLast(({ numAxes, count }) => numAxes > 1 && count > 1) ?? blobs.at(-1)
  if (!found) throw new StudioError('the net has no output', 409)
  return found
}

function softmax(scores: Float32Array): Float32Array {
  const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = scores.map(score => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}

/** The highest scores with their places, the best first. */
function best(scores: Float32Array): [label: number, score: number][] {
  const order = Array.from(scores, (score, label): [number, number] => [label, score])
  return order.sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, LISTED)
}

/** The picture that is asked about as planes, as many as the net takes, and its label where it has one. */
async function pictureOf(
  context: ProjectContext,
  picture: TestOneRequest['picture'],
  { preparation }: OpenModel,
): Promise<{ image: PlanarImage; label?: number }> {
  const channels = planesFor(preparation)
  if ('file' in picture) return { image: await planesOfFile(picture.file, channels) }
  if ('pixels' in picture) return { image: planesOfPixels(picture, channels) }
  const { image, label } = await planesOfRecord(await readRecord(context, picture.dataset, picture.set, picture.item))
  return { image: fitChannels(image, channels), label }
}
