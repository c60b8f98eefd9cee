/** The normal distribution and the error function in four lanes, right to about 1e-7. */
import { exp } from './exp_lanes'
import { madd } from './vector'

/** e^(z²/2)·½·erfc(z/√2) for z ≥ 0: a minimax polynomial in 1 / (1 + 0.3·z). */
@inline
function tail(z: v128): v128 {
  const t = f32x4.div(f32x4.splat(1), madd(f32x4.splat(0.3), z, f32x4.splat(1)))
  let p = f32x4.splat(0.03837840259075165)
  p = madd(p, t, f32x4.splat(-0.16916663944721222))
  p = madd(p, t, f32x4.splat(0.22866109013557434))
  p = madd(p, t, f32x4.splat(-0.0765075534582138))
  p = madd(p, t, f32x4.splat(0.1425362080335617))
  p = madd(p, t, f32x4.splat(0.09468325972557068))
  p = madd(p, t, f32x4.splat(0.1219203993678093))
  p = madd(p, t, f32x4.splat(0.11948768049478531))
  return madd(p, t, f32x4.splat(7.1692534220346715e-6))
}

/** e^(−x²/2), which the distribution and its density share. */
@inline
export function bell(x: v128): v128 {
  return exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)))
}

/** Φ(x) = ½·(1 + erf(x/√2)) of an x and its `bell`; what is far below 0 does not cancel. */
@inline
export function normal(x: v128, bell: v128): v128 {
  const q = f32x4.mul(bell, tail(f32x4.abs(x)))
  return v128.bitselect(q, f32x4.sub(f32x4.splat(1), q), f32x4.lt(x, f32x4.splat(0)))
}

/** erf x: an odd polynomial near 0, else 1 − 2·(1 − Φ(√2·|x|)) with the sign of x. */
@inline
export function errorFunction(x: v128): v128 {
  const square = f32x4.mul(x, x)
  let p = f32x4.splat(0.004158788826316595)
  p = madd(p, square, f32x4.splat(-0.026360204443335533))
  p = madd(p, square, f32x4.splat(0.11273733526468277))
  p = madd(p, square, f32x4.splat(-0.3761192858219147))
  const near = f32x4.mul(madd(p, square, f32x4.splat(1.1283791065216064)), x)
  const size = f32x4.mul(f32x4.abs(x), f32x4.splat(1.4142135623730951))
  const q = f32x4.mul(exp(f32x4.neg(square)), tail(size))
  const far = v128.or(madd(f32x4.splat(-2), q, f32x4.splat(1)), v128.and(x, f32x4.splat(-0)))
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), f32x4.splat(0.75)))
}
