/**
 * Products in which one side is so short that packing the other would cost as much as multiplying: fully connected
 * layers of a few items. The long matrix passes through the cache once, in order.
 */
import { smaller, bytes, ceilDiv, larger, madd, sumLanes } from './vector'
import { job, needWorkspace, run } from './threads'
import { addTile, copyEdge, MR, NR, packedTile, ROW, TILE } from './micro_tile'
import { packRows } from './pack'

/** Most rows, by measurement, for rows added to C, and most steps of k. */
export const FEW_ROWS: i32 = 8
export const FEW_STEPS: i32 = 12
/** Products summed in float32 lanes before they are added to C: what A has of them stays in the L1 cache. */
const RUN: i32 = 1024
const SHORT_RUN: i32 = 512
/** Values of a B that comes from memory: three passes over each of its pieces then cost more than packing it. */
const HUGE: f64 = 16777216

/** Whether dot products are fastest, by measurement. */
export function hasFewDots(M: i32, N: i32, K: i32): bool {
  return M <= 4 || (M <= 12 && <f64>N * <f64>K < HUGE)
}
/** Columns of C that stay in the L1 cache with four rows of B. */
const WIDTH: i32 = 384
/** Columns of B that are put in order where k is short: long pieces of C's rows, which come from memory. */
const STEPS_WIDTH: i32 = 1536
/**
 * Most rows of C for which B is put in order some rows at a time, by how many, and columns: its rows may lie 4 KiB
 * apart, in which case every one begins a page and long pieces of few are read faster. And chunks that there should be.
 */
const SOME_ROWS: i32 = 32
const SOME_STEPS: i32 = 64
const SOME_WIDTH: i32 = 768
const SOME_CHUNKS: f64 = 8
/** Operations worth a chunk of their own. */
const CHUNK_WORK: f64 = 8e5
const MOST_CHUNKS: i32 = 64

@unmanaged
class FewJob {
  M: i32
  N: i32
  K: i32
  block: i32
  a: usize
  aRow: usize
  aStep: usize
  b: usize
  c: usize
  alpha: f32
  beta: f32
}

/** Columns (or rows) of a chunk. */
function describe(M: i32, N: i32, K: i32, alpha: f32, a: usize, aRow: usize, aStep: usize, b: usize, beta: f32, c: usize): FewJob {
  const f = changetype<FewJob>(job)
  f.M = M
  f.N = N
  f.K = K
  f.alpha = alpha
  f.a = a
  f.aRow = aRow
  f.aStep = aStep
  f.b = b
  f.beta = beta
  f.c = c
  return f
}

@inline
function blockOf(n: i32, M: i32, N: i32, K: i32, unit: i32, most: i32): i32 {
  const parts = <i32>Math.min(<f64>MOST_CHUNKS, 1 + (2 * <f64>M * <f64>N * <f64>K) / CHUNK_WORK)
  return smaller(most, ceilDiv(ceilDiv(n, larger(1, parts)), unit) * unit)
}

// ---- C ← α·A·Bᵀ + β·C with few rows of A: sums of products along rows of both
// -----------------------------------------------

export function fewDots(M: i32, N: i32, K: i32, alpha: f32, a: usize, b: usize, beta: f32, c: usize): void {
  const f = describe(M, N, K, alpha, a, bytes(K), 4, b, beta, c)
  f.block = blockOf(N, M, N, K, 2, N + 1)
  run(dotsChunk, ceilDiv(N, f.block))
}

function dotsChunk(chunk: i32, _workspace: usize): void {
  const f = changetype<FewJob>(job)
  const last = smaller(f.N, (chunk + 1) * f.block)
  const row = bytes(f.K)
  const run = f.M <= 4 ? RUN : SHORT_RUN
  for (let k = 0; k < f.K; k += run) {
    const count = smaller(run, f.K - k)
    const beta: f32 = k == 0 ? f.beta : 1
    for (let j = chunk * f.block; j < last; j += 2) {
      const b0 = f.b + <usize>j * row + bytes(k)
      const b1 = j + 1 < last ? b0 + row : b0
      for (let i = 0; i < f.M; i += 4) {
        const a = f.a + <usize>i * row + bytes(k)
        dots(count, a, row, smaller(4, f.M - i), b0, b1, f.alpha, beta, f.c + bytes(i * f.N + j), bytes(f.N), j + 1 < last)
      }
    }
  }
}

