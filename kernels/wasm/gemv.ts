/** Matrix times vector: bound by how fast the matrix can be read, so it is read once and in order. */
import { job, run } from './threads'
import { bytes, ceilDiv, madd, smaller, storeLanes, sumLanes } from './vector'

/** Matrix values worth a chunk of their own. */
const CHUNK_VALUES: i32 = 32768
const MOST_CHUNKS: i32 = 64
/**
 * A float32 sum runs over no more products than this before it is added to a larger one: errors stay small however long
 * the vector.
 */
const RUN: i32 = 2048

@unmanaged
class GemvJob {
  n: i32
  K: i32
  block: i32
  matrix: usize
  vector: usize
  y: usize
  alpha: f32
  beta: f32
}

@inline
function describe(n: i32, K: i32, alpha: f32, matrix: usize, vector: usize, beta: f32, y: usize, unit: i32): GemvJob {
  const g = changetype<GemvJob>(job)
  const parts = smaller(MOST_CHUNKS, 1 + <i32>((<i64>n * <i64>K) / CHUNK_VALUES))
  g.n = n
  g.K = K
  g.block = ceilDiv(ceilDiv(n, parts), unit) * unit
  g.matrix = matrix
  g.vector = vector
  g.y = y
  g.alpha = alpha
  g.beta = beta
  return g
}

@inline
function put(y: usize, value: f32, beta: f32): void {
  store<f32>(y, beta == 0 ? value : value + beta * load<f32>(y))
}

/** y[i] ← α·Σₖ matrix[i][k]·vector[k] + β·y[i].  matrix: (n, K). */
export function gemvRows(n: i32, K: i32, alpha: f32, matrix: usize, vector: usize, beta: f32, y: usize): void {
  const g = describe(n, K, alpha, matrix, vector, beta, y, 4)
  run(rowsChunk, ceilDiv(n, g.block))
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<GemvJob>(job)
  const row = bytes(g.K)
  const last = smaller(g.n, (chunk + 1) * g.block)
  for (let i = chunk * g.block; i < last; i += 4) {
    // rows past the end repeat the last one
    const r0 = g.matrix + <usize>i * row
    const r1 = i + 1 < last ? r0 + row : r0
    const r2 = i + 2 < last ? r1 + row : r1
    const r3 = i + 3 < last ? r2 + row : r2
    let y0: f64 = 0
    let y1: f64 = 0
    let y2: f64 = 0
    let y3: f64 = 0
    const whole = bytes(g.K & ~7)
    let k: usize = 0
    while (k < whole) {
      let s0 = f32x4.splat(0)
      let s1 = s0
      let s2 = s0
      let s3 = s0
      let t0 = s0
      let t1 = s0
      let t2 = s0
      let t3 = s0
      const end = min(whole, k + bytes(RUN))
      for (; k < end; k += 32) {
        const x = v128.load(g.vector + k)
        const z = v128.load(g.vector + k, 16)
        s0 = madd(v128.load(r0 + k), x, s0)
        t0 = madd(v128.load(r0 + k, 16), z, t0)
        s1 = madd(v128.load(r1 + k), x, s1)
        t1 = madd(v128.load(r1 + k, 16), z, t1)
        s2 = madd(v128.load(r2 + k), x, s2)
        t2 = madd(v128.load(r2 + k, 16), z, t2)
        s3 = madd(v128.load(r3 + k), x, s3)
        t3 = madd(v128.load(r3 + k, 16), z, t3)
      }
      y0 += <f64>sumLanes(f32x4.add(s0, t0))
      y1 += <f64>sumLanes(f32x4.add(s1, t1))
      y2 += <f64>sumLanes(f32x4.add(s2, t2))
      y3 += <f64>sumLanes(f32x4.add(s3, t3))
    }
    for (; k < row; k += 4) {
      const x = <f64>load<f32>(g.vector + k)
      y0 += <f64>load<f32>(r0 + k) * x
      y1 += <f64>load<f32>(r1 + k) * x
      y2 += <f64>load<f32>(r2 + k) * x
      y3 += <f64>load<f32>(r3 + k) * x
    }
    const y = g.y + bytes(i)
    put(y, g.alpha * <f32>y0, g.beta)
    if (i + 1 < last) put(y + 4, g.alpha * <f32>y1, g.beta)
    if (i + 2 < last) put(y + 8, g.alpha * <f32>y2, g.beta)
    if (i + 3 < last) put(y + 12, g.alpha * <f32>y3, g.beta)
  }
}

