/**
 * The passes of the native engine: the same jobs and chunks, with the system's sgemm in place of the tiles. The library works on one
 * thread inside each chunk, so its threads and the pool's never compete. Convolutions write their patches out (im2col), a piece at a
 * time that stays in the L2 cache.
 */
import { sgemm } from './blas_import'
import { Convolution, convolutionJob, cut, isPadded, offsetOf, paddedBytes, padRows, tapTable } from './convolution_shape'
import { gemm } from './gemm'
import { job, needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'
import { pays, winograd, winogradInputGradient } from './winograd'
import { winogradWeightGradient } from './winograd_weight_gradient'

/** Below so many operations the call costs more than the library saves. */
const SMALL: f64 = 2e5
/** Operations worth a chunk of their own: some 40 µs. */
const CHUNK: f64 = 8e6
const MOST_CHUNKS: i32 = 16
/** Values of a piece of patches: 512 KiB. */
const PATCHES: i32 = 1 << 17

@unmanaged
class BlasJob {
  transA: bool
  transB: bool
  M: i32
  N: i32
  K: i32
  mBlock: i32
  nBlock: i32
  mParts: i32
  a: usize
  b: usize
  c: usize
  alpha: f32
  beta: f32
}

/** As gemm; products with a vector are bound by memory and keep their own kernels. */
export function blasGemm(
  transA: bool,
  transB: bool,
  M: i32,
  N: i32,
  K: i32,
  alpha: f32,
  a: usize,
  b: usize,
  beta: f32,
  c: usize,
): void {
  const operations = 2 * <f64>M * <f64>N * <f64>K
  if (M == 1 || N == 1 || operations < SMALL) {
    gemm(transA, transB, M, N, K, alpha, a, b, beta, c)
    return
  }
  let parts = 1
  while (parts < MOST_CHUNKS && operations > CHUNK * <f64>parts) parts <<= 1
  const g = changetype<BlasJob>(job)
  g.transA = transA
  g.transB = transB
  g.M = M
  g.N = N
  g.K = K
  // the longer side is cut, so that the other operand is packed whole by every chunk as seldom as possible
  g.mBlock = M > N ? cut(M, parts, 16, 32) : M
  g.nBlock = M > N ? N : cut(N, parts, 16, 32)
  g.mParts = ceilDiv(M, g.mBlock)
  g.a = a
  g.b = b
  g.c = c
  g.alpha = alpha
  g.beta = beta
  run(blasGemmChunk, g.mParts * ceilDiv(N, g.nBlock))
}

function blasGemmChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<BlasJob>(job)
  const i = (chunk % g.mParts) * g.mBlock
  const j = (chunk / g.mParts) * g.nBlock
  const m = smaller(g.mBlock, g.M - i)
  const n = smaller(g.nBlock, g.N - j)
  const lda = g.transA ? g.M : g.K
  const ldb = g.transB ? g.K : g.N
  const a = g.a + bytes(g.transA ? i : 0) + (g.transA ? 0 : <usize>i * bytes(g.K))
  const b = g.b + bytes(g.transB ? 0 : j) + (g.transB ? <usize>j * bytes(g.K) : 0)
  sgemm(g.transA, g.transB, m, n, g.K, g.alpha, a, lda, b, ldb, g.beta, g.c + <usize>i * bytes(g.N) + bytes(j), g.N)
}

@inline
function isPointwise(s: Convolution): bool {
  return s.taps == 1 && s.SH == 1 && s.SW == 1 && !isPadded(s)
}

/** to (k1 − k0, count) ← what the taps k0 … k1 see at positions p0 … p0 + count of an image that is padded where it has to be. */
function patches(s: Convolution, image: usize, k0: i32, k1: i32, p0: i32, count: i32, to: usize): void {
  for (let k = k0; k < k1; k++) {
    const from = image + load<u32>(s.table + bytes(k))
    let p = p0
    let left = count
    while (left > 0) {
      const n = smaller(s.OW - (p % s.OW), left)
      let q = from + offsetOf(s, p)
      if (s.SW == 1) {
        copyValues(to, q, n)
        to += bytes(n)
      } else {
        const step = bytes(s.SW)
        for (const end = to + bytes(n); to < end; to += 4, q += step) store<f32>(to, load<f32>(q))
      }
      p += n
      left -= n
    }
  }
}

/** Group g of image n as the taps see it: padded copies go to `padded`. */
function imageOf(s: Convolution, n: i32, g: i32, top: i32, bottom: i32, padded: usize): usize {
  const image = s.x + <usize>((n * s.G + g) * s.groupC) * bytes(s.H * s.W)
  if (!isPadded(s)) return image
  padRows(s, s.groupC, image, padded, top, bottom)
  return padded
}

// ---- forward: a chunk is a block of positions of one group of one image ------------------------------------------------------

