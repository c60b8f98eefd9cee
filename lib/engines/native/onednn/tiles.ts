/**
 * Convolutions of 3×3 taps by Winograd's tiles of 4×4 outputs, between values whose channels lie in blocks of 8: what is
 * before and behind the products is the engine's own (kernels/wasm/blocked_tiles.ts), and the products are a primitive of
 * one tap, whose places are the tiles, for each of the 36 points. With a group for each point they would be a single one,
 * but the library's code for that takes half as long again.
 */
import type { After } from '../../../engine.js'
import type { ConvolutionOp } from './graph.js'
import type { Planar } from './primitives.js'

export const POINTS = 36
/** Outputs of a tile along each axis. */
const SIDE = 4
/** Values of a block that the kernels read. */
const TILED_BLOCK = 8
/** Bytes that a thread has for a tile: its points half way, and its places with a margin. */
export const TILE_ROOM = 2048
/** Values between two points. */
const GAP = 16
/** Tiles whose products are one call: what lies between the steps stays in the caches. */
const MOST_TILES = 128
/** Chunks of fewer tiles read the weights too often: outputs are cut in their place. */
const FEWEST_TILES = 24

/**
 * Cycles of a multiplication, of a channel of a tile before the products or behind them, and of a weight's points, which
 * come from a distant cache; and how much is to be saved. More points than so many come from memory.
 */
const EACH = 1 / 15
const CHANNEL = 30
const WEIGHT = 18
const SAVED = 0.8
const MOST_PAIRS = 2 ** 17

/** Tiles along each axis. */
const gridOf = ({ output }: Planar): readonly [rows: number, columns: number] => [
  Math.ceil(output[0] / SIDE),
  Math.ceil(output[1] / SIDE),
]
const tilesOf = (shape: Planar): number => gridOf(shape)[0] * gridOf(shape)[1]

/** How much of its multiplications a convolution costs by tiles; 1 where they do not pay, or it has none. */
export function costByTiles({ shape, isProduct, after }: ConvolutionOp, block: number): number {
  const { channels, outputs, group, kernel, stride, pad, dilation, output } = shape
  if (block !== TILED_BLOCK || isProduct || group > 1 || (after && 'hardSwish' in after)) return 1
  if (channels % block || outputs % block || channels * outputs > MOST_PAIRS) return 1
  const isSquare = [...kernel].every(size => size === 3) && [...stride, ...dilation].every(size => size === 1)
  if (!isSquare || pad.some(size => size > 2)) return 1
  const pairs = channels * outputs
  const tiles = tilesOf(shape)
  const plain = EACH * 9 * output[0] * output[1] * pairs
  const cost = tiles * (EACH * POINTS * pairs + CHANNEL * (channels + outputs)) + WEIGHT * pairs
  return cost < SAVED * plain ? cost / plain : 1
}

/** Some of the tiles of some of the outputs. */
export interface TilePart {
  readonly tiles: readonly [first: number, count: number]
  readonly outputs: readonly [first: number, count: number]
}

/** Parts that threads can take, so many at most. */
export function cutTiles(shape: Planar, shares: number, step: number): TilePart[] {
  const tiles = tilesOf(shape)
  if (tiles >= shares * FEWEST_TILES)
    return split(tiles, shares, 1).map(range => ({ tiles: range, outputs: [0, shape.outputs] }))
  // each part makes the points of all inputs
  return split(shape.outputs, Math.min(shares, 2), step).map(range => ({ tiles: [0, tiles], outputs: range }))
}

/** Tiles of each of the calls of a part. */
export const piecesOf = ([first, count]: TilePart['tiles']): TilePart['tiles'][] =>
  split(count, Math.ceil(count / MOST_TILES), 1).map(([at, n]) => [first + at, n])

function split(n: number, shares: number, step: number): [first: number, count: number][] {
  const size = Math.ceil(n / shares / step) * step
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => [i * size, Math.min(size, n - i * size)])
}

/** The products of a point of so many tiles. */
export const productsOf = (channels: number, outputs: number, tiles: number): Planar => ({
  channels,
  outputs,
  group: 1,
  input: [1, tiles],
  output: [1, tiles],
  kernel: [1, 1],
  stride: [1, 1],
  pad: [0, 0],
  dilation: [1, 1],
})

/** Values from a point of tiles or weights, of so many each, to the next. */
export const pointStep = (values: number): number => values + GAP
/** How a point of weights lies, as the axes of its primitive's: outputs, inputs, 1, 1. */
export const pointStrides = (outputs: number): number[] => [1, outputs, 1, 1]

/** What the kernel before the products reads behind its places. */
export function beforeProducts(shape: Planar, [first, count]: TilePart['tiles'], block: number): number[] {
  const { channels, input, pad } = shape
  return [channels / block, ...input, gridOf(shape)[1], first, count, ...pad]
}

const AFTER = { relu: 1, clip: 2 }

/** What the kernel behind them reads: `outputs` of the part, where their biases are, or 0. */
export function behindProducts(
  shape: Planar,
  [first, count]: TilePart['tiles'],
  block: number,
  outputs: number,
  bias: number,
  isSum: boolean,
  after: After | undefined,
): number[] {
  const [kind, low, high] = afterOf(after)
  const limits = new Int32Array(Float32Array.of(low, high).buffer)
  return [outputs / block, ...shape.output, gridOf(shape)[1], first, count, 0, 0, bias, Number(isSum), kind, ...limits]
}

function afterOf(after: After | undefined): [kind: number, low: number, high: number] {
  if (after && 'relu' in after) return [AFTER.relu, after.relu, 0]
  return after && 'clip' in after ? [AFTER.clip, ...after.clip] : [0, 0, 0]
}
