import { chunksOf, describe, described, endOf, firstOf, restOf } from './elementwise'
import { exp } from './exp_lanes'
import { run } from './threads'
import { madd, storeLanes } from './vector'

export function tanh(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  run(tanhChunk, chunksOf(n))
}

/** Near 0 an odd polynomial (a minimax fit on |x| < 0.625), elsewhere 1 − 2 / (e^2|x| + 1) with the sign of x. */
export function tangent(x: v128): v128 {
  const one = f32x4.splat(1)
  const size = f32x4.abs(x)
  const square = f32x4.mul(x, x)
  let p = f32x4.splat(-5.70498872745e-3)
  p = madd(p, square, f32x4.splat(2.06390887954e-2))
  p = madd(p, square, f32x4.splat(-5.37397155531e-2))
  p = madd(p, square, f32x4.splat(1.33314422036e-1))
  p = madd(p, square, f32x4.splat(-3.33332819422e-1))
  const near = madd(f32x4.mul(p, square), x, x)
  let far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(exp(f32x4.add(size, size)), one)))
  far = v128.or(far, v128.and(x, f32x4.splat(-0)))
  return v128.bitselect(near, far, f32x4.lt(size, f32x4.splat(0.625)))
}

function tanhChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, tangent(v128.load(e.x + i)))
  if (rest) storeLanes(e.y + i, tangent(v128.load(e.x + i)), rest)
}

export function tanhGradient(n: i32, y: usize, dy: usize, dx: usize): void {
  describe(n, y, dx, dy)
  run(gradientChunk, chunksOf(n))
}

@inline
function slope(y: v128, dy: v128): v128 {
  return f32x4.mul(dy, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, slope(v128.load(e.x + i), v128.load(e.z + i)))
  if (rest) storeLanes(e.y + i, slope(v128.load(e.x + i), v128.load(e.z + i)), rest)
}
