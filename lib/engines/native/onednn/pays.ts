/** Where oneDNN is faster than the engine's own kernels: a rule, so that the same net gives the same bits every time. */
import type { ConvolutionShape } from '../../../engine.js'
import { type Graph, WHOLE_IMAGES } from './graph.js'
import { POOLED_BLOCK } from './pooling.js'
import type { Planar } from './primitives.js'
import { costByTiles } from './tiles.js'

/**
 * Time of the engine's own convolutions as they are measured in whole nets, where oneDNN's take 1 for the same
 * multiplications: Winograd's products save some of them; others, with the ReLU, pooling and moving of values around
 * them, for few images and with blocks of 8, whose poolings are fast; for many images with wider blocks. SqueezeNet,
 * GoogLeNet, CaffeNet, ResNet-18, cifar10_quick and LeNet at batch 1 and 16 lie on the right side of it (AVX2).
 */
const WINOGRAD = 0.65
/** With fewer input channels the transforms take what the products save. */
const WINOGRAD_CHANNELS = 96
const NARROW_WINOGRAD = 0.95
const OTHERS = 1.4
const MANY_WIDE = 1.15

/** @param isWinograd whether the engine's own kernel goes by Winograd's products */
export function pays(graph: Graph, block: number, isWinograd: (s: ConvolutionShape) => boolean): boolean {
  const other = graph.batch < WHOLE_IMAGES || block <= POOLED_BLOCK ? OTHERS : MANY_WIDE
  let [theirs, ours] = [0, 0]
  for (const op of graph.ops) {
    if (op.kind !== 'convolution') continue
    const work = workOf(op.shape)
    const byTiles = costByTiles(op, block)
    theirs += work * (byTiles < 1 ? byTiles : padding(op.shape, block))
    if (op.isProduct) ours += work
    else if (!isWinograd(op.asked)) ours += work * other
    else ours += work * (op.shape.channels < WINOGRAD_CHANNELS ? NARROW_WINOGRAD : WINOGRAD)
  }
  return theirs <= ours
}

const workOf = ({ channels, outputs, group, kernel, output }: Planar): number =>
  ((channels * outputs) / group) * kernel[0] * kernel[1] * output[0] * output[1]

/** How much more is multiplied since channels fill whole blocks; the library reads few of them without. */
function padding({ channels, outputs, group }: Planar, block: number): number {
  const filled = (n: number) => (Math.ceil(n / block) * block) / n
  if (group > 1) return 1
  return filled(outputs) * (channels < block / 2 ? 1 : filled(channels))
}

/**
 * A value that is moved from one layout to another costs as much as so many multiplications. Weights are moved by one
 * thread, in steps that caches do not like, and in training after each update.
 */
const MOVED = 8
const MOVED_WEIGHT = 150
/**
 * Time of the engine's own kernels without Winograd's products, where oneDNN takes 1: with a filter for each channel; of
 * images of few channels; with so many taps; and otherwise.
 */
const DEPTHWISE = 8
const FIRST = 1.5
const [MANY_TAPS, WITH_MANY_TAPS] = [25, 1.4]
const ALONE = 1.2
/** Blocks that are filled worse than this are not worth it in any case. */
const BADLY = 1.2
/** Multiplications below which calls cost what is saved. */
const LEAST = 1e6
const LEAST_DEPTHWISE = 1e5

/**
 * The same for a single convolution between plain memories, whose values are moved to the library's layout and back,
 * and whose weights may have changed. Winograd's products are never behind then, and a 1×1 kernel is a product of
 * matrices as it is.
 */
export function paysAlone(shape: Planar, batch: number, block: number): boolean {
  const { channels, outputs, group, kernel, input, output } = shape
  if (kernel.every(size => size === 1) || padding(shape, block) > BADLY) return false
  const isDepthwise = group > 1 && group === channels
  const work = workOf(shape)
  if (batch * work < (isDepthwise ? LEAST_DEPTHWISE : LEAST)) return false
  const moved = (channels < block ? 0 : channels * input[0] * input[1]) + outputs * output[0] * output[1]
  const weights = ((channels * outputs) / group) * kernel[0] * kernel[1]
  const theirs = batch * (work * padding(shape, block) + MOVED * moved) + MOVED_WEIGHT * weights
  const taps = kernel[0] * kernel[1]
  const others = channels < block / 2 ? FIRST : taps >= MANY_TAPS ? WITH_MANY_TAPS : ALONE
  return theirs <= batch * work * (isDepthwise ? DEPTHWISE : others)
}