export function blasConvolution(x: usize, w: usize, bias: usize, y: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true)) {
    winograd(s, x, w, bias, y, true)
    return
  }
  s.x = x
  s.w = w
  s.bias = bias
  s.y = y
  const K = s.groupC * s.taps
  const images = s.N * s.G
  const operations = 2 * <f64>s.groupM * <f64>K * <f64>s.positions
  // one image alone is shared out; of many, each is cut only as far as the cache asks for it
  const shares = images >= MOST_CHUNKS ? 1 : ceilDiv(MOST_CHUNKS, images)
  const parts = larger(ceilDiv(K * smaller(s.positions, 1 << 16), PATCHES), smaller(shares, <i32>(operations / CHUNK) + 1))
  s.block = cut(s.positions, parts, 16, 32)
  s.parts = ceilDiv(s.positions, s.block)
  s.table = tapTable(s)
  needWorkspace((isPointwise(s) ? 0 : bytes(K * smaller(s.block, s.positions))) + 64 + (isPadded(s) ? paddedBytes(s, s.groupC) + 64 : 0))
  run(blasForwardChunk, images * s.parts)
}

function blasForwardChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const p0 = (chunk % s.parts) * s.block
  const image = chunk / s.parts
  const g = image % s.G
  const n = image / s.G
  const K = s.groupC * s.taps
  const count = smaller(s.block, s.positions - p0)
  const c = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions) + bytes(p0)
  if (s.bias) {
    for (let m = 0; m < s.groupM; m++) fillWith(c + <usize>m * bytes(s.positions), count, load<f32>(s.bias + bytes(g * s.groupM + m)))
  }
  const beta: f32 = s.bias ? 1 : 0
  const w = s.w + <usize>(g * s.groupM) * bytes(K)
  if (isPointwise(s)) {
    const b = s.x + <usize>((n * s.G + g) * s.groupC) * bytes(s.positions) + bytes(p0)
    sgemm(false, false, s.groupM, count, K, 1, w, K, b, s.positions, beta, c, s.positions)
    return
  }
  const top = (p0 / s.OW) * s.SH
  const bottom = ((p0 + count - 1) / s.OW) * s.SH + (s.KH - 1) * s.DH + 1
  const seen = imageOf(s, n, g, top, bottom, workspace + bytes(K * smaller(s.block, s.positions)) + 64)
  patches(s, seen, 0, K, p0, count, workspace)
  sgemm(false, false, s.groupM, count, K, 1, w, K, workspace, count, beta, c, s.positions)
}

function fillWith(p: usize, n: i32, value: f32): void {
  const v = f32x4.splat(value)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(p + bytes(i), v)
  for (; i < n; i++) store<f32>(p + bytes(i), value)
}

// ---- input gradient: a chunk is a block of channels of one group of one image ------------------------------------------------

export function blasConvolutionInputGradient(dy: usize, w: usize, dx: usize): void {
  const s = convolutionJob()
  if (s.N * s.C == 0) return
  if (pays(s, s.H, s.W, true)) {
    winogradInputGradient(s, dy, w, dx, true)
    return
  }
  s.y = dy
  s.w = w
  s.x = dx
  const images = s.N * s.G
  const shares = images >= MOST_CHUNKS ? 1 : ceilDiv(MOST_CHUNKS, images)
  const operations = 2 * <f64>s.groupM * <f64>s.groupC * <f64>s.taps * <f64>s.positions
  const parts = larger(ceilDiv(s.groupC * s.taps * smaller(s.positions, 1 << 16), PATCHES), smaller(shares, <i32>(operations / CHUNK) + 1))
  s.block = smaller(s.groupC, larger(1, ceilDiv(s.groupC, parts)))
  s.parts = ceilDiv(s.groupC, s.block)
  needWorkspace(isPointwise(s) ? 64 : bytes(s.block * s.taps * s.positions) + 64)
  run(blasInputGradientChunk, images * s.parts)
}

function blasInputGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = (chunk % s.parts) * s.block
  const image = chunk / s.parts
  const g = image % s.G
  const n = image / s.G
  const K = s.groupC * s.taps
  const channels = smaller(s.block, s.groupC - c0)
  const plane = bytes(s.H * s.W)
  const dx = s.x + <usize>((n * s.G + g) * s.groupC + c0) * plane
  const dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions)
  const w = s.w + <usize>(g * s.groupM) * bytes(K) + bytes(c0 * s.taps)
  if (isPointwise(s)) {
    sgemm(true, false, channels, s.positions, s.groupM, 1, w, K, dy, s.positions, 0, dx, s.positions)
    return
  }
  sgemm(true, false, channels * s.taps, s.positions, s.groupM, 1, w, K, dy, s.positions, 0, workspace, s.positions)
  memory.fill(dx, 0, <usize>channels * plane)
  let from = workspace
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < s.KH; r++) {
      for (let q = 0; q < s.KW; q++, from += bytes(s.positions)) scatterTap(s, from, dx + <usize>c * plane, r * s.DH - s.PH, q * s.DW - s.PW)
    }
  }
}

