/** Powers that gates are made of, inlined so that a loop keeps their constants in hand. */
import { madd } from './vector'

/** 1.5·2²³ + 127: adding it leaves round(x) + 127, which is how a float says its exponent, in the low bits. */
const WHOLE: f32 = 12583039

/**
 * 2ˣ for x within ±126, and as of the nearest such number beyond. Right to 1.5 units in the last place, 1 at 0; NaN stays
 * NaN. The series has the smallest error that one of its length can have.
 */
@inline
export function powerOfTwo(x: v128): v128 {
  const whole = wholeOf(x)
  const r = restOf(x, whole)
  const q = f32x4.mul(r, r)
  return f32x4.mul(i32x4.shl(whole, 23), madd(series(r, q), q, madd(r, f32x4.splat(0.69314724), f32x4.splat(1))))
}

/** 2ˣ − 1, which does not cancel: near 0 the whole part is 0. */
@inline
export function powerLessOne(x: v128): v128 {
  const whole = wholeOf(x)
  const r = restOf(x, whole)
  const q = f32x4.mul(r, r)
  const two = i32x4.shl(whole, 23)
  return madd(two, madd(series(r, q), q, f32x4.mul(r, f32x4.splat(0.69314724))), f32x4.sub(two, f32x4.splat(1)))
}

@inline
function bounded(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, f32x4.splat(126)), f32x4.splat(-126))
}

@inline
function wholeOf(x: v128): v128 {
  return f32x4.add(bounded(x), f32x4.splat(WHOLE))
}

@inline
function restOf(x: v128, whole: v128): v128 {
  return f32x4.sub(bounded(x), f32x4.sub(whole, f32x4.splat(WHOLE)))
}

/** (2ʳ − 1 − r·ln 2) / r², in short chains: a loop waits for results, not for multipliers. */
@inline
function series(r: v128, q: v128): v128 {
  const p = madd(q, f32x4.splat(1.5594678e-4), madd(r, f32x4.splat(1.3406643e-3), f32x4.splat(9.6176928e-3)))
  return madd(p, q, madd(r, f32x4.splat(5.5503104e-2), f32x4.splat(0.24022653)))
}
