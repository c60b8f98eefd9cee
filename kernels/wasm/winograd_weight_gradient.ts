/**
 * dw ← dw + ∂E/∂w by tiles of 6 × 6 (winograd_tiles.ts): dU[t] = dY[t]·X[t]ᵀ for 36 points t, summed over the tiles of all images, then
 * dw += Gᵀ dU G. Of many small images a chunk takes a block through all of it, with a dU of its own: what one core has written another
 * one reads slowly. Else images pass in rounds whose transforms stay in the L3 cache, and a chunk owns a block of one point's dU. Tiles
 * and copies are summed in order.
 */
import { sgemm } from './blas_import'
import { Convolution, cut } from './convolution_shape'
import { needWorkspace, run, sharedWorkspace } from './threads'
import { NR, panels, ROW, TILE } from './tile'
import { bytes, ceilDiv, larger, smaller } from './vector'
import { describe, paddedRow, place, planeBytes, Winograd, winogradJob } from './winograd'
import { gather, inputPoints, outputPoints, POINTS, VECTORS, weightSquare } from './winograd_tiles'

/** Least and most bytes of transformed images and gradients at a time, and tiles summed in registers at a time. */
const LEAST: f64 = 1572864
const MOST: f64 = 33554432
const RUN: i32 = 768
/** Operations worth a chunk of their own. */
const CHUNK: f64 = 8e5
/** Copies of dU, bytes of one, and bytes of transforms that stay in a core's L2 cache. */
const COPIES: i32 = 8
const SMALL: f64 = 524288
const OWN: f64 = 786432

/** Beside the fields it shares with the other passes: x and y are the images and dy, w is dw, points is dU. */
@unmanaged
class Sums extends Winograd {
  /** Images of this round: the first one, how many, and their tiles. */
  first: i32
  count: i32
  sum: i32
  /** Transformed images, (group, panel of 8 channels, tile), and gradients, (group, output, tile): where, and bytes between points. */
  image: usize
  imageStep: usize
  gradient: usize
  gradientStep: usize
  gradientRow: usize
  /** Channels in whole panels. */
  channels: i32
  /** Images of a chunk with a dU of its own, how many such chunks there are, and where the transforms lie in their workspace. */
  share: i32
  copies: i32
  behind: usize
}

@inline
function sumsJob(): Sums {
  return changetype<Sums>(winogradJob())
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
  const apart = !blas && s.images >= COPIES && sums <= SMALL && perImage <= OWN
  s.copies = apart ? COPIES : 1
  s.share = ceilDiv(s.images, s.copies)
  const fitting = apart ? OWN : Math.min(MOST, Math.max(LEAST, 2 * sums))
  s.count = smaller(s.share, larger(1, <i32>(fitting / perImage)))
  s.sum = s.count * s.tiles
  s.row = bytes(s.channels)
  s.step = <usize>(s.groups * s.outputs) * s.row + 64
  s.imageStep = bytes(s.groups * s.channels) * <usize>s.sum + 64
  // rows of four tiles, and one cache line more so that neighbouring rows do not meet in the cache
  s.gradientRow = bytes((s.sum + 3) & ~3) + 64
  s.gradientStep = <usize>(s.groups * s.outputs) * s.gradientRow + 64
  const transforms = (s.imageStep + s.gradientStep) * POINTS
  s.points = sharedWorkspace(s.step * POINTS * <usize>s.copies + (apart ? 0 : transforms))
  const temporary: usize = 2 * VECTORS + bytes(s.sum + 4) + 64
  const images: usize = 4 * planeBytes(s)
  const gradients: usize = <usize>s.count * gradientPlane(s)
  if (apart) {
    s.behind = temporary + (images > gradients ? images : gradients) + TILE
    needWorkspace(s.behind + transforms)
    s.copies = ceilDiv(s.images, s.share)
    run(shareChunk, s.copies)
  } else {
    s.image = s.points + s.step * POINTS
    s.gradient = s.image + s.imageStep * POINTS
    for (s.first = 0; s.first < s.images; s.first += s.count) {
      s.count = smaller(s.count, s.images - s.first)
      s.sum = s.count * s.tiles
      needWorkspace(temporary + images)
      run(imageChunk, s.groups * (s.channels / 4))
      needWorkspace(temporary + gradients)
      run(gradientChunk, s.groups * s.outputs)
      // 36 points of all groups are chunks enough unless there are many operations in each
      const operations = 2 * <f64>s.sum * <f64>s.inputs * <f64>s.outputs
      s.part = cut(s.outputs, <i32>Math.min(8, 1 + operations / (8 * CHUNK)), 4, 64)
      s.parts = ceilDiv(s.outputs, s.part)
      needWorkspace(TILE)
      run(sumsChunk, s.groups * POINTS * s.parts)
    }
  }
  s.part = larger(1, 1024 / s.inputs)
  s.parts = ceilDiv(s.outputs, s.part)
  needWorkspace(3 * VECTORS)
  run(weightsChunk, s.groups * s.parts)
}

/** A block of images from its transforms to a dU of its own. */
function shareChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const image = workspace + s.behind
  const gradient = image + s.imageStep * POINTS
  const points = s.points + <usize>chunk * s.step * POINTS
  const last = smaller(s.images, (chunk + 1) * s.share)
  for (let first = chunk * s.share; first < last; first += s.count) {
    const count = smaller(s.count, last - first)
    for (let i = 0; i < s.groups * (s.channels / 4); i++) transformImages(s, i, first, count, image, workspace)
    for (let i = 0; i < s.groups * s.outputs; i++) transformGradients(s, i, first, count, gradient, workspace)
    const beta: f32 = first == chunk * s.share ? 0 : 1
    for (let i = 0; i < s.groups * POINTS; i++) sumPoint(s, i / POINTS, i % POINTS, 0, s.outputs, count * s.tiles, image, gradient, points, beta, workspace)
  }
}

function imageChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  transformImages(s, chunk, s.first, s.count, s.image, workspace)
}

/** Four channels of `count` images from the first one on. */
function transformImages(s: Sums, chunk: i32, first: i32, count: i32, image: usize, workspace: usize): void {
  const quads = s.channels / 4
  const g = chunk / quads
  const c = (chunk % quads) * 4
  const row = paddedRow(s)
  const plane = planeBytes(s)
  const planes = workspace + 2 * VECTORS
  const height = s.rows * s.side + s.taps - 1
  const inside = bytes(s.H * s.W)
  const sum = count * s.tiles
  let to = image
  let step = ROW
  if (s.blas) {
    to += bytes(g * s.channels) * <usize>sum + bytes(c)
    step = s.row
  } else {
    to += (bytes(g * s.channels) + bytes(c & ~7)) * <usize>sum + bytes(c & 4)
  }
  const channels = smaller(4, s.inputs - c)
  for (let n = 0; n < count; n++) {
    const x = s.x + <usize>(((first + n) * s.groups + g) * s.inputs + c) * inside
    for (let l = 0; l < channels; l++) place(x + <usize>l * inside, s.H, s.W, s.pad, planes + <usize>l * plane, row, 0, height)
    // channels past the end repeat the first one; their sums are not read
    const p1 = channels > 1 ? plane : 0
    const p2 = channels > 2 ? 2 * plane : 0
    const p3 = channels > 3 ? 3 * plane : 0
    for (let r = 0; r < s.rows; r++) {
      let p = planes + <usize>(r * s.side) * row
      for (let q = 0; q < s.columns; q++, p += bytes(s.side), to += step) {
        if (channels > 0) inputPoints(p, p + p1, p + p2, p + p3, row, to, s.imageStep, workspace)
      }
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

function gradientChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  transformGradients(s, chunk, s.first, s.count, s.gradient, workspace)
}

/** One output of `count` images, four tiles at a time. */
function transformGradients(s: Sums, chunk: i32, first: i32, count: i32, gradient: usize, workspace: usize): void {
  const sum = count * s.tiles
  const square = workspace + VECTORS
  const table = square + VECTORS
  const planes = table + bytes(sum + 4)
  const row = gradientRowBytes(s)
  const plane = gradientPlane(s)
  let t = table
  for (let n = 0; n < count; n++) {
    const dy = s.y + <usize>((first + n) * s.groups * s.outputs + chunk) * bytes(s.OH * s.OW)
    place(dy, s.OH, s.OW, 0, planes + <usize>n * plane, row, 0, s.rows * s.side)
    for (let r = 0; r < s.rows; r++) {
      for (let c = 0; c < s.columns; c++, t += 4) store<u32>(t, <usize>n * plane + <usize>(r * s.side) * row + bytes(c * s.side))
    }
  }
  // tiles past the end are not read
  for (let l = 0; l < 3; l++, t += 4) store<u32>(t, 0)
  let to = gradient + <usize>chunk * s.gradientRow
  for (let q = 0; q < sum; q += 4, to += 16) {
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

function sumsChunk(chunk: i32, workspace: usize): void {
  const s = sumsJob()
  const o = (chunk % s.parts) * s.part
  const rest = chunk / s.parts
  const outputs = smaller(s.part, s.outputs - o)
  sumPoint(s, rest / POINTS, rest % POINTS, o, outputs, s.sum, s.image, s.gradient, s.points, s.first == 0 ? 0 : 1, workspace)
}

/** dU of one point and a block of outputs, over `sum` tiles. */
function sumPoint(
  s: Sums,
  g: i32,
  point: i32,
  o: i32,
  outputs: i32,
  sum: i32,
  image: usize,
  gradient: usize,
  points: usize,
  beta: f32,
  workspace: usize,
): void {
  const t = <usize>point
  const a = gradient + t * s.gradientStep + <usize>(g * s.outputs + o) * s.gradientRow
  const b = image + t * s.imageStep + bytes(g * s.channels) * <usize>sum
  const c = points + t * s.step + <usize>(g * s.outputs + o) * s.row
  if (s.blas) {
    sgemm(false, false, outputs, s.channels, sum, 1, a, <i32>(s.gradientRow >> 2), b, s.channels, beta, c, s.channels)
    return
  }
  for (let j = 0; j < s.channels; j += NR) {
    const panel = b + bytes(j) * <usize>sum
    for (let q = 0; q < sum; q += RUN) {
      const length = smaller(RUN, sum - q)
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
  addCopies(s, <usize>(g * s.outputs + o0) * s.row, <usize>(o1 - o0) * s.row)
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

/** The first dU += the others, in order: `length` bytes at an offset, of every point. */
function addCopies(s: Sums, offset: usize, length: usize): void {
  const size = s.step * POINTS
  for (let copy = 1; copy < s.copies; copy++) {
    for (let t = 0; t < POINTS; t++) {
      let p = s.points + <usize>t * s.step + offset
      let q = p + <usize>copy * size
      for (const end = p + length; p < end; p += 16, q += 16) v128.store(p, f32x4.add(v128.load(p), v128.load(q)))
    }
  }
}
