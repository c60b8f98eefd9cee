import { describe, described, endOf, firstOf, restOf, runLight } from './elementwise'
import { storeLanes } from './vector'

export function relu(n: i32, slope: f32, x: usize, y: usize): void {
  describe(n, x, y, 0, slope)
  runLight(reluChunk, n)
}

function reluChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const slope = f32x4.splat(e.a)
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, rectify(v128.load(e.x + i), v128.load(e.x + i), slope))
  if (rest) storeLanes(e.y + i, rectify(v128.load(e.x + i), v128.load(e.x + i), slope), rest)
}

export function reluGradient(n: i32, slope: f32, x: usize, dy: usize, dx: usize): void {
  describe(n, x, dx, dy, slope)
  runLight(gradientChunk, n)
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const slope = f32x4.splat(e.a)
  const end = endOf(chunk, e.n)
  const rest = restOf(chunk, e.n)
  let i = firstOf(chunk)
  for (; i < end; i += 16) v128.store(e.y + i, rectify(v128.load(e.x + i), v128.load(e.z + i), slope))
  if (rest) storeLanes(e.y + i, rectify(v128.load(e.x + i), v128.load(e.z + i), slope), rest)
}

/** value where x > 0, else slope·value. */
@inline
export function rectify(x: v128, value: v128, slope: v128): v128 {
  return v128.bitselect(value, f32x4.mul(slope, value), f32x4.gt(x, f32x4.splat(0)))
}
