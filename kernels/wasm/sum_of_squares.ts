import { CHUNK_VALUES, chunksOf, describe, described } from './elementwise'
import { run, sharedWorkspace } from './threads'
import { bytes, smaller } from './vector'

/** Each chunk is summed in double, the chunks in their order. */
export function sumOfSquares(n: i32, x: usize, sum: usize): void {
  const chunks = chunksOf(n)
  const partial = sharedWorkspace(<usize>chunks << 3)
  describe(n, x, partial)
  run(squaresChunk, chunks)
  store<f32>(sum, <f32>total(partial, chunks))
}

export function total(partial: usize, chunks: i32): f64 {
  let sum: f64 = 0
  for (let i = 0; i < chunks; i++) sum += load<f64>(partial + ((<usize>i) << 3))
  return sum
}

function squaresChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const n = smaller(CHUNK_VALUES, e.n - chunk * CHUNK_VALUES)
  store<f64>(e.y + ((<usize>chunk) << 3), squares(n, e.x + bytes(chunk * CHUNK_VALUES)))
}

/** Σ x² in double, always in the same order. */
export function squares(n: i32, x: usize): f64 {
  let low = f64x2.splat(0)
  let high = low
  const end = x + bytes(n & ~3)
  for (; x < end; x += 16) {
    const v = v128.load(x)
    const a = f64x2.promote_low_f32x4(v)
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3))
    low = f64x2.add(low, f64x2.mul(a, a))
    high = f64x2.add(high, f64x2.mul(b, b))
  }
  const both = f64x2.add(low, high)
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
  for (let i = 0; i < (n & 3); i++) {
    const v = <f64>load<f32>(x + bytes(i))
    sum += v * v
  }
  return sum
}
