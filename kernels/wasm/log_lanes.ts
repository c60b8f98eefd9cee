/** Natural logarithms and powers in four lanes, right to a few units in the last place. */
import { exp } from './exp_lanes'
import { madd, select } from './vector'

/** x = 2ⁿ·m with √½ ≤ m < √2, for x from 2⁻¹²⁶ on: n, and through `mantissa` m − 1. */
@inline
function exponent(x: v128): v128 {
  // the bits above √½: a multiple of 2²³ for every whole power of two
  return i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23)
}
@inline
function mantissa(x: v128, n: v128): v128 {
  return f32x4.sub(i32x4.sub(x, i32x4.shl(n, 23)), f32x4.splat(1))
}

/** log(1 + f) − f for √½ ≤ 1 + f < √2: f³ times a minimax polynomial of degree 8, minus f²/2. */
@inline
function curve(f: v128): v128 {
  const square = f32x4.mul(f, f)
  let p = f32x4.splat(7.0376836292e-2)
  p = madd(p, f, f32x4.splat(-1.151461031e-1))
  p = madd(p, f, f32x4.splat(1.1676998740e-1))
  p = madd(p, f, f32x4.splat(-1.2420140846e-1))
  p = madd(p, f, f32x4.splat(1.4249322787e-1))
  p = madd(p, f, f32x4.splat(-1.6668057665e-1))
  p = madd(p, f, f32x4.splat(2.0000714765e-1))
  p = madd(p, f, f32x4.splat(-2.4999993993e-1))
  p = madd(p, f, f32x4.splat(3.3333331174e-1))
  return madd(f32x4.mul(f, square), p, f32x4.mul(f32x4.splat(-0.5), square))
}

/** log x: n·ln 2 + log m, ln 2 in two parts. −∞ for 0, NaN below; ∞ and NaN stay what they are. */
export function log(x: v128): v128 {
  // subnormal numbers are brought into the range of the others
  const tiny = f32x4.lt(x, f32x4.splat(1.1754943508222875e-38))
  const v = select(f32x4.mul(x, f32x4.splat(8388608)), x, tiny)
  const whole = exponent(v)
  const f = mantissa(v, whole)
  const n = f32x4.sub(f32x4.convert_i32x4_s(whole), v128.and(tiny, f32x4.splat(23)))
  let y = madd(n, f32x4.splat(-2.12194440e-4), curve(f))
  y = madd(n, f32x4.splat(0.693359375), f32x4.add(f, y))
  return limits(x, y)
}

/** What a logarithm is at the ends: y for positive finite x. */
@inline
function limits(x: v128, y: v128): v128 {
  let z = v128.bitselect(y, x, f32x4.lt(x, f32x4.splat(Infinity)))
  z = v128.bitselect(f32x4.splat(-Infinity), z, f32x4.eq(x, f32x4.splat(0)))
  return v128.or(z, f32x4.lt(x, f32x4.splat(0)))
}

/** log(1 + x) for 0 ≤ x ≤ 1; what rounding 1 + x lost is added to first order. */
@inline
export function log1p(x: v128): v128 {
  const sum = f32x4.add(x, f32x4.splat(1))
  const lost = f32x4.sub(x, f32x4.sub(sum, f32x4.splat(1)))
  return f32x4.add(log(sum), f32x4.div(lost, sum))
}

/**
 * |x|^p for 0 < |p| ≤ 128: 2^(p·n)·e^(p·log m). p·n is exact, p being cut in two, so that large results are as right as
 * small ones.
 */
export function pow(x: v128, p: f32): v128 {
  const size = f32x4.abs(x)
  const tiny = f32x4.lt(size, f32x4.splat(1.1754943508222875e-38))
  const v = select(f32x4.mul(size, f32x4.splat(8388608)), size, tiny)
  const whole = exponent(v)
  const f = mantissa(v, whole)
  const n = f32x4.sub(f32x4.convert_i32x4_s(whole), v128.and(tiny, f32x4.splat(23)))
  // 12 bits of p, whose product with n is exact, and the others
  const coarse = reinterpret<f32>(reinterpret<i32>(p) & 0xfffff000)
  const steps = f32x4.mul(n, f32x4.splat(coarse))
  const k = f32x4.nearest(steps)
  const part = madd(n, f32x4.splat(p - coarse), f32x4.sub(steps, k))
  const e = exp(madd(part, f32x4.splat(0.6931471805599453), f32x4.mul(f32x4.splat(p), f32x4.add(f, curve(f)))))
  // 2ᵏ in two factors of the range that a float32 has
  const twos = i32x4.trunc_sat_f32x4_s(f32x4.max(f32x4.min(k, f32x4.splat(252)), f32x4.splat(-252)))
  const half = i32x4.shr_s(twos, 1)
  const one = i32x4.splat(127)
  const y = f32x4.mul(f32x4.mul(e, i32x4.shl(i32x4.add(half, one), 23)), i32x4.shl(i32x4.add(i32x4.sub(twos, half), one), 23))
  // 0 and ∞ are their own powers, or each other's; NaN stays NaN
  const ends = p > 0 ? size : f32x4.div(f32x4.splat(1), size)
  return v128.bitselect(y, ends, v128.and(f32x4.gt(size, f32x4.splat(0)), f32x4.lt(size, f32x4.splat(Infinity))))
}
