/**
 * The weight gradient of convolutions of the native engine (blas_pieces.ts): a chunk is a block of channels of one group,
 * and a share of all pieces of all images. Every share has a copy of the gradient of its own; the copies are added in
 * order.
 */
import { sgemm } from './blas_import'
import {
  depthOf,
  isPointwise,
  LEAST_WIDTH,
  lower,
  MOST_CHUNKS,
  PIECE,
  rowsThatFit,
  shiftsOf,
  strideOf,
} from './blas_pieces'
import { Convolution, convolutionJob } from './convolution_shape'
import { needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, larger, smaller } from './vector'
import { pays } from './winograd_cost'
import { isKept, winogradWeightGradient } from './winograd_weight_gradient'

/**
 * Values of all copies together, how many there are at most, and how many sums a copy must be made of to be worth
 * adding up.
 */
const COPIED: i32 = 1 << 20
const COPIES: i32 = 8
const LEAST_SUMS: i32 = 512
/** Rows of a product up to which sgemm is a quarter faster if they become its columns, unless those lie 4 KiB apart. */
const FEW_ROWS: i32 = 32
/** Positions of a piece of a 1×1 kernel: longer sums leave the L1 cache. */
const POINTS: i32 = 784

/** Pieces of an image. */
@inline
function piecesOf(s: Convolution): i32 {
  return isPointwise(s) ? ceilDiv(s.positions, s.block2) : ceilDiv(s.OH, s.block2)
}

/** Whether products have the taps first, as the longer side. */
@inline
function isTurned(s: Convolution): bool {
  return s.groupM <= FEW_ROWS && s.groupM < s.block * depthOf(s) && (s.positions & 1023) != 0
}

/** Whether a product's values lie as those of dw: then a single copy is not needed. */
@inline
function isPlain(s: Convolution): bool {
  return s.shifts == 1 && !isTurned(s)
}

export function blasConvolutionWeightGradient(x: usize, dy: usize, dw: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true) && isKept(s)) {
    winogradWeightGradient(s, x, dy, dw, true)
    return
  }
  s.shifts = shiftsOf(s)
  s.x = x
  s.y = dy
  s.w = dw
  const size = s.M * s.groupC * s.taps
  // channels: all at once, if copies make enough chunks and their pieces are not too thin
  const width = s.groupC * depthOf(s)
  const copies = larger(1, smaller(smaller(COPIES, COPIED / larger(1, size)), <i32>(<f64>s.N * <f64>s.positions / LEAST_SUMS)))
  const share = copies * s.G >= COPIES ? 1 : smaller(ceilDiv(MOST_CHUNKS, copies * s.G), larger(1, width / LEAST_WIDTH))
  const pointwise = isPointwise(s)
  s.block = ceilDiv(s.groupC, larger(share, pointwise ? 1 : ceilDiv(width * s.OW, PIECE)))
  s.parts = ceilDiv(s.groupC, s.block)
  s.block2 = pointwise ? ceilDiv(s.positions, ceilDiv(s.positions, POINTS)) : rowsThatFit(s, s.block)
  const pieces = s.N * piecesOf(s)
  s.images = ceilDiv(pieces, smaller(copies, pieces))
  s.parts2 = ceilDiv(pieces, s.images)
  const direct = s.parts2 == 1 && isPlain(s)
  s.packed = direct ? dw : sharedWorkspace(bytes(size * s.parts2) + 64)
  needWorkspace(pointwise ? 64 : bytes(s.block * depthOf(s) * strideOf(s, s.block2)) + 64)
  run(weightGradientChunk, s.G * s.parts * s.parts2)
  if (!direct) run(sumChunk, s.M)
}

function weightGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = (chunk % s.parts) * s.block
  const rest = chunk / s.parts
  const g = rest % s.G
  const copy = rest / s.G
  const channels = smaller(s.block, s.groupC - c0)
  const each = depthOf(s)
  const depth = s.groupC * each
  const width = channels * each
  const target = s.packed + <usize>copy * bytes(s.M * depth * s.shifts)
  const pieces = piecesOf(s)
  const pointwise = isPointwise(s)
  const turned = isTurned(s)
  const last = smaller(s.N * pieces, (copy + 1) * s.images)
  let beta: f32 = s.packed == s.w ? 1 : 0
  for (let i = copy * s.images; i < last; i++, beta = 1) {
    const n = i / pieces
    const begin = (i - n * pieces) * s.block2
    const x = s.x + <usize>((n * s.G + g) * s.groupC + c0) * bytes(s.H * s.W)
    const p0 = pointwise ? begin : begin * s.OW
    const rows = smaller(s.block2, s.OH - begin)
    const count = pointwise ? smaller(s.block2, s.positions - begin) : rows * s.OW
    const stride = pointwise ? s.positions : strideOf(s, rows)
    const dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions) + bytes(p0)
    if (!pointwise) lower(s, x, channels, begin, rows, workspace, stride)
    for (let r = 0; r < s.shifts; r++) {
      const seen = pointwise ? x + bytes(p0) : workspace + bytes(r * s.DH * s.OW)
      // (r, g, k, m) turned, else (r, g, m, k)
      const to = target + bytes((r * s.M + g * s.groupM) * depth)
      if (turned) sgemm(false, true, width, s.groupM, count, 1, seen, stride, dy, s.positions, beta, to + bytes(c0 * each * s.groupM), s.groupM)
      else sgemm(false, true, s.groupM, width, count, 1, dy, s.positions, seen, stride, beta, to + bytes(c0 * each), depth)
    }
  }
}

/** dw[m] += Σ copies[m], in order; a copy's values lie in the order that the products left. */
function sumChunk(m: i32, _workspace: usize): void {
  const s = convolutionJob()
  const each = depthOf(s)
  const depth = s.groupC * each
  const size = bytes(s.M * depth * s.shifts)
  let d = s.w + <usize>m * bytes(s.groupC * s.taps)
  if (isPlain(s)) {
    let p = s.packed + bytes(m * depth)
    let k = 0
    for (; k + 4 <= depth; k += 4, d += 16, p += 16) {
      let sum = v128.load(d)
      let q = p
      for (let copy = 0; copy < s.parts2; copy++, q += size) sum = f32x4.add(sum, v128.load(q))
      v128.store(d, sum)
    }
    for (; k < depth; k++, d += 4, p += 4) addCopies(s, p, size, d)
    return
  }
  const turned = isTurned(s)
  const g = m / s.groupM
  // from one k to the next
  const step = bytes(turned ? s.groupM : 1)
  const from = s.packed + (turned ? bytes(g * s.groupM * depth + m - g * s.groupM) : bytes(m * depth))
  for (let c = 0; c < s.groupC; c++) {
    for (let r = 0; r < s.shifts; r++) {
      let p = from + bytes(r * s.M * depth) + <usize>(c * each) * step
      for (let k = 0; k < each; k++, d += 4, p += step) addCopies(s, p, size, d)
    }
  }
}

@inline
function addCopies(s: Convolution, p: usize, size: usize, d: usize): void {
  let sum = load<f32>(d)
  for (let copy = 0; copy < s.parts2; copy++, p += size) sum += load<f32>(p)
  store<f32>(d, sum)
}
