/**
 * dw ← dw + ∂E/∂w by tiles of 6 × 6 (winograd_tiles.ts): dU[t] = dY[t]·X[t]ᵀ for 36 points t, summed over the tiles of
 * all images, then dw += Gᵀ dU G. Images pass in rounds whose transforms stay in the L3 cache, a chunk of sums owns a
 * block of one point's dU, and tiles are summed in order.
 */
import { sgemm } from './blas_import'
import { Convolution, cut } from './convolution_shape'
import { needWorkspace, run, sharedWorkspace } from './threads'
import { NR, panels, ROW, TILE } from './micro_tile'
import { bytes, ceilDiv, larger, smaller } from './vector'
import { describe, paddedRow, place, planeBytes, Winograd, winogradJob } from './winograd'
import { gather, inputPoints, outputPoints, POINTS, VECTORS, weightSquare } from './winograd_tiles'

/** Least and most bytes of transformed images and gradients at a time, and tiles summed in registers at a time. */
const LEAST: f64 = 1572864
const MOST: f64 = 33554432
const RUN: i32 = 768
/** Operations worth a chunk of their own. */
const CHUNK_WORK: f64 = 8e5

/** Beside the fields it shares with the other passes: x and y are the images and dy, w is dw, points is dU. */
@unmanaged
class Sums extends Winograd {
  /** Images of this round: the first one, how many, and their tiles. */
  first: i32
  count: i32
  sum: i32
  /**
   * Transformed images, (group, panel of 8 channels, tile), and gradients, (group, output, tile): where, and bytes
   * between points.
   */
  image: usize
  imageStep: usize
  gradient: usize
  gradientStep: usize
  gradientRow: usize
  /** Channels in whole panels. */
  channels: i32
}

@inline
function sumsJob(): Sums {
  return changetype<Sums>(winogradJob())
}

/** Most bytes of what is transformed of one image. */
const MOST_IMAGE: f64 = 1073741824

/** Whether the transformed values of one image are of a size to be kept. */
export function isKept(s: Convolution): bool {
  const side = s.KH == 3 ? 4 : 2
  const tiles = <f64>ceilDiv(s.OH, side) * <f64>ceilDiv(s.OW, side)
  return POINTS * 4 * tiles * <f64>s.G * <f64>(s.groupC + NR + s.groupM) < MOST_IMAGE
}

export function winogradWeightGradient(c: Convolution, x: usize, dy: usize, dw: usize, blas: bool): void {
  describe(c, blas)
  const s = sumsJob()
  s.x = x
  s.y = dy
  s.w = dw
  s.channels = ceilDiv(s.inputs, NR) * NR
  const perImage = <f64>POINTS * 4 * <f64>s.tiles * <f64>(s.groups * (s.channels + s.outputs))
  // every round reads and writes dU once, which must be little beside its own values
  const sums = <f64>POINTS * 4 * <f64>s.groups * <f64>s.channels * <f64>s.outputs
  s.count = smaller(s.images, larger(1, <i32>(Math.min(MOST, Math.max(LEAST, 2 * sums)) / perImage)))
  s.sum = s.count * s.tiles
  s.row = bytes(s.channels)
  s.step = <usize>(s.groups * s.outputs) * s.row + 64
  s.imageStep = bytes(s.groups * s.channels) * <usize>s.sum + 64
  // whole cache lines, and one more so that neighbouring rows do not meet in the cache
  s.gradientRow = ((bytes(s.sum) + 63) & ~63) + 64
  s.gradientStep = <usize>(s.groups * s.outputs) * s.gradientRow + 64
  s.points = sharedWorkspace((s.step + s.imageStep + s.gradientStep) * POINTS)
  s.image = s.points + s.step * POINTS
  s.gradient = s.image + s.imageStep * POINTS
  for (s.first = 0; s.first < s.images; s.first += s.count) {
    s.count = smaller(s.count, s.images - s.first)
    s.sum = s.count * s.tiles
    needWorkspace(2 * VECTORS + 4 * planeBytes(s))
    run(imageChunk, s.count * s.groups * ceilDiv(s.channels, channelsOfChunk(s)))
    needWorkspace(2 * VECTORS + bytes(s.sum + 4) + 64 + <usize>s.count * gradientPlane(s))
    run(gradientChunk, s.groups * s.outputs)
    // 36 points of all groups are chunks enough unless there are many operations in each
    const operations = 2 * <f64>s.sum * <f64>s.inputs * <f64>s.outputs
    s.part = cut(s.outputs, <i32>Math.min(8, 1 + operations / (8 * CHUNK_WORK)), 4, 64)
    s.parts = ceilDiv(s.outputs, s.part)
    needWorkspace(TILE)
    run(sumsChunk, s.groups * POINTS * s.parts)
  }
  s.part = larger(1, 1024 / s.inputs)
  s.parts = ceilDiv(s.outputs, s.part)
  needWorkspace(3 * VECTORS)
  run(weightsChunk, s.groups * s.parts)
}

/** Channels of a chunk that transforms images: threads that write at the same time must not share cache lines. */
@inline
function channelsOfChunk(s: Sums): i32 {
  return s.blas ? 16 : NR
}

/** Some channels of one image. */
function imageChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const each = channelsOfChunk(s)
  const blocks = ceilDiv(s.channels, each)
  const c = (chunk % blocks) * each
  const rest = chunk / blocks
  const last = smaller(s.inputs, c + each)
  for (let i = c; i < last; i += 4) transformImage(s, rest / s.groups, rest % s.groups, i, workspace)
}

