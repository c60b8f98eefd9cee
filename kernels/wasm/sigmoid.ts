import { chunksOf, describe, described, endOf, firstOf, restOf } from './elementwise'
import { exp } from './exp_lanes'
import { run } from './threads'
import { storeLanes } from './vector'

export function sigmoid(n: i32, x: usize, y: usize): void {
  describe(n, x, y)
  run(sigmoidChunk, chunksOf(n))
}

export function logistic(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))))
}

function sigmoidChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, logistic(v128.load(e.x + i)))
  if (rest) storeLanes(e.y + i, logistic(v128.load(e.x + i)), rest)
}

export function sigmoidGradient(n: i32, y: usize, dy: usize, dx: usize): void {
  describe(n, y, dx, dy)
  run(gradientChunk, chunksOf(n))
}

@inline
function slope(y: v128, dy: v128): v128 {
  return f32x4.mul(f32x4.mul(dy, y), f32x4.sub(f32x4.splat(1), y))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, slope(v128.load(e.x + i), v128.load(e.z + i)))
  if (rest) storeLanes(e.y + i, slope(v128.load(e.x + i), v128.load(e.z + i)), rest)
}
