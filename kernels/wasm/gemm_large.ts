/**
 * C ← α·op(A)·op(B) + β·C where all sides are long: both matrices are first put in the order in which tiles read them,
 * once and by all threads, a slab of each at a time. A chunk of the product is a block of C.
 */
import { blockOf, packColumns, packFour } from './pack'
import { isDry, job, needWorkspace, run, sharedWorkspace } from './threads'
import { copyEdge, MR, NR, packedTile, ROW, TILE } from './micro_tile'
import { bytes, ceilDiv, larger, smaller } from './vector'

/** Steps of k summed in registers: a panel of B then stays in the L1 cache with a few rows of A. */
const KC: i32 = 512
/** Rows and columns of a chunk, of which 192·KC values stay in the L2 cache. */
const ROWS: i32 = 64
const COLUMNS: i32 = 128
/** Chunks that there should be for all threads to have work, and columns that are not cut for that. */
const LEAST_CHUNKS: i32 = 8
const LEAST_COLUMNS: i32 = 16
/** Values of a slab of either matrix: both are to be in the L3 cache while they are multiplied. */
const SLAB: i32 = 524288
/** Rows or columns that are put in order at a time: so much of those that lie side by side is fetched ahead. */
const PACK: i32 = 64

@unmanaged
class LargeJob {
  transA: bool
  transB: bool
  /** Rows of op(A) and columns of op(B) as they lie in memory. */
  aRow: usize
  bRow: usize
  cRow: usize
  /** The current slab: sizes, those of a whole block of k and of what it is padded to, and where it starts. */
  M: i32
  N: i32
  K: i32
  KB: i32
  paddedM: i32
  paddedN: i32
  a: usize
  b: usize
  c: usize
  alpha: f32
  beta: f32
  packedA: usize
  packedB: usize
  /** Pieces of A and B for each block of k, and rows of blocks of C. */
  piecesA: i32
  piecesB: i32
  mParts: i32
  mBlock: i32
  nBlock: i32
}

/** Whether the product is worth the two passes. */
@inline
export function isLarge(M: i32, N: i32, K: i32): bool {
  return M >= ROWS && N >= ROWS && K >= ROWS
}

export function largeGemm(
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
  const g = changetype<LargeJob>(job)
  g.transA = transA
  g.transB = transB
  g.aRow = bytes(transA ? M : K)
  g.bRow = bytes(transB ? K : N)
  g.cRow = bytes(N)
  g.alpha = alpha
  g.KB = blockOf(K, KC, 1)
  const mSlab = blockOf(M, SLAB / KC, PACK)
  const nSlab = blockOf(N, SLAB / KC, PACK)
  const kSlab = blockOf(K, larger(g.KB, SLAB / larger(mSlab, nSlab)), g.KB)
  g.packedA = sharedWorkspace(bytes(kSlab * (mSlab + nSlab)))
  g.packedB = g.packedA + bytes(kSlab * mSlab)
  needWorkspace(TILE)
  if (isDry()) return
  for (let j = 0; j < N; j += nSlab) {
    for (let k = 0; k < K; k += kSlab) {
      for (let i = 0; i < M; i += mSlab) {
        g.M = smaller(mSlab, M - i)
        g.N = smaller(nSlab, N - j)
        g.K = smaller(kSlab, K - k)
        g.paddedM = ceilDiv(g.M, MR) * MR
        g.paddedN = ceilDiv(g.N, NR) * NR
        g.a = transA ? a + <usize>k * g.aRow + bytes(i) : a + <usize>i * g.aRow + bytes(k)
        g.b = transB ? b + <usize>j * g.bRow + bytes(k) : b + <usize>k * g.bRow + bytes(j)
        g.c = c + <usize>i * g.cRow + bytes(j)
        g.beta = k == 0 ? beta : 1
        g.piecesA = ceilDiv(g.M, PACK)
        g.piecesB = i == 0 ? ceilDiv(g.N, PACK) : 0
        run(packChunk, ceilDiv(g.K, g.KB) * (g.piecesA + g.piecesB))
        g.mBlock = blockOf(g.M, ROWS, MR)
        g.mParts = ceilDiv(g.M, g.mBlock)
        let columns = COLUMNS
        while (columns > LEAST_COLUMNS && g.mParts * ceilDiv(g.N, columns) < LEAST_CHUNKS) columns >>= 1
        g.nBlock = blockOf(g.N, columns, NR)
        run(blockChunk, g.mParts * ceilDiv(g.N, g.nBlock))
      }
    }
  }
}

