/** eˣ in four lanes, right to about one unit in the last place. */
import { madd } from './vector'

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
  let p = f32x4.splat(1.9841270e-4)
  p = madd(p, r, f32x4.splat(1.3888889e-3))
  p = madd(p, r, f32x4.splat(8.3333333e-3))
  p = madd(p, r, f32x4.splat(4.1666667e-2))
  p = madd(p, r, f32x4.splat(0.16666667))
  p = madd(p, r, f32x4.splat(0.5))
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)))
  // 2ⁿ in two factors, since n = 128 is still finite
  const whole = i32x4.trunc_sat_f32x4_s(n)
  const half = i32x4.shr_s(whole, 1)
  const low = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23)
  const high = i32x4.shl(i32x4.add(i32x4.sub(whole, half), i32x4.splat(127)), 23)
  let y = f32x4.mul(f32x4.mul(p, low), high)
  y = v128.bitselect(f32x4.splat(Infinity), y, f32x4.gt(x, f32x4.splat(88.72284)))
  return v128.andnot(y, f32x4.lt(x, f32x4.splat(-87.33655)))
}
