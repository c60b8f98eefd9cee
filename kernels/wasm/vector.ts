/** Small vector helpers: four float32 lanes. */

/** a·b + c, fused where the build has relaxed SIMD. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)
}

/** a in the lanes whose mask is set, else b. A mask has all or no bits of a lane set. */
@inline
export function select(a: v128, b: v128, mask: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i32x4.relaxed_laneselect(a, b, mask) : v128.bitselect(a, b, mask)
}

/**
 * Stores the first `count` lanes (1, 2 or 3). Loading whole vectors past an end is safe: the heap keeps the memory's
 * last bytes free.
 */
@inline
export function storeLanes(p: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(p, v, 0)
  if (count > 1) v128.store_lane<f32>(p, v, 1, 4)
  if (count > 2) v128.store_lane<f32>(p, v, 2, 8)
}

/** Stores four values, or the `rest` that are left. */
@inline
export function put(p: usize, v: v128, rest: i32): void {
  if (rest >= 4) v128.store(p, v)
  else storeLanes(p, v, rest)
}

/** −1, 0 or 1 as Math.sign has it: zeros keep their sign, NaN stays NaN. */
@inline
export function sign(v: v128): v128 {
  const one = v128.or(v128.and(v, f32x4.splat(-0)), f32x4.splat(1))
  return v128.bitselect(one, v, f32x4.gt(f32x4.abs(v), f32x4.splat(0)))
}

/** The first and the last two of four lanes in double precision. */
@inline
export function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v)
}
@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3))
}

/** Two pairs of doubles as four float32. */
@inline
export function demote(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

/** The sum of the four lanes, always in the same order. */
@inline
export function sumLanes(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}

/** The even (x0 x2 x4 x6) and odd (x1 x3 x5 x7) values of eight in a row. */
@inline
export function evens(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(low, high, 0, 2, 4, 6)
}
@inline
export function odds(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(low, high, 1, 3, 5, 7)
}

/** Bytes of n float32. */
@inline
export function bytes(n: i32): usize {
  return (<usize>n) << 2
}

/** Copies n values. memory.copy is a call into the runtime, which costs more than short rows are worth. */
@inline
export function copyValues(to: usize, from: usize, n: i32): void {
  if (n > 128) {
    memory.copy(to, from, bytes(n))
    return
  }
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(to + bytes(i), v128.load(from + bytes(i)))
  for (; i < n; i++) store<f32>(to + bytes(i), load<f32>(from + bytes(i)))
}

/** Sets n values. */
export function fillValues(p: usize, n: i32, value: f32): void {
  const v = f32x4.splat(value)
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(p + bytes(i), v)
  for (; i < n; i++) store<f32>(p + bytes(i), value)
}

@inline
export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b
}
@inline
export function larger(a: i32, b: i32): i32 {
  return a > b ? a : b
}
@inline
export function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b
}