/** C (rows, 2) ← α·A·Bᵀ + β·C; rows that do not exist repeat the last one. */
function dots(K: i32, a: usize, aRow: usize, rows: i32, b0: usize, b1: usize, alpha: f32, beta: f32, c: usize, cRow: usize, both: bool): void {
  const a0 = a
  const a1 = rows > 1 ? a0 + aRow : a0
  const a2 = rows > 2 ? a1 + aRow : a1
  const a3 = rows > 3 ? a2 + aRow : a2
  let s00 = f32x4.splat(0)
  let s01 = s00
  let s10 = s00
  let s11 = s00
  let s20 = s00
  let s21 = s00
  let s30 = s00
  let s31 = s00
  let k: usize = 0
  for (const end = bytes(K & ~3); k < end; k += 16) {
    const x = v128.load(b0 + k)
    const y = v128.load(b1 + k)
    const u0 = v128.load(a0 + k)
    s00 = madd(u0, x, s00)
    s01 = madd(u0, y, s01)
    const u1 = v128.load(a1 + k)
    s10 = madd(u1, x, s10)
    s11 = madd(u1, y, s11)
    const u2 = v128.load(a2 + k)
    s20 = madd(u2, x, s20)
    s21 = madd(u2, y, s21)
    const u3 = v128.load(a3 + k)
    s30 = madd(u3, x, s30)
    s31 = madd(u3, y, s31)
  }
  if (K & 3) {
    // lanes past the end do not count
    const mask = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(K & 3))
    const x = v128.and(v128.load(b0 + k), mask)
    const y = v128.and(v128.load(b1 + k), mask)
    const u0 = v128.and(v128.load(a0 + k), mask)
    const u1 = v128.and(v128.load(a1 + k), mask)
    const u2 = v128.and(v128.load(a2 + k), mask)
    const u3 = v128.and(v128.load(a3 + k), mask)
    s00 = madd(u0, x, s00)
    s01 = madd(u0, y, s01)
    s10 = madd(u1, x, s10)
    s11 = madd(u1, y, s11)
    s20 = madd(u2, x, s20)
    s21 = madd(u2, y, s21)
    s30 = madd(u3, x, s30)
    s31 = madd(u3, y, s31)
  }
  putPair(c, s00, s01, alpha, beta, both)
  if (rows > 1) putPair(c + cRow, s10, s11, alpha, beta, both)
  if (rows > 2) putPair(c + 2 * cRow, s20, s21, alpha, beta, both)
  if (rows > 3) putPair(c + 3 * cRow, s30, s31, alpha, beta, both)
}

@inline
function putPair(c: usize, x: v128, y: v128, alpha: f32, beta: f32, both: bool): void {
  const u = alpha * sumLanes(x)
  store<f32>(c, beta == 0 ? u : u + beta * load<f32>(c))
  if (!both) return
  const v = alpha * sumLanes(y)
  store<f32>(c, beta == 0 ? v : v + beta * load<f32>(c, 4), 4)
}

// ---- C ← α·op(A)·B + β·C with few rows of C: four rows of B at a time, added to two rows of C
// -------------------------------

export function fewRows(M: i32, N: i32, K: i32, alpha: f32, a: usize, aRow: usize, aStep: usize, b: usize, beta: f32, c: usize): void {
  const f = describe(M, N, K, alpha, a, aRow, aStep, b, beta, c)
  f.block = blockOf(N, M, N, K, 16, WIDTH)
  run(rowsChunk, ceilDiv(N, f.block))
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const f = changetype<FewJob>(job)
  const j = chunk * f.block
  const n = smaller(f.block, f.N - j)
  const row = bytes(f.N)
  for (let i = 0; i < f.M; i++) scaleRow(n, f.beta, f.c + <usize>i * row + bytes(j))
  for (let k = 0; k < f.K; k += 4) {
    const steps = smaller(4, f.K - k)
    const b = f.b + <usize>k * row + bytes(j)
    for (let i = 0; i < f.M; i += 2) {
      const a = f.a + <usize>i * f.aRow + <usize>k * f.aStep
      const c = f.c + <usize>i * row + bytes(j)
      // a last odd row is added to twice in the same place, the second time 0
      const both = i + 1 < f.M
      addRows(steps, n, a, both ? a + f.aRow : 0, f.aStep, f.alpha, b, row, c, both ? c + row : c)
    }
  }
}