/** Some rows of A or columns of B, for one block of k. */
function packChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<LargeJob>(job)
  const pieces = g.piecesA + g.piecesB
  const k = (chunk / pieces) * g.KB
  const kc = smaller(g.KB, g.K - k)
  let piece = chunk % pieces
  if (piece < g.piecesA) {
    const i = piece * PACK
    const rows = smaller(PACK, g.M - i)
    const to = g.packedA + bytes(k * g.paddedM) + bytes(i * kc)
    if (g.transA) packLanes(kc, rows, g.a + <usize>k * g.aRow + bytes(i), g.aRow, to)
    else {
      const a = g.a + <usize>i * g.aRow + bytes(k)
      for (let r = 0; r < rows; r += MR) packFour(kc, smaller(MR, rows - r), a + <usize>r * g.aRow, g.aRow, to + bytes(r * kc))
    }
    return
  }
  const j = (piece - g.piecesA) * PACK
  const columns = smaller(PACK, g.N - j)
  const to = g.packedB + bytes(k * g.paddedN) + bytes(j * kc)
  if (g.transB) packColumns(kc, columns, g.b + <usize>j * g.bRow + bytes(k), g.bRow, to)
  else packPairs(kc, columns, g.b + <usize>k * g.bRow + bytes(j), g.bRow, to)
}

/**
 * Panels of four rows of Aᵀ, whose values for one k lie side by side, a cache line of each at a time. Missing rows hold
 * whatever follows.
 */
function packLanes(K: i32, rows: i32, a: usize, aStep: usize, to: usize): void {
  const panel = bytes(K * MR)
  let k = 0
  for (; k + 4 <= K; k += 4, a += 4 * aStep, to += 64) {
    let p = a
    let q = to
    for (const end = p + bytes(rows); p < end; p += 16, q += panel) {
      v128.store(q, v128.load(p))
      v128.store(q, v128.load(p + aStep), 16)
      v128.store(q, v128.load(p + 2 * aStep), 32)
      v128.store(q, v128.load(p + 3 * aStep), 48)
    }
  }
  for (; k < K; k++, a += aStep, to += 16) {
    let q = to
    for (let i: usize = 0; i < bytes(rows); i += 16, q += panel) v128.store(q, v128.load(a + i))
  }
}

/** The same panels as packRows makes, two rows of all of them at a time. */
function packPairs(K: i32, N: i32, b: usize, bRow: usize, to: usize): void {
  const panel = <usize>K * ROW
  let k = 0
  for (; k + 2 <= K; k += 2, b += 2 * bRow, to += 2 * ROW) {
    let p = b
    let q = to
    for (const end = p + bytes(N); p < end; p += ROW, q += panel) {
      v128.store(q, v128.load(p))
      v128.store(q, v128.load(p, 16), 16)
      v128.store(q, v128.load(p + bRow), 32)
      v128.store(q, v128.load(p + bRow, 16), 48)
    }
  }
  if (k == K) return
  for (const end = b + bytes(N); b < end; b += ROW, to += panel) {
    v128.store(to, v128.load(b))
    v128.store(to, v128.load(b, 16), 16)
  }
}

/** One block of C, over all of the slab's k in order. */
function blockChunk(chunk: i32, edge: usize): void {
  const g = changetype<LargeJob>(job)
  const i0 = (chunk % g.mParts) * g.mBlock
  const j0 = (chunk / g.mParts) * g.nBlock
  const i1 = smaller(g.M, i0 + g.mBlock)
  const j1 = smaller(g.N, j0 + g.nBlock)
  for (let k = 0; k < g.K; k += g.KB) {
    const kc = smaller(g.KB, g.K - k)
    const beta: f32 = k == 0 ? g.beta : 1
    const a = g.packedA + bytes(k * g.paddedM)
    const b = g.packedB + bytes(k * g.paddedN)
    for (let j = j0; j < j1; j += NR) {
      const panel = b + bytes(j * kc)
      const whole = j + NR <= j1
      for (let i = i0; i < i1; i += MR) {
        const rows = smaller(MR, i1 - i)
        const to = g.c + <usize>i * g.cRow + bytes(j)
        packedTile(kc, a + bytes(i * kc), panel, whole ? to : edge, whole ? g.cRow : ROW, rows, g.alpha, whole ? beta : 0)
        if (!whole) copyEdge(rows, j1 - j, edge, beta, to, g.cRow)
      }
    }
  }
}
