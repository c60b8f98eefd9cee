/** The contrastive loss: chunks are pairs. */
import { CHUNK_VALUES } from './elementwise'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, fillValues, high, larger, low, put, smaller } from './vector'

@unmanaged
class Pairs {
  batch: i32
  size: i32
  margin: f32
  legacy: bool
  /** Pairs a chunk. */
  block: i32
  alpha: f32
  a: usize
  b: usize
  similar: usize
  difference: usize
  distance: usize
  /** Sums of the chunks, or the gradient. */
  out: usize
}

@inline
function described(): Pairs {
  return changetype<Pairs>(job)
}

function describe(batch: i32, size: i32, margin: f32, legacy: bool, similar: usize, difference: usize, distance: usize): i32 {
  const s = described()
  s.batch = batch
  s.size = size
  s.margin = margin
  s.legacy = legacy
  s.similar = similar
  s.difference = difference
  s.distance = distance
  s.block = larger(1, CHUNK_VALUES / larger(1, size))
  return ceilDiv(batch, s.block)
}

export function contrastiveLoss(
  batch: i32,
  size: i32,
  margin: f32,
  legacy: bool,
  a: usize,
  b: usize,
  similar: usize,
  difference: usize,
  distance: usize,
  loss: usize,
): void {
  const chunks = describe(batch, size, margin, legacy, similar, difference, distance)
  const s = described()
  s.a = a
  s.b = b
  s.out = sharedWorkspace(<usize>larger(1, chunks) << 3)
  run(lossChunk, chunks)
  let sum: f64 = 0
  for (let i = 0; i < chunks; i++) sum += load<f64>(s.out + ((<usize>i) << 3))
  store<f32>(loss, <f32>(sum / (2 * <f64>batch)))
}

function lossChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.batch, (chunk + 1) * s.block)
  let sum: f64 = 0
  for (let n = chunk * s.block; n < last; n++) {
    const at = <usize>n * bytes(s.size)
    let even = f64x2.splat(0)
    let odd = even
    for (let i = 0; i < s.size; i += 4) {
      const d = f32x4.sub(v128.load(s.a + at + bytes(i)), v128.load(s.b + at + bytes(i)))
      put(s.difference + at + bytes(i), d, s.size - i)
      const mine = v128.and(d, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(s.size - i)))
      const first = low(mine)
      const second = high(mine)
      even = f64x2.add(even, f64x2.mul(first, first))
      odd = f64x2.add(odd, f64x2.mul(second, second))
    }
    even = f64x2.add(even, odd)
    const squares = f64x2.extract_lane(even, 0) + f64x2.extract_lane(even, 1)
    store<f32>(s.distance + bytes(n), <f32>squares)
    sum += lossOf(s, n, squares)
  }
  store<f64>(s.out + ((<usize>chunk) << 3), sum)
}

@inline
function lossOf(s: Pairs, n: i32, squares: f64): f64 {
  if (Mathf.trunc(load<f32>(s.similar + bytes(n))) != 0) return squares
  if (s.legacy) return Math.max(0, <f64>s.margin - squares)
  const inside = Math.max(0, <f64>s.margin - Math.sqrt(squares))
  return inside * inside
}

export function contrastiveLossGradient(
  batch: i32,
  size: i32,
  margin: f32,
  legacy: bool,
  alpha: f64,
  difference: usize,
  distance: usize,
  similar: usize,
  dx: usize,
): void {
  const chunks = describe(batch, size, margin, legacy, similar, difference, distance)
  const s = described()
  s.alpha = <f32>(alpha / <f64>batch)
  s.out = dx
  run(gradientChunk, chunks)
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = described()
  const last = smaller(s.batch, (chunk + 1) * s.block)
  for (let n = chunk * s.block; n < last; n++) {
    const at = <usize>n * bytes(s.size)
    const factor = factorOf(s, n)
    if (factor == 0) {
      fillValues(s.out + at, s.size, 0)
      continue
    }
    const factors = f32x4.splat(factor)
    for (let i = 0; i < s.size; i += 4)
      put(s.out + at + bytes(i), f32x4.mul(factors, v128.load(s.difference + at + bytes(i))), s.size - i)
  }
}

/** What a pair's difference is multiplied with: the small addend keeps pairs that coincide from dividing by zero. */
function factorOf(s: Pairs, n: i32): f32 {
  if (Mathf.trunc(load<f32>(s.similar + bytes(n))) != 0) return s.alpha
  const distance = <f64>load<f32>(s.distance + bytes(n))
  const length = Math.sqrt(distance)
  const inside = <f64>s.margin - (s.legacy ? distance : length)
  return inside > 0 ? -<f32>(<f64>s.alpha * (s.legacy ? 1 : inside / (length + 1e-4))) : 0
}
