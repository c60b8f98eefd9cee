/** C ← α·op(A)·op(B) + β·C. */
import { blockOf, packColumns, packRows } from './pack'
import { FEW_ROWS, FEW_STEPS, fewDots, fewRows, fewSteps, hasFewDots, hasSomeRows, someRows } from './gemm_few'
import { gemvColumns, gemvRows } from './gemv'
import { job, needWorkspace, run } from './threads'
import { isLarge, largeGemm } from './gemm_large'
import { copyEdge, MR, NR, panels, ROW, TILE, tile } from './micro_tile'
import { bytes, ceilDiv, larger, smaller } from './vector'

/** Rows of a B panel that stay in the L1 cache while all of A passes. */
const KC: i32 = 384
/** Columns of B that one chunk packs at a time. */
const NC: i32 = 512
/** Floating-point operations worth a chunk of their own: some 15 µs. */
const CHUNK_WORK: f64 = 8e5
const MOST_CHUNKS: i32 = 64

@unmanaged
class GemmJob {
  transB: bool
  M: i32
  N: i32
  K: i32
  KB: i32
  mBlock: i32
  nBlock: i32
  mParts: i32
  a: usize
  aRow: usize
  aStep: usize
  b: usize
  c: usize
  alpha: f32
  beta: f32
}

export function gemm(
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
  if (M <= 0 || N <= 0) return
  if (M == 1 && K > 0) {
    if (transB) gemvRows(N, K, alpha, b, a, beta, c)
    else gemvColumns(N, K, alpha, b, a, beta, c)
    return
  }
  if (N == 1 && K > 0) {
    if (transA) gemvColumns(M, K, alpha, a, b, beta, c)
    else gemvRows(M, K, alpha, a, b, beta, c)
    return
  }
  if (K >= 64 && M <= FEW_ROWS && N >= 64 && !transB) {
    fewRows(M, N, K, alpha, a, transA ? 4 : bytes(K), transA ? bytes(M) : 4, b, beta, c)
    return
  }
  if (K >= 64 && transB && !transA && hasFewDots(M, N, K)) {
    fewDots(M, N, K, alpha, a, b, beta, c)
    return
  }
  if (K > 0 && K <= FEW_STEPS && alpha == 1 && !transB && M >= 64 && N >= 64) {
    fewSteps(M, N, K, a, transA ? 4 : bytes(K), transA ? bytes(M) : 4, b, beta, c)
    return
  }
  if (!transB && hasSomeRows(M, N, K)) {
    someRows(M, N, K, alpha, a, transA ? 4 : bytes(K), transA ? bytes(M) : 4, b, beta, c)
    return
  }
  if (isLarge(M, N, K)) {
    largeGemm(transA, transB, M, N, K, alpha, a, b, beta, c)
    return
  }
  // the shape decides the cut: wide pieces first, then rows, then narrower pieces
  const operations = 2 * <f64>M * <f64>N * <f64>K
  let parts = 1
  while (parts < MOST_CHUNKS && operations > CHUNK_WORK * <f64>parts) parts <<= 1
  let nParts = smaller(parts, ceilDiv(N, 64))
  let mParts = smaller(ceilDiv(parts, nParts), ceilDiv(M, 128))
  nParts = larger(nParts, smaller(parts / mParts, ceilDiv(N, 2 * NR)))
  const g = changetype<GemmJob>(job)
  g.transB = transB
  g.M = M
  g.N = N
  g.K = K
  g.KB = blockOf(K, KC, 1)
  g.mBlock = blockOf(M, ceilDiv(M, mParts), MR)
  g.nBlock = blockOf(N, smaller(NC, ceilDiv(N, nParts)), NR)
  g.mParts = ceilDiv(M, g.mBlock)
  g.a = a
  g.aRow = transA ? 4 : bytes(K)
  g.aStep = transA ? bytes(M) : 4
  g.b = b
  g.c = c
  g.alpha = alpha
  g.beta = beta
  needWorkspace(TILE + bytes(g.KB * g.nBlock))
  run(gemmChunk, g.mParts * ceilDiv(N, g.nBlock))
}

/** One block of C, over all of K in order. */
function gemmChunk(chunk: i32, workspace: usize): void {
  const g = changetype<GemmJob>(job)
  const i = (chunk % g.mParts) * g.mBlock
  const j = (chunk / g.mParts) * g.nBlock
  const m = smaller(g.mBlock, g.M - i)
  const n = smaller(g.nBlock, g.N - j)
  const edge = workspace
  const packed = workspace + TILE
  const cRow = bytes(g.N)
  const c = g.c + <usize>i * cRow + bytes(j)
  let k = 0
  do {
    const kc = smaller(g.KB, g.K - k)
    const a = g.a + <usize>i * g.aRow + <usize>k * g.aStep
    const beta: f32 = k == 0 ? g.beta : 1
    if (g.transB) {
      packColumns(kc, n, g.b + bytes(k) + <usize>j * bytes(g.K), bytes(g.K), packed)
      panels(m, n, kc, a, g.aRow, g.aStep, packed, c, cRow, g.alpha, beta, 0, edge)
    } else {
      const b = g.b + <usize>k * cRow + bytes(j)
      if (m <= 8) inPlace(m, n, kc, a, g.aRow, g.aStep, b, c, cRow, g.alpha, beta, edge)
      else {
        packRows(kc, n, b, cRow, packed)
        panels(m, n, kc, a, g.aRow, g.aStep, packed, c, cRow, g.alpha, beta, 0, edge)
      }
    }
    k += g.KB
  } while (k < g.K)
}

/** C ← α·A·B + β·C with rows of B as long as those of C, read where they lie. */
function inPlace(
  m: i32,
  n: i32,
  K: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  c: usize,
  cRow: usize,
  alpha: f32,
  beta: f32,
  edge: usize,
): void {
  for (let j = 0; j < n; j += NR) {
    for (let i = 0; i < m; i += MR) {
      const rows = smaller(MR, m - i)
      const ai = a + <usize>i * aRow
      const ci = c + <usize>i * cRow + bytes(j)
      if (j + NR <= n) tile(K, ai, aRow, aStep, b + bytes(j), cRow, ci, cRow, rows, alpha, beta)
      else {
        tile(K, ai, aRow, aStep, b + bytes(j), cRow, edge, ROW, rows, alpha, 0)
        copyEdge(rows, n - j, edge, beta, ci, cRow)
      }
    }
  }
}
