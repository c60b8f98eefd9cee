/** Several inputs of n values combined into one output. */
import { finished, slopes } from './after'
import { CHUNK_VALUES, chunksOf } from './elementwise'
import { job, run } from './threads'
import { bytes, madd, put, select, smaller } from './vector'

/** Most inputs that the job has room for. */
export const MOST_INPUTS: i32 = 64

/** The inputs' addresses and coefficients follow the job, 8 bytes each. */
@unmanaged
class Eltwise {
  n: i32
  count: i32
  y: usize
  mask: usize
  skipped: i32
}
const INPUTS: usize = 64

@inline
function input(k: i32): usize {
  return load<usize>(job + INPUTS + ((<usize>k) << 3))
}
@inline
function coefficient(k: i32): v128 {
  return v128.load_splat<f32>(job + INPUTS + ((<usize>k) << 3), 4)
}

/** Names input k of the next call. */
export function eltwiseInput(k: i32, x: usize, coefficient: f32): void {
  store<usize>(job + INPUTS + ((<usize>k) << 3), x)
  store<f32>(job + INPUTS + ((<usize>k) << 3), coefficient, 4)
}

@inline
function describe(n: i32, count: i32, y: usize, mask: usize, skipped: i32): i32 {
  const e = changetype<Eltwise>(job)
  e.n = n
  e.count = count
  e.y = y
  e.mask = mask
  e.skipped = skipped
  return chunksOf(n)
}

export function eltwiseSum(n: i32, count: i32, y: usize): void {
  run(sumChunk, describe(n, count, y, 0, -1))
}

function sumChunk(chunk: i32, _workspace: usize): void {
  const e = changetype<Eltwise>(job)
  const last = smaller(e.n, (chunk + 1) * CHUNK_VALUES)
  const slope = slopes()
  if (e.count == 2) {
    const a = coefficient(0)
    const b = coefficient(1)
    const first = input(0)
    const second = input(1)
    const y = e.y
    for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
      const sum = madd(b, v128.load(second + bytes(i)), f32x4.mul(a, v128.load(first + bytes(i))))
      put(y + bytes(i), finished(sum, slope), last - i)
    }
    return
  }
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    let sum = f32x4.splat(0)
    for (let k = 0; k < e.count; k++) sum = madd(coefficient(k), v128.load(input(k) + bytes(i)), sum)
    put(e.y + bytes(i), finished(sum, slope), last - i)
  }
}

export function eltwiseProduct(n: i32, count: i32, y: usize): void {
  run(productChunk, describe(n, count, y, 0, -1))
}

export function eltwiseProductGradient(n: i32, count: i32, skipped: i32, dy: usize, dx: usize): void {
  run(productChunk, describe(n, count, dx, dy, skipped))
}

function productChunk(chunk: i32, _workspace: usize): void {
  const e = changetype<Eltwise>(job)
  const last = smaller(e.n, (chunk + 1) * CHUNK_VALUES)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    let product = e.mask ? v128.load(e.mask + bytes(i)) : f32x4.splat(1)
    for (let k = 0; k < e.count; k++) if (k != e.skipped) product = f32x4.mul(product, v128.load(input(k) + bytes(i)))
    put(e.y + bytes(i), product, last - i)
  }
}

export function eltwiseMax(n: i32, count: i32, y: usize, mask: usize): void {
  run(maxChunk, describe(n, count, y, mask, -1))
}

function maxChunk(chunk: i32, _workspace: usize): void {
  const e = changetype<Eltwise>(job)
  const last = smaller(e.n, (chunk + 1) * CHUNK_VALUES)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    let best = v128.load(input(0) + bytes(i))
    let from = f32x4.splat(0)
    for (let k = 1; k < e.count; k++) {
      const v = v128.load(input(k) + bytes(i))
      // Caffe compares the first pair with >, all later ones the other way round
      const wins = k == 1 ? v128.not(f32x4.gt(best, v)) : f32x4.gt(v, best)
      best = select(v, best, wins)
      from = select(f32x4.splat(<f32>k), from, wins)
    }
    put(e.y + bytes(i), best, last - i)
    put(e.mask + bytes(i), from, last - i)
  }
}

export function eltwiseMaxGradient(n: i32, index: i32, mask: usize, dy: usize, dx: usize): void {
  eltwiseInput(0, dy, 0)
  run(maxGradientChunk, describe(n, 1, dx, mask, index))
}

function maxGradientChunk(chunk: i32, _workspace: usize): void {
  const e = changetype<Eltwise>(job)
  const last = smaller(e.n, (chunk + 1) * CHUNK_VALUES)
  const index = f32x4.splat(<f32>e.skipped)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    const mine = f32x4.eq(v128.load(e.mask + bytes(i)), index)
    put(e.y + bytes(i), v128.and(v128.load(input(0) + bytes(i)), mine), last - i)
  }
}
