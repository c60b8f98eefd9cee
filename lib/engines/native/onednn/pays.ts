/** Where oneDNN is faster than the engine's own kernels: a rule, so that the same net gives the same bits every time. */
import type { ConvolutionShape } from '../../../engine.js'
import type { Graph } from './graph.js'
import type { Planar } from './primitives.js'
import { WHOLE_IMAGES } from './program.js'

/**
 * Time of the engine's own convolutions as they are measured in whole nets, where oneDNN's take 1 for the same
 * multiplications: Winograd's products save some of them; others, with the ReLU, pooling and moving of values around
 * them, for few images and for many. SqueezeNet, GoogLeNet, CaffeNet, ResNet-18, cifar10_quick and LeNet at batch 1 and
 * 16 lie on the right side of it (AVX2).
 */
const WINOGRAD = 0.65
/** With fewer input channels the transforms take what the products save. */
const WINOGRAD_CHANNELS = 96
const NARROW_WINOGRAD = 0.95
const FEW_IMAGES = 1.4
const MANY_IMAGES = 1.15

/** @param isWinograd whether the engine's own kernel goes by Winograd's products */
export function pays(graph: Graph, block: number, isWinograd: (s: ConvolutionShape) => boolean): boolean {
  const other = graph.batch < WHOLE_IMAGES ? FEW_IMAGES : MANY_IMAGES
  let [theirs, ours] = [0, 0]
  for (const op of graph.ops) {
    if (op.kind !== 'convolution') continue
    const work = workOf(op.shape)
    theirs += work * padding(op.shape, block)
    if (!isWinograd(op.asked)) ours += work * other
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

/** A value that is moved from one layout to another costs as much as so many multiplications. */
const MOVED = 8

/**
 * The same for a single convolution between plain memories, whose values are moved to the library's layout and back.
 * Winograd's products are never behind then.
 */
export function paysAlone(s: ConvolutionShape, shape: Planar, block: number): boolean {
  const work = workOf(shape)
  if (s.batch * work < LEAST) return false
  const plane = ([height, width]: readonly [number, number]) => height * width
  const moved = (shape.channels < block ? 0 : shape.channels * plane(shape.input)) + shape.outputs * plane(shape.output)
  return work * padding(shape, block) + MOVED * moved <= work * ALONE
}

/** Multiplications below which calls cost what is saved. */
const LEAST = 5e5
/** Time of the engine's own convolutions without Winograd's products. */
const ALONE = 1.35
