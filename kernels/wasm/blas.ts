/**
 * Products of matrices of the native engine: the library works on one thread inside each chunk, so its threads and the
 * pool's never compete.
 */
import { sgemm } from './blas_import'
import { cut } from './convolution_shape'
import { gemm } from './gemm'
import { job, run } from './threads'
import { bytes, ceilDiv, smaller } from './vector'

/** Below so many operations the call costs more than the library saves. */
const SMALL: f64 = 2e5
/** Operations worth a chunk of their own, some 40 µs, and how many a value of C costs that passes through memory. */
const CHUNK_WORK: f64 = 8e6
const PASS: f64 = 8
const MOST_CHUNKS: i32 = 16

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
  const work = operations + PASS * <f64>M * <f64>N
  // the longer side of a chunk is halved: each packs its rows of one operand and its columns of the other
  let mParts: i64 = 1
  let nParts: i64 = 1
  for (let parts = 1; parts < MOST_CHUNKS && work > CHUNK_WORK * <f64>parts; parts <<= 1)
    if (M * nParts > N * mParts) mParts <<= 1
    else nParts <<= 1
  const g = changetype<BlasJob>(job)
  g.transA = transA
  g.transB = transB
  g.M = M
  g.N = N
  g.K = K
  g.mBlock = mParts > 1 ? cut(M, <i32>mParts, 16, 32) : M
  g.nBlock = nParts > 1 ? cut(N, <i32>nParts, 16, 32) : N
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
