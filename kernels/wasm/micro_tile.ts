/**
 * The innermost loops of every matrix product and convolution: a tile of 4 × 8 values of C held in eight vectors.
 * Eight independent sums hide the latency of the fused multiply-add; four splats and two loads feed eight of them.
 */
import { asSum } from './threads'
import { bytes, larger, madd, smaller } from './vector'

/** Rows and columns of a tile. */
export const MR: i32 = 4
export const NR: i32 = 8
/** Bytes of a tile, and of one row of a packed panel. */
export const TILE: usize = 128
export const ROW: usize = 32

@inline
function finish(c: usize, low: v128, high: v128, alpha: v128, beta: f32): void {
  low = f32x4.mul(alpha, low)
  high = f32x4.mul(alpha, high)
  if (beta != 0) {
    const old = f32x4.splat(beta)
    low = madd(old, v128.load(c), low)
    high = madd(old, v128.load(c, 16), high)
  }
  v128.store(c, low)
  v128.store(c, high, 16)
}

/**
 * C[i][0…7] ← α·Σₖ A[i][k]·B[k][0…7] + β·C[i][0…7] for i < rows ≤ 4; C is not read where β = 0.
 * Row i of A starts at a + i·aRow and goes on in steps of aStep; row k of B is the 8 values at b + k·bStep; row i of C
 * at c + i·cRow. Rows that do not exist repeat the last one, which costs nothing: fewer sums would only wait for each
 * other.
 */
export function tile(
  K: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  alpha: f32,
  beta: f32,
): void {
  tileInLoop(K, a, aRow, aStep, b, bStep, c, cRow, rows, alpha, beta)
}

/** The same as a part of loops over tiles: V8 unrolls what lies deeper. */
@inline
export function tileInLoop(
  K: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  alpha: f32,
  beta: f32,
): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  let a0 = asSum(a)
  let a1 = a0 + (rows > 1 ? aRow : 0)
  let a2 = a1 + (rows > 2 ? aRow : 0)
  let a3 = a2 + (rows > 3 ? aRow : 0)
  let p = asSum(b)
  for (const end = p + <usize>K * bStep; p != end; ) {
    const b0 = v128.load(p)
    const b1 = v128.load(p, 16)
    p += bStep
    const x0 = v128.load_splat<f32>(a0)
    a0 += aStep
    c00 = madd(x0, b0, c00)
    c01 = madd(x0, b1, c01)
    const x1 = v128.load_splat<f32>(a1)
    a1 += aStep
    c10 = madd(x1, b0, c10)
    c11 = madd(x1, b1, c11)
    const x2 = v128.load_splat<f32>(a2)
    a2 += aStep
    c20 = madd(x2, b0, c20)
    c21 = madd(x2, b1, c21)
    const x3 = v128.load_splat<f32>(a3)
    a3 += aStep
    c30 = madd(x3, b0, c30)
    c31 = madd(x3, b1, c31)
  }
  const scale = f32x4.splat(alpha)
  finish(c, c00, c01, scale, beta)
  if (rows > 1) finish(c + cRow, c10, c11, scale, beta)
  if (rows > 2) finish(c + 2 * cRow, c20, c21, scale, beta)
  if (rows > 3) finish(c + 3 * cRow, c30, c31, scale, beta)
}

/** The same with both sides in order: A has its four values of each k side by side, B its eight. */
@inline
export function packedTile(K: i32, a: usize, b: usize, c: usize, cRow: usize, rows: i32, alpha: f32, beta: f32): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  let p = asSum(b)
  let q = asSum(a)
  for (const end = p + <usize>K * ROW; p != end; p += ROW, q += 16) {
    const b0 = v128.load(p)
    const b1 = v128.load(p, 16)
    const x0 = v128.load_splat<f32>(q)
    c00 = madd(x0, b0, c00)
    c01 = madd(x0, b1, c01)
    const x1 = v128.load_splat<f32>(q, 4)
    c10 = madd(x1, b0, c10)
    c11 = madd(x1, b1, c11)
    const x2 = v128.load_splat<f32>(q, 8)
    c20 = madd(x2, b0, c20)
    c21 = madd(x2, b1, c21)
    const x3 = v128.load_splat<f32>(q, 12)
    c30 = madd(x3, b0, c30)
    c31 = madd(x3, b1, c31)
  }
  const scale = f32x4.splat(alpha)
  finish(c, c00, c01, scale, beta)
  if (rows > 1) finish(c + cRow, c10, c11, scale, beta)
  if (rows > 2) finish(c + 2 * cRow, c20, c21, scale, beta)
  if (rows > 3) finish(c + 3 * cRow, c30, c31, scale, beta)
}