/** plane[y·S + dh, x·S + dw] += from[y, x] wherever that lies inside. */
function scatterTap(s: Convolution, from: usize, plane: usize, dh: i32, dw: i32): void {
  const first = dw < 0 ? ceilDiv(-dw, s.SW) : 0
  const last = smaller(s.OW, s.W - dw > 0 ? (s.W - 1 - dw) / s.SW + 1 : 0)
  for (let y = 0; y < s.OH; y++, from += bytes(s.OW)) {
    const h = y * s.SH + dh
    if (<u32>h >= <u32>s.H) continue
    let x = first
    let p = plane + bytes(h * s.W + first * s.SW + dw)
    if (s.SW == 1) {
      for (; x + 4 <= last; x += 4, p += 16) v128.store(p, f32x4.add(v128.load(p), v128.load(from + bytes(x))))
    }
    for (; x < last; x++, p += bytes(s.SW)) store<f32>(p, load<f32>(p) + load<f32>(from + bytes(x)))
  }
}

// ---- weight gradient ---------------------------------------------------------------------------------------------------------
// Small weights: a chunk is a block of images with a copy of dw of its own, and the copies are added in order. Large ones: a chunk
// owns a block of taps and goes over all images.

/** Weights up to so many values have copies. */
const COPIED: i32 = 1 << 15
const COPIES: i32 = 8

export function blasConvolutionWeightGradient(x: usize, dy: usize, dw: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true)) {
    winogradWeightGradient(s, x, dy, dw, true)
    return
  }
  s.x = x
  s.y = dy
  s.w = dw
  const K = s.groupC * s.taps
  const size = s.M * K
  const copied = size <= COPIED && s.N > 1
  s.images = copied ? ceilDiv(s.N, smaller(COPIES, s.N)) : s.N
  s.parts2 = ceilDiv(s.N, s.images)
  s.block = copied ? K : cut(K, larger(ceilDiv(MOST_CHUNKS, s.G), ceilDiv(K * smaller(s.positions, 1 << 16), PATCHES)), 8, 32)
  s.parts = ceilDiv(K, s.block)
  // the positions of an image pass in pieces that stay in the cache
  s.block2 = isPointwise(s) ? s.positions : cut(s.positions, ceilDiv(smaller(s.block, K) * smaller(s.positions, 1 << 16), PATCHES), 16, 32)
  const tableBytes = (bytes(K) + 127) & ~63
  const shared = sharedWorkspace(tableBytes + (copied ? bytes(size * s.parts2) : 0))
  s.table = tapTable(s)
  s.packed = copied ? shared + tableBytes : 0
  needWorkspace((isPointwise(s) ? 0 : bytes(smaller(s.block, K) * smaller(s.block2, s.positions))) + 64 + (isPadded(s) ? paddedBytes(s, s.groupC) + 64 : 0))
  run(blasWeightGradientChunk, s.G * s.parts * s.parts2)
  if (copied) addCopies(size, s.parts2, s.packed, dw)
}

function blasWeightGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const k0 = (chunk % s.parts) * s.block
  let rest = chunk / s.parts
  const g = rest % s.G
  const copy = rest / s.G
  const K = s.groupC * s.taps
  const k1 = smaller(K, k0 + s.block)
  const padded = workspace + bytes(smaller(s.block, K) * smaller(s.block2, s.positions)) + 64
  const target = s.packed ? s.packed + <usize>copy * bytes(s.M * K) : s.w
  const dw = target + <usize>(g * s.groupM) * bytes(K) + bytes(k0)
  const last = smaller(s.N, (copy + 1) * s.images)
  // a copy starts at zero, the real one goes on
  let beta: f32 = s.packed ? 0 : 1
  for (let n = copy * s.images; n < last; n++) {
    const dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions)
    if (isPointwise(s)) {
      const x = s.x + <usize>((n * s.G + g) * s.groupC + k0) * bytes(s.positions)
      sgemm(false, true, s.groupM, k1 - k0, s.positions, 1, dy, s.positions, x, s.positions, beta, dw, K)
      beta = 1
      continue
    }
    const seen = imageOf(s, n, g, 0, s.padH, padded)
    for (let p0 = 0; p0 < s.positions; p0 += s.block2) {
      const count = smaller(s.block2, s.positions - p0)
      patches(s, seen, k0, k1, p0, count, workspace)
      sgemm(false, true, s.groupM, k1 - k0, count, 1, dy + bytes(p0), s.positions, workspace, count, beta, dw, K)
      beta = 1
    }
  }
}

/** to ← to + Σ copies, in order. */
function addCopies(n: i32, copies: i32, from: usize, to: usize): void {
  for (let copy = 0; copy < copies; copy++) {
    let i = 0
    for (; i + 4 <= n; i += 4, from += 16) v128.store(to + bytes(i), f32x4.add(v128.load(to + bytes(i)), v128.load(from)))
    for (; i < n; i++, from += 4) store<f32>(to + bytes(i), load<f32>(to + bytes(i)) + load<f32>(from))
  }
}
