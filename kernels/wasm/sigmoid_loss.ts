import { CHUNK_VALUES, chunksOf, describe, described, each, Elementwise } from './elementwise'
import { exp } from './exp_lanes'
import { log1p } from './log_lanes'
import { logistic } from './sigmoid'
import { normalizer, VALID } from './softmax_loss'
import { run, sharedWorkspace } from './threads'
import { bytes, high, larger, low, smaller } from './vector'

/**
 * Lanes whose target counts: all but those that are `ignore` when cut off to a whole number, and those past the end.
 * NaN ignores none.
 */
@inline
function counted(target: v128, ignore: f32, rest: i32): v128 {
  const mine = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(rest))
  return v128.and(mine, f32x4.ne(f32x4.trunc(target), f32x4.splat(ignore)))
}

export function sigmoidCrossEntropyLoss(outer: i32, inner: i32, ignore: f32, mode: i32, x: usize, target: usize, loss: usize): void {
  const n = outer * inner
  const chunks = chunksOf(n)
  const partial = sharedWorkspace(<usize>larger(1, chunks) << 4)
  describe(n, x, partial, target, ignore)
  run(sumsChunk, chunks)
  let sums = f64x2.splat(0)
  for (let i = 0; i < chunks; i++) sums = f64x2.add(sums, v128.load(partial + ((<usize>i) << 4)))
  const divisor = normalizer(outer, inner, mode, f64x2.extract_lane(sums, 1))
  store<f32>(loss, <f32>(f64x2.extract_lane(sums, 0) / divisor))
}

/** A chunk's loss and how many of its targets count, as two doubles. */
function sumsChunk(chunk: i32, _workspace: usize): void {
  const e = described()
  const last = smaller(e.n, (chunk + 1) * CHUNK_VALUES)
  let a = f64x2.splat(0)
  let b = a
  let valid = i32x4.splat(0)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    const x = e.first(bytes(i))
    const t = e.second(bytes(i))
    // of e^x and e^−x only the one that cannot overflow is used
    const positive = v128.and(f32x4.ge(x, f32x4.splat(0)), f32x4.splat(1))
    const loss = f32x4.sub(log1p(exp(f32x4.neg(f32x4.abs(x)))), f32x4.mul(x, f32x4.sub(t, positive)))
    const counts = counted(t, e.a, last - i)
    const kept = v128.and(loss, counts)
    a = f64x2.add(a, low(kept))
    b = f64x2.add(b, high(kept))
    valid = i32x4.sub(valid, counts)
  }
  const both = f64x2.add(a, b)
  const to = e.y + ((<usize>chunk) << 4)
  store<f64>(to, f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1))
  store<f64>(to, sumOf(valid), 8)
}

export function sigmoidCrossEntropyLossGradient(
  outer: i32,
  inner: i32,
  ignore: f32,
  mode: i32,
  x: usize,
  target: usize,
  dloss: f64,
  dx: usize,
): void {
  const n = outer * inner
  let valid = i32x4.splat(0)
  if (mode == VALID) for (let i = 0; i < n; i += 4) valid = i32x4.sub(valid, counted(v128.load(target + bytes(i)), ignore, n - i))
  describe(n, x, dx, target, ignore, <f32>(dloss / normalizer(outer, inner, mode, sumOf(valid))))
  each<Slope>()
}

@inline
function sumOf(v: v128): f64 {
  return <f64>(i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3))
}

@unmanaged
class Slope extends Elementwise {
  @inline
  of(at: usize): v128 {
    const t = this.second(at)
    const slope = f32x4.mul(f32x4.sub(logistic(this.first(at)), t), f32x4.splat(this.b))
    return v128.and(slope, counted(t, this.a, 4))
  }
}
