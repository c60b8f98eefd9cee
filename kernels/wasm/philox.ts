/** Philox 4x32-10, four counters at a time, one in each lane. */

/** High 32 bits of the unsigned products; the low ones are i32x4.mul. */
@inline
function mulHigh(a: v128, b: v128): v128 {
  const low = i64x2.extmul_low_i32x4_u(a, b)
  const high = i64x2.extmul_high_i32x4_u(a, b)
  return v128.shuffle<i32>(low, high, 1, 3, 5, 7)
}

/** Sixteen uint32 of the stream, from number `first` on, a multiple of 4. */
export function sixteenWords(first: i32, k0: i32, k1: i32, second: i32, third: i32, fourth: i32, to: usize): void {
  const m0 = i32x4.splat(0xd2511f53)
  const m1 = i32x4.splat(0xcd9e8d57)
  let c0 = i32x4.add(i32x4.splat(first >> 2), i32x4(0, 1, 2, 3))
  let c1 = i32x4.splat(second)
  let c2 = i32x4.splat(third)
  let c3 = i32x4.splat(fourth)
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
  // word w of counter b is number 4b + w
  const t0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5)
  const t1 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7)
  const t2 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5)
  const t3 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<i32>(t0, t2, 0, 1, 4, 5))
  v128.store(to, v128.shuffle<i32>(t0, t2, 2, 3, 6, 7), 16)
  v128.store(to, v128.shuffle<i32>(t1, t3, 0, 1, 4, 5), 32)
  v128.store(to, v128.shuffle<i32>(t1, t3, 2, 3, 6, 7), 48)
}
