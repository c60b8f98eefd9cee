/**
 * The input gradient of convolutions of the native engine (blas_pieces.ts): a chunk is a block of channels of one group of
 * one image, or of some small ones.
 */
import { sgemm } from './blas_import'
import {
  beginOf,
  depthOf,
  firstOf,
  isPointwise,
  joinedOf,
  lastOf,
  NARROW,
  PIECE,
  ROWS,
  sharesOf,
  shiftsOf,
  spaced,
  strideOf,
  weightsOf,
} from './blas_pieces'
import { Convolution, convolutionJob } from './convolution_shape'
import { needWorkspace, run } from './threads'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'
import { winogradInputGradient } from './winograd'
import { pays } from './winograd_cost'

/** Values of the product that a chunk should have at least. */
const LEAST_VALUES: f64 = 8192

export function blasConvolutionInputGradient(dy: usize, w: usize, dx: usize): void {
  const s = convolutionJob()
  if (s.N * s.C == 0) return
  if (pays(s, s.H, s.W, true)) {
    winogradInputGradient(s, dy, w, dx, true)
    return
  }
  s.images = smaller(joinedOf(s), ceilDiv(NARROW, s.positions))
  s.shifts = s.images > 1 ? 1 : shiftsOf(s)
  s.y = dy
  s.w = weightsOf(s, w)
  s.x = dx
  const joined = s.images > 1
  const pointwise = isPointwise(s) && !joined
  const each = pointwise ? s.positions : joined ? s.taps * spaced(s.images * s.positions) : depthOf(s) * strideOf(s, s.OH)
  s.parts = larger(ceilDiv(s.groupC, larger(1, PIECE / larger(1, each))), sharesOf(s, chunksWorthCutting(s)))
  s.block = ceilDiv(s.groupC, s.parts)
  const gathered = joined ? s.groupM * spaced(s.images * s.positions) : 0
  needWorkspace(pointwise ? 64 : bytes(s.block * each + gathered) + 64)
  run(inputGradientChunk, ceilDiv(s.N, s.images) * s.G * s.parts)
}

/** Chunks of an image, none with so few rows or values that sgemm would mostly read weights. */
function chunksWorthCutting(s: Convolution): i32 {
  const rows = s.groupC * depthOf(s)
  return smaller(rows / ROWS, <i32>((<f64>rows * <f64>s.positions) / LEAST_VALUES))
}

function inputGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = beginOf(s.groupC, s.parts, chunk % s.parts)
  const channels = beginOf(s.groupC, s.parts, (chunk % s.parts) + 1) - c0
  const image = chunk / s.parts
  const g = image % s.G
  const n = (image / s.G) * s.images
  const count = smaller(s.images, s.N - n)
  const each = depthOf(s)
  const depth = s.groupC * each
  const plane = bytes(s.H * s.W)
  let dx = s.x + <usize>((n * s.G + g) * s.groupC + c0) * plane
  let dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions)
  let step = s.positions
  const w = s.w + bytes(g * s.groupM * depth + c0 * each)
  if (s.images == 1 && isPointwise(s)) {
    sgemm(true, false, channels, s.positions, s.groupM, 1, w, depth, dy, s.positions, 0, dx, s.positions)
    return
  }
  let stride = strideOf(s, s.OH)
  if (s.images > 1) {
    stride = spaced(s.images * s.positions)
    dy = gatherImages(s, dy, count, workspace + bytes(s.block * each * stride), stride)
    step = stride
  }
  const split = s.shifts > 1
  if (split) memory.fill(workspace, 0, bytes(channels * each * stride))
  for (let r = 0; r < s.shifts; r++) {
    const to = workspace + bytes(r * s.DH * s.OW)
    const rows = w + bytes(r * s.M * depth)
    sgemm(true, false, channels * each, count * s.positions, s.groupM, 1, rows, depth, dy, step, split ? 1 : 0, to, stride)
  }
  for (let i = 0; i < count; i++, dx += <usize>s.C * plane) raise(s, workspace + bytes(i * s.positions), stride, channels, dx)
}