/**
 * C[i][0…7] ← A·B + β·C with both sides in order, where K is small and C comes from memory: its values are asked for
 * before the first product, not after the last one.
 */
@inline
export function addTile(K: i32, a: usize, b: usize, c: usize, cRow: usize, rows: i32, beta: f32): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  if (beta != 0) {
    const scale = f32x4.splat(beta)
    c00 = f32x4.mul(scale, v128.load(c))
    c01 = f32x4.mul(scale, v128.load(c, 16))
    if (rows > 1) {
      c10 = f32x4.mul(scale, v128.load(c + cRow))
      c11 = f32x4.mul(scale, v128.load(c + cRow, 16))
    }
    if (rows > 2) {
      c20 = f32x4.mul(scale, v128.load(c + 2 * cRow))
      c21 = f32x4.mul(scale, v128.load(c + 2 * cRow, 16))
    }
    if (rows > 3) {
      c30 = f32x4.mul(scale, v128.load(c + 3 * cRow))
      c31 = f32x4.mul(scale, v128.load(c + 3 * cRow, 16))
    }
  }
  let p = asSum(b)
  let q = asSum(a)
  for (const end = p + <usize>K * ROW; p != end; p += ROW, q += 16) {
    const b0 = v128.load(p)
    const b1 = v128.load(p, 16)
    const x0 = v128.load_splat<f32>(q)
    c00 = madd(x0, b0, c00)
    c01 = madd(x0, b1, c01)
    const x1 = v128.load_splat<f32>(q, 4)
    c10 = madd(x1, b0, c10)
    c11 = madd(x1, b1, c11)
    const x2 = v128.load_splat<f32>(q, 8)
    c20 = madd(x2, b0, c20)
    c21 = madd(x2, b1, c21)
    const x3 = v128.load_splat<f32>(q, 12)
    c30 = madd(x3, b0, c30)
    c31 = madd(x3, b1, c31)
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  if (rows > 1) {
    v128.store(c + cRow, c10)
    v128.store(c + cRow, c11, 16)
  }
  if (rows > 2) {
    v128.store(c + 2 * cRow, c20)
    v128.store(c + 2 * cRow, c21, 16)
  }
  if (rows > 3) {
    v128.store(c + 3 * cRow, c30)
    v128.store(c + 3 * cRow, c31, 16)
  }
}

/**
 * C[i][0…7] ← Σₖ A[k][i]·B[k][0…7] for four rows, where A has its four values and B its eight one after the other, and
 * so has C.
 */
@inline
export function rowsTile(K: i32, a: usize, b: usize, c: usize): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  let p = asSum(b)
  let q = asSum(a)
  for (const end = p + <usize>K * ROW; p != end; p += ROW, q += 16) {
    const b0 = v128.load(p)
    const b1 = v128.load(p, 16)
    const x0 = v128.load_splat<f32>(q)
    c00 = madd(x0, b0, c00)
    c01 = madd(x0, b1, c01)
    const x1 = v128.load_splat<f32>(q, 4)
    c10 = madd(x1, b0, c10)
    c11 = madd(x1, b1, c11)
    const x2 = v128.load_splat<f32>(q, 8)
    c20 = madd(x2, b0, c20)
    c21 = madd(x2, b1, c21)
    const x3 = v128.load_splat<f32>(q, 12)
    c30 = madd(x3, b0, c30)
    c31 = madd(x3, b1, c31)
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  v128.store(c, c10, 32)
  v128.store(c, c11, 48)
  v128.store(c, c20, 64)
  v128.store(c, c21, 80)
  v128.store(c, c30, 96)
  v128.store(c, c31, 112)
}