/** y[j] ← α·Σₖ vector[k]·matrix[k][j] + β·y[j].  matrix: (K, n). */
export function gemvColumns(n: i32, K: i32, alpha: f32, matrix: usize, vector: usize, beta: f32, y: usize): void {
  const g = describe(n, K, alpha, matrix, vector, beta, y, 32)
  run(columnsChunk, ceilDiv(n, g.block))
}

function columnsChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<GemvJob>(job)
  const first = chunk * g.block
  const last = smaller(g.n, first + g.block)
  let k = 0
  while (k < g.K) {
    const steps = smaller(RUN / 4, g.K - k)
    columns(first, last, k, steps, k == 0 ? g.beta : 1)
    k += steps
  }
}

/** y[j] ← α·Σₖ vector[k]·matrix[k][j] + β·y[j] for first ≤ j < last, k0 ≤ k < k0 + steps. */
function columns(first: i32, last: i32, k0: i32, steps: i32, beta: f32): void {
  const g = changetype<GemvJob>(job)
  const row = bytes(g.n)
  const alpha = f32x4.splat(g.alpha)
  const matrix = g.matrix + <usize>k0 * row
  const vector = g.vector + bytes(k0)
  let j = first
  for (; j + 32 <= last; j += 32) {
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let s4 = s0
    let s5 = s0
    let s6 = s0
    let s7 = s0
    let p = matrix + bytes(j)
    let x = vector
    for (let k = steps; k > 0; k--) {
      const v = v128.load_splat<f32>(x)
      s0 = madd(v, v128.load(p), s0)
      s1 = madd(v, v128.load(p, 16), s1)
      s2 = madd(v, v128.load(p, 32), s2)
      s3 = madd(v, v128.load(p, 48), s3)
      s4 = madd(v, v128.load(p, 64), s4)
      s5 = madd(v, v128.load(p, 80), s5)
      s6 = madd(v, v128.load(p, 96), s6)
      s7 = madd(v, v128.load(p, 112), s7)
      p += row
      x += 4
    }
    const y = g.y + bytes(j)
    putVector(y, s0, alpha, beta, 4)
    putVector(y + 16, s1, alpha, beta, 4)
    putVector(y + 32, s2, alpha, beta, 4)
    putVector(y + 48, s3, alpha, beta, 4)
    putVector(y + 64, s4, alpha, beta, 4)
    putVector(y + 80, s5, alpha, beta, 4)
    putVector(y + 96, s6, alpha, beta, 4)
    putVector(y + 112, s7, alpha, beta, 4)
  }
  for (; j < last; j += 4) {
    let s = f32x4.splat(0)
    let p = matrix + bytes(j)
    let x = vector
    for (let k = steps; k > 0; k--) {
      s = madd(v128.load_splat<f32>(x), v128.load(p), s)
      p += row
      x += 4
    }
    putVector(g.y + bytes(j), s, alpha, beta, last - j)
  }
}

/** The first `count` lanes, all of them from 4 on. */
@inline
function putVector(y: usize, sum: v128, alpha: v128, beta: f32, count: i32): void {
  sum = f32x4.mul(sum, alpha)
  if (beta != 0) sum = madd(f32x4.splat(beta), v128.load(y), sum)
  if (count >= 4) v128.store(y, sum)
  else storeLanes(y, sum, count)
}