/** The outputs of a group of `count` images side by side: rows of `stride` values. */
function gatherImages(s: Convolution, dy: usize, count: i32, to: usize, stride: i32): usize {
  for (let n = 0; n < count; n++, dy += <usize>s.M * bytes(s.positions)) {
    let from = dy
    let d = to + bytes(n * s.positions)
    for (let m = 0; m < s.groupM; m++, from += bytes(s.positions), d += bytes(stride)) copyValues(d, from, s.positions)
  }
  return to
}

/** Adds the rows of a piece into `channels` planes at dx, which begin at 0. */
function raise(s: Convolution, from: usize, stride: i32, channels: i32, dx: usize): void {
  const plane = bytes(s.H * s.W)
  memory.fill(dx, 0, <usize>channels * plane)
  const split = s.shifts > 1
  const height = split ? 1 : s.KH
  const count = split ? s.OH + (s.KH - 1) * s.DH : s.OH
  for (let c = 0; c < channels; c++, dx += plane) {
    for (let r = 0; r < height; r++) {
      for (let q = 0; q < s.KW; q++, from += bytes(stride)) raiseTap(s, from, count, r * s.DH - s.PH, q, dx)
    }
  }
}

/** plane[y + i·SH, x·SW + q·DW − PW] += from[i, x] wherever that lies inside. What lies outside may be set to 0. */
function raiseTap(s: Convolution, from: usize, count: i32, y: i32, q: i32, plane: usize): void {
  const OW = s.OW
  const first = firstOf(s, q)
  const last = lastOf(s, q)
  const to = plane + bytes(first * s.SW + q * s.DW - s.PW)
  if (s.SH == 1 && s.SW == 1 && OW == s.W && first < last) {
    // rows lie one behind the other in both: one run
    const top = smaller(count, larger(0, -y))
    const bottom = larger(top, smaller(count, s.H - y))
    if (first > 0) for (let i = top; i < bottom; i++) for (let x = 0; x < first; x++) store<f32>(from + bytes(i * OW + x), 0)
    if (last < OW) for (let i = top; i < bottom; i++) for (let x = last; x < OW; x++) store<f32>(from + bytes(i * OW + x), 0)
    if (top < bottom) addValues(to + bytes((y + top) * OW), from + bytes(top * OW + first), (bottom - top - 1) * OW + last - first)
    return
  }
  const none = f32x4.splat(0)
  const step = bytes(s.SW)
  for (let i = 0; i < count; i++, y += s.SH, from += bytes(OW)) {
    if (<u32>y >= <u32>s.H) continue
    let p = to + bytes(y * s.W)
    let x = first
    if (s.SW == 1) {
      for (; x + 4 <= last; x += 4, p += 16) v128.store(p, f32x4.add(v128.load(p), v128.load(from + bytes(x))))
    } else if (s.SW == 2) {
      // eight values at a time, of which the odd ones stay as they are; all eight lie before the last one that is added
      // to
      for (; x + 4 < last; x += 4, p += 32) {
        const v = v128.load(from + bytes(x))
        v128.store(p, f32x4.add(v128.load(p), v128.shuffle<f32>(v, none, 0, 4, 1, 5)))
        v128.store(p, f32x4.add(v128.load(p, 16), v128.shuffle<f32>(v, none, 2, 6, 3, 7)), 16)
      }
    }
    for (; x < last; x++, p += step) store<f32>(p, load<f32>(p) + load<f32>(from + bytes(x)))
  }
}

/** to += from, n values. */
@inline
function addValues(to: usize, from: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(to + bytes(i), f32x4.add(v128.load(to + bytes(i)), v128.load(from + bytes(i))))
  for (; i < n; i++) store<f32>(to + bytes(i), load<f32>(to + bytes(i)) + load<f32>(from + bytes(i)))
}