function scaleRow(n: i32, beta: f32, c: usize): void {
  if (beta == 1) return
  if (beta == 0) {
    memory.fill(c, 0, bytes(n))
    return
  }
  for (const end = c + bytes(n); c < end; c += 4) store<f32>(c, beta * load<f32>(c))
}

@inline
function coefficient(a: usize, exists: bool, alpha: f32): v128 {
  return f32x4.splat(exists ? alpha * load<f32>(a) : 0)
}

/** c[0…n) += Σ α·a[k]·b[k][0…n) over up to four k, and the same for d with e in place of a, unless e is 0. */
function addRows(steps: i32, n: i32, a: usize, e: usize, aStep: usize, alpha: f32, b: usize, row: usize, c: usize, d: usize): void {
  const x0 = coefficient(a, true, alpha)
  const x1 = coefficient(a + aStep, steps > 1, alpha)
  const x2 = coefficient(a + 2 * aStep, steps > 2, alpha)
  const x3 = coefficient(a + 3 * aStep, steps > 3, alpha)
  const z0 = coefficient(e, e != 0, alpha)
  const z1 = coefficient(e + aStep, e != 0 && steps > 1, alpha)
  const z2 = coefficient(e + 2 * aStep, e != 0 && steps > 2, alpha)
  const z3 = coefficient(e + 3 * aStep, e != 0 && steps > 3, alpha)
  // rows that do not exist repeat the first one, times 0
  let p0 = b
  let p1 = steps > 1 ? b + row : b
  let p2 = steps > 2 ? b + 2 * row : b
  let p3 = steps > 3 ? b + 3 * row : b
  let left = n
  for (; left >= 4; left -= 4, p0 += 16, p1 += 16, p2 += 16, p3 += 16, c += 16, d += 16) {
    const b0 = v128.load(p0)
    const b1 = v128.load(p1)
    const b2 = v128.load(p2)
    const b3 = v128.load(p3)
    if (e) v128.store(d, madd(z3, b3, madd(z2, b2, madd(z1, b1, madd(z0, b0, v128.load(d))))))
    v128.store(c, madd(x3, b3, madd(x2, b2, madd(x1, b1, madd(x0, b0, v128.load(c))))))
  }
  for (; left > 0; left--, p0 += 4, p1 += 4, p2 += 4, p3 += 4, c += 4, d += 4) {
    const b0 = v128.load_splat<f32>(p0)
    const b1 = v128.load_splat<f32>(p1)
    const b2 = v128.load_splat<f32>(p2)
    const b3 = v128.load_splat<f32>(p3)
    if (e) v128.store_lane<f32>(d, madd(z3, b3, madd(z2, b2, madd(z1, b1, madd(z0, b0, v128.load_splat<f32>(d))))), 0)
    v128.store_lane<f32>(c, madd(x3, b3, madd(x2, b2, madd(x1, b1, madd(x0, b0, v128.load_splat<f32>(c))))), 0)
  }
}

// ---- C ← α·op(A)·B + β·C with some rows of C: B passes once, in long pieces of some rows that are put in order
// -------------------------------

/** Whether there are too many rows to be added one by one, and few enough for C to stay in the cache. */
@inline
export function hasSomeRows(M: i32, N: i32, K: i32): bool {
  return M <= SOME_ROWS && N >= NR && K >= SOME_STEPS
}

export function someRows(M: i32, N: i32, K: i32, alpha: f32, a: usize, aRow: usize, aStep: usize, b: usize, beta: f32, c: usize): void {
  const f = describe(M, N, K, alpha, a, aRow, aStep, b, beta, c)
  const parts = <i32>Math.min(SOME_CHUNKS, 1 + (2 * <f64>M * <f64>N * <f64>K) / CHUNK_WORK)
  f.block = smaller(SOME_WIDTH, ceilDiv(ceilDiv(N, parts), 16) * 16)
  needWorkspace(TILE + bytes(SOME_STEPS * ceilDiv(M, MR) * MR) + bytes(SOME_STEPS * (f.block + NR)))
  run(someRowsChunk, ceilDiv(N, f.block))
}