/** Values of A that stay in the L2 cache, which may be 512 KB and shared by two threads: a third of it. */
const PIECE: i32 = 49152

/** C[i][0…7] ← bias[i] + Σₖ A[i][k]·B[k][0…7]: the same with less to do at the end, which tells where K is small. */
@inline
function biasTile(
  K: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cRow: usize,
  rows: i32,
  bias: usize,
): void {
  let c00 = v128.load_splat<f32>(bias)
  let c10 = rows > 1 ? v128.load_splat<f32>(bias, 4) : c00
  let c20 = rows > 2 ? v128.load_splat<f32>(bias, 8) : c00
  let c30 = rows > 3 ? v128.load_splat<f32>(bias, 12) : c00
  let c01 = c00
  let c11 = c10
  let c21 = c20
  let c31 = c30
  let a0 = asSum(a)
  let a1 = a0 + (rows > 1 ? aRow : 0)
  let a2 = a1 + (rows > 2 ? aRow : 0)
  let a3 = a2 + (rows > 3 ? aRow : 0)
  let p = asSum(b)
  for (const end = p + <usize>K * bStep; p != end; ) {
    const b0 = v128.load(p)
    const b1 = v128.load(p, 16)
    p += bStep
    const x0 = v128.load_splat<f32>(a0)
    a0 += aStep
    c00 = madd(x0, b0, c00)
    c01 = madd(x0, b1, c01)
    const x1 = v128.load_splat<f32>(a1)
    a1 += aStep
    c10 = madd(x1, b0, c10)
    c11 = madd(x1, b1, c11)
    const x2 = v128.load_splat<f32>(a2)
    a2 += aStep
    c20 = madd(x2, b0, c20)
    c21 = madd(x2, b1, c21)
    const x3 = v128.load_splat<f32>(a3)
    a3 += aStep
    c30 = madd(x3, b0, c30)
    c31 = madd(x3, b1, c31)
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  if (rows > 1) {
    v128.store(c + cRow, c10)
    v128.store(c + cRow, c11, 16)
  }
  if (rows > 2) {
    v128.store(c + 2 * cRow, c20)
    v128.store(c + 2 * cRow, c21, 16)
  }
  if (rows > 3) {
    v128.store(c + 3 * cRow, c30)
    v128.store(c + 3 * cRow, c31, 16)
  }
}

/** The first `columns` of a tile that was put at `edge`: C ← tile + β·C. */
export function copyEdge(rows: i32, columns: i32, edge: usize, beta: f32, c: usize, cRow: usize): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const p = c + bytes(j)
      const value = load<f32>(edge + bytes(j))
      store<f32>(p, beta == 0 ? value : value + beta * load<f32>(p))
    }
    c += cRow
    edge += ROW
  }
}

/**
 * C (M, N) ← α·A·B + β·C with B packed in panels of 8 columns, K rows each; where `bias` is not 0, C ← A·B + bias.
 * A is cut so that a piece of it stays in the L2 cache.
 */
export function panels(
  M: i32,
  N: i32,
  K: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  c: usize,
  cRow: usize,
  alpha: f32,
  beta: f32,
  bias: usize,
  edge: usize,
): void {
  const piece = larger(MR, (PIECE / larger(1, K)) & ~3)
  for (let i0 = 0; i0 < M; i0 += piece) {
    const i1 = smaller(i0 + piece, M)
    for (let j = 0; j < N; j += NR) {
      const panel = b + bytes(j * K)
      const whole = j + NR <= N
      for (let i = i0; i < i1; i += MR) {
        const rows = smaller(MR, i1 - i)
        const ai = a + <usize>i * aRow
        const ci = c + <usize>i * cRow + bytes(j)
        const to = whole ? ci : edge
        const toRow = whole ? cRow : ROW
        if (bias) biasTile(K, ai, aRow, aStep, panel, ROW, to, toRow, rows, bias + bytes(i))
        else tileInLoop(K, ai, aRow, aStep, panel, ROW, to, toRow, rows, alpha, whole ? beta : 0)
        if (!whole) copyEdge(rows, N - j, edge, bias ? 0 : beta, ci, cRow)
      }
    }
  }
}