/** Four channels of the n-th image of the round. */
function transformImage(s: Sums, n: i32, g: i32, c: i32, workspace: usize): void {
  const row = paddedRow(s)
  const plane = planeBytes(s)
  const planes = workspace + 2 * VECTORS
  const height = s.rows * s.side + s.taps - 1
  const inside = bytes(s.H * s.W)
  let to = s.image + bytes(g * s.channels) * <usize>s.sum
  let step = ROW
  if (s.blas) {
    to += bytes(c)
    step = s.row
  } else {
    to += bytes(c & ~7) * <usize>s.sum + bytes(c & 4)
  }
  to += <usize>(n * s.tiles) * step
  const channels = smaller(4, s.inputs - c)
  const x = s.x + <usize>(((s.first + n) * s.groups + g) * s.inputs + c) * inside
  for (let l = 0; l < channels; l++) place(x + <usize>l * inside, s.H, s.W, s.pad, planes + <usize>l * plane, row, 0, height)
  // channels past the end repeat the first one; their sums are not read
  const p1 = channels > 1 ? plane : 0
  const p2 = channels > 2 ? 2 * plane : 0
  const p3 = channels > 3 ? 3 * plane : 0
  for (let r = 0; r < s.rows; r++) {
    let p = planes + <usize>(r * s.side) * row
    for (let q = 0; q < s.columns; q++, p += bytes(s.side), to += step) {
      inputPoints(p, p + p1, p + p2, p + p3, row, to, s.imageStep, workspace)
    }
  }
}

/** Rows and bytes of a plane of dy in whole tiles. */
@inline
function gradientRowBytes(s: Winograd): usize {
  return bytes(s.columns * s.side)
}
@inline
function gradientPlane(s: Winograd): usize {
  return gradientRowBytes(s) * <usize>(s.rows * s.side) + 64
}

/** One output of the round's images, four tiles at a time. */
function gradientChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const square = workspace + VECTORS
  const table = square + VECTORS
  const planes = table + bytes(s.sum + 4)
  const row = gradientRowBytes(s)
  const plane = gradientPlane(s)
  let t = table
  for (let n = 0; n < s.count; n++) {
    const dy = s.y + <usize>((s.first + n) * s.groups * s.outputs + chunk) * bytes(s.OH * s.OW)
    place(dy, s.OH, s.OW, 0, planes + <usize>n * plane, row, 0, s.rows * s.side)
    for (let r = 0; r < s.rows; r++) {
      for (let c = 0; c < s.columns; c++, t += 4) store<u32>(t, <usize>n * plane + <usize>(r * s.side) * row + bytes(c * s.side))
    }
  }
  // tiles past the end are not read
  for (let l = 0; l < 3; l++, t += 4) store<u32>(t, 0)
  let to = s.gradient + <usize>chunk * s.gradientRow
  for (let q = 0; q < s.sum; q += 4, to += 16) {
    const at = table + bytes(q)
    const p0 = planes + load<u32>(at)
    const p1 = planes + load<u32>(at, 4)
    const p2 = planes + load<u32>(at, 8)
    const p3 = planes + load<u32>(at, 12)
    for (let r = 0; r < s.side; r++) {
      const o = <usize>r * row
      gather(s.side, p0 + o, p1 + o, p2 + o, p3 + o, square + (<usize>(r * s.side) << 4))
    }
    outputPoints(s.side, square, to, s.gradientStep, workspace)
  }
}

/** dU of one point and a block of outputs. */
function sumsChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const o = (chunk % s.parts) * s.part
  const rest = chunk / s.parts
  const t = <usize>(rest % POINTS)
  const g = rest / POINTS
  const outputs = smaller(s.part, s.outputs - o)
  const a = s.gradient + t * s.gradientStep + <usize>(g * s.outputs + o) * s.gradientRow
  const b = s.image + t * s.imageStep + bytes(g * s.channels) * <usize>s.sum
  const c = s.points + t * s.step + <usize>(g * s.outputs + o) * s.row
  const beta: f32 = s.first == 0 ? 0 : 1
  if (s.blas) {
    sgemm(false, false, outputs, s.channels, s.sum, 1, a, <i32>(s.gradientRow >> 2), b, s.channels, beta, c, s.channels)
    return
  }
  for (let j = 0; j < s.channels; j += NR) {
    const panel = b + bytes(j) * <usize>s.sum
    for (let q = 0; q < s.sum; q += RUN) {
      const length = smaller(RUN, s.sum - q)
      panels(outputs, NR, length, a + bytes(q), s.gradientRow, 4, panel + <usize>q * ROW, c + bytes(j), s.row, 1, q == 0 ? beta : 1, 0, workspace)
    }
  }
}

/** dw of a block of outputs, four inputs at a time. */
function weightsChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const g = chunk / s.parts
  const o0 = (chunk % s.parts) * s.part
  const o1 = smaller(s.outputs, o0 + s.part)
  const taps = s.taps * s.taps
  const square = workspace + VECTORS
  for (let o = g * s.outputs + o0; o < g * s.outputs + o1; o++) {
    let w = s.w + <usize>o * s.wOutput
    for (let i = 0; i < s.inputs; i += 4) {
      weightSquare(s.taps, s.points + <usize>o * s.row + bytes(i), s.step, square, workspace)
      const lanes = smaller(4, s.inputs - i)
      for (let l = 0; l < lanes; l++) {
        let from = square + bytes(l)
        for (const end = w + s.wInput; w < end; w += 4, from += 16) store<f32>(w, load<f32>(w) + load<f32>(from))
      }
    }
  }
}