function someRowsChunk(chunk: i32, edge: usize): void {
  const f = changetype<FewJob>(job)
  const j0 = chunk * f.block
  const n = smaller(f.block, f.N - j0)
  const row = bytes(f.N)
  const rowsOfA = edge + TILE
  const packed = rowsOfA + bytes(SOME_STEPS * ceilDiv(f.M, MR) * MR)
  for (let k = 0; k < f.K; k += SOME_STEPS) {
    const steps = smaller(SOME_STEPS, f.K - k)
    const beta: f32 = k == 0 ? f.beta : 1
    packRows(steps, n, f.b + <usize>k * row + bytes(j0), row, packed)
    for (let i = 0; i < f.M; i += MR)
      gatherFour(steps, f.M - i, f.a + <usize>i * f.aRow + <usize>k * f.aStep, f.aRow, f.aStep, rowsOfA + bytes(i * steps))
    for (let j = 0; j < n; j += NR) {
      const panel = packed + bytes(j * steps)
      const whole = j + NR <= n
      for (let i = 0; i < f.M; i += MR) {
        const rows = smaller(MR, f.M - i)
        const c = f.c + <usize>i * row + bytes(j0 + j)
        packedTile(steps, rowsOfA + bytes(i * steps), panel, whole ? c : edge, whole ? row : ROW, rows, f.alpha, whole ? beta : 0)
        if (!whole) copyEdge(rows, n - j, edge, beta, c, row)
      }
    }
  }
}

// ---- C ← op(A)·B + β·C with few values of k: C passes row by row
// ----------------------------------------------------------

export function fewSteps(M: i32, N: i32, K: i32, a: usize, aRow: usize, aStep: usize, b: usize, beta: f32, c: usize): void {
  const f = describe(M, N, K, 1, a, aRow, aStep, b, beta, c)
  f.block = blockOf(M, M, N, K, MR, M + MR)
  needWorkspace(TILE + bytes(K * MR) + bytes(K) * <usize>STEPS_WIDTH)
  run(stepsChunk, ceilDiv(M, f.block))
}

function stepsChunk(chunk: i32, edge: usize): void {
  const f = changetype<FewJob>(job)
  const first = chunk * f.block
  const last = smaller(f.M, first + f.block)
  const row = bytes(f.N)
  const rows4 = edge + TILE
  const packed = rows4 + bytes(f.K * MR)
  for (let j0 = 0; j0 < f.N; j0 += STEPS_WIDTH) {
    const n = smaller(STEPS_WIDTH, f.N - j0)
    packRows(f.K, n, f.b + bytes(j0), row, packed)
    for (let i = first; i < last; i += MR) {
      const rows = smaller(MR, last - i)
      gatherFour(f.K, rows, f.a + <usize>i * f.aRow, f.aRow, f.aStep, rows4)
      const c = f.c + <usize>i * row + bytes(j0)
      for (let j = 0; j < n; j += NR) {
        const panel = packed + bytes(j * f.K)
        if (j + NR <= n) addTile(f.K, rows4, panel, c + bytes(j), row, rows, f.beta)
        else {
          addTile(f.K, rows4, panel, edge, ROW, rows, 0)
          copyEdge(rows, n - j, edge, f.beta, c + bytes(j), row)
        }
      }
    }
  }
}

/** For each k the values of up to four rows of A side by side; those that do not exist repeat the last one. */
function gatherFour(K: i32, rows: i32, a: usize, aRow: usize, aStep: usize, to: usize): void {
  const a1 = rows > 1 ? aRow : 0
  const a2 = rows > 2 ? a1 + aRow : a1
  const a3 = rows > 3 ? a2 + aRow : a2
  for (let k = 0; k < K; k++, a += aStep, to += 16) {
    store<f32>(to, load<f32>(a))
    store<f32>(to, load<f32>(a + a1), 4)
    store<f32>(to, load<f32>(a + a2), 8)
    store<f32>(to, load<f32>(a + a3), 12)
  }
}
