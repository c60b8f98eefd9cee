/** Random masks: Philox 4x32-10, four counters at a time, one in each lane. */
import { CHUNK, chunksOf } from './elementwise'
import { job, run } from './threads'
import { bytes, smaller, storeLanes } from './vector'

@unmanaged
class DropoutJob {
  n: i32
  threshold: u32
  kept: f32
  k0: i32
  k1: i32
  c1: i32
  c2: i32
  c3: i32
  mask: usize
}

/** mask ← 0 where uint32 number i of the stream is below `threshold`, else `kept`. */
export function dropoutMask(n: i32, threshold: u32, kept: f32, k0: i32, k1: i32, c1: i32, c2: i32, c3: i32, mask: usize): void {
  const d = changetype<DropoutJob>(job)
  d.n = n
  d.threshold = threshold
  d.kept = kept
  d.k0 = k0
  d.k1 = k1
  d.c1 = c1
  d.c2 = c2
  d.c3 = c3
  d.mask = mask
  run(dropoutChunk, chunksOf(n))
}

/** High 32 bits of the unsigned products; the low ones are i32x4.mul. */
@inline
function mulHigh(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b)
  const high = i64x2.extmul_high_i32x4_u(a, b)
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7)
}

@inline
function keep(random: v128, threshold: v128, kept: v128): v128 {
  return v128.and(i32x4.ge_u(random, threshold), kept)
}

function dropoutChunk(chunk: i32, _workspace: usize): void {
  const d = changetype<DropoutJob>(job)
  const m0 = i32x4.splat(0xd2511f53)
  const m1 = i32x4.splat(0xcd9e8d57)
  const threshold = i32x4.splat(d.threshold)
  const kept = f32x4.splat(d.kept)
  const last = smaller(d.n, (chunk + 1) * CHUNK)
  for (let i = chunk * CHUNK; i < last; i += 16) {
    let c0 = i32x4.add(i32x4.splat(i >> 2), i32x4(0, 1, 2, 3))
    let c1 = i32x4.splat(d.c1)
    let c2 = i32x4.splat(d.c2)
    let c3 = i32x4.splat(d.c3)
    let k0 = d.k0
    let k1 = d.k1
    for (let round = 0; round < 10; round++) {
      const high0 = mulHigh(m0, c0)
      const high1 = mulHigh(m1, c2)
      const low0 = i32x4.mul(m0, c0)
      const low1 = i32x4.mul(m1, c2)
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0))
      c1 = low1
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1))
      c3 = low0
      k0 += 0x9e3779b9
      k1 += 0xbb67ae85
    }
    const r0 = keep(c0, threshold, kept)
    const r1 = keep(c1, threshold, kept)
    const r2 = keep(c2, threshold, kept)
    const r3 = keep(c3, threshold, kept)
    // word w of counter b is value 4b + w
    const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
    const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
    const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    put(d.mask, i, last, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
    put(d.mask, i + 4, last, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7))
    put(d.mask, i + 8, last, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5))
    put(d.mask, i + 12, last, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7))
  }
}

@inline
function put(mask: usize, i: i32, last: i32, values: v128): void {
  if (i + 4 <= last) v128.store(mask + bytes(i), values)
  else if (i < last) storeLanes(mask + bytes(i), values, last - i)
}
