/**
 * The two functions that gates go through, inlined so that a loop keeps their constants in hand: a call makes them all
 * anew.
 */
import { madd } from './vector'

/**
 * (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2, given r²: the polynomial of degree 4 whose largest error, times r², is least
 * (3·10⁻⁹), in two halves that do not wait for each other.
 */
@inline
function series(r: v128, square: v128): v128 {
  const low = madd(f32x4.splat(0.166665188), r, f32x4.splat(0.5))
  const high = madd(f32x4.splat(0.00836888938), r, f32x4.splat(0.0416662058))
  return madd(madd(f32x4.splat(0.00139504912), square, high), square, low)
}

/** 1.5·2²³ + round(x / ln 2) for |x| ≤ 87.3: adding so much leaves the whole number in the low bits. */
@inline
function rounded(x: v128): v128 {
  return madd(x, f32x4.splat(1.4426950408889634), f32x4.splat(12582912))
}

/**
 * x − n·ln 2 for the n of `rounded`. ln 2 in two parts, of which the first has few enough bits for its product with n
 * to be exact.
 */
@inline
function reduced(x: v128, whole: v128): v128 {
  const n = f32x4.sub(whole, f32x4.splat(12582912))
  return madd(n, f32x4.splat(-1.42860682030941723e-6), madd(n, f32x4.splat(-0.693145751953125), x))
}

/** 2ⁿ for the n of `rounded`. */
@inline
function power(whole: v128): v128 {
  return i32x4.shl(i32x4.add(whole, i32x4.splat(127)), 23)
}

/** x within ±limit; NaN stays NaN. */
@inline
function within(x: v128, limit: f32): v128 {
  return f32x4.pmax(f32x4.pmin(x, f32x4.splat(limit)), f32x4.splat(-limit))
}

/** 1 / (1 + e⁻ˣ), which is small but not denormal where x is below −87.3. */
@inline
export function squashed(x: v128): v128 {
  const y = within(f32x4.neg(x), 87.3)
  const whole = rounded(y)
  const r = reduced(y, whole)
  const square = f32x4.mul(r, r)
  const e = madd(series(r, square), square, f32x4.add(r, f32x4.splat(1)))
  return f32x4.div(f32x4.splat(1), madd(power(whole), e, f32x4.splat(1)))
}

/** tanh x = m / (m + 2) with m = e²ˣ − 1 = 2ⁿ·(eʳ − 1) + (2ⁿ − 1), which does not cancel: near 0 n is 0. */
@inline
export function hyperbolic(x: v128): v128 {
  const y = within(f32x4.add(x, x), 40)
  const whole = rounded(y)
  const r = reduced(y, whole)
  const two = power(whole)
  const square = f32x4.mul(r, r)
  const m = madd(two, madd(series(r, square), square, r), f32x4.sub(two, f32x4.splat(1)))
  return f32x4.div(m, f32x4.add(m, f32x4.splat(2)))
}
