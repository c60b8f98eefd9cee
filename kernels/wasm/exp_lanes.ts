/** eˣ and its relatives in four lanes, right to about one unit in the last place. */
import { madd } from './vector'

/** (eʳ − 1 − r) / r² for |r| ≤ ln 2 / 2. */
@inline
function series(r: v128): v128 {
  let p = f32x4.splat(1.9841270e-4)
  p = madd(p, r, f32x4.splat(1.3888889e-3))
  p = madd(p, r, f32x4.splat(8.3333333e-3))
  p = madd(p, r, f32x4.splat(4.1666667e-2))
  p = madd(p, r, f32x4.splat(0.16666667))
  return madd(p, r, f32x4.splat(0.5))
}

/**
 * eˣ = 2ⁿ·eʳ with n = round(x / ln 2) and |r| ≤ ln 2 / 2. ln 2 is subtracted in two parts so that r is exact; eʳ is its series to r⁷,
 * whose remainder is below 10⁻⁸. Above 88.72 the result is ∞, below −87.33 it is 0. NaN stays NaN.
 */
@inline
export function exp(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)))
  // 0.693145751953125 has few enough bits for its product with n to be exact
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693145751953125)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(1.42860682030941723e-6)))
  const p = madd(series(r), f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)))
  // 2ⁿ in two factors, since n = 128 is still finite
  const whole = i32x4.trunc_sat_f32x4_s(n)
  const half = i32x4.shr_s(whole, 1)
  const low = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23)
  const high = i32x4.shl(i32x4.add(i32x4.sub(whole, half), i32x4.splat(127)), 23)
  let y = f32x4.mul(f32x4.mul(p, low), high)
  y = v128.bitselect(f32x4.splat(Infinity), y, f32x4.gt(x, f32x4.splat(88.72284)))
  return v128.andnot(y, f32x4.lt(x, f32x4.splat(-87.33655)))
}

/** eˣ − 1 for x ≤ 0 without cancellation: 2ⁿ·(eʳ − 1) + (2ⁿ − 1). */
@inline
export function expm1OfNegative(x: v128): v128 {
  const bounded = f32x4.max(x, f32x4.splat(-87))
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.4426950408889634)))
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693145751953125)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(1.42860682030941723e-6)))
  const rest = madd(series(r), f32x4.mul(r, r), r)
  const whole = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
  return madd(whole, rest, f32x4.sub(whole, f32x4.splat(1)))
}
