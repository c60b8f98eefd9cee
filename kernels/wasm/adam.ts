import { describeUpdate, runUpdate, Update } from './update'
import { madd, put } from './vector'

@unmanaged
class Adam extends Update {
  @inline
  step(g: v128, at: usize, count: i32, rate: v128, beta1: v128, beta2: v128, delta: v128): v128 {
    const m = madd(beta1, v128.load(this.h + at), f32x4.mul(f32x4.splat(this.c), g))
    const v = madd(beta2, v128.load(this.h2 + at), f32x4.mul(f32x4.splat(this.d), f32x4.mul(g, g)))
    put(this.h + at, m, count)
    put(this.h2 + at, v, count)
    return f32x4.div(f32x4.mul(rate, m), f32x4.add(f32x4.sqrt(v), delta))
  }
}

/** The rate includes the correction; 1 − β are rounded by the caller, who knows β in double precision. */
export function adamUpdate(
  n: i32,
  rate: f32,
  scale: f32,
  decay: f32,
  l1: bool,
  beta1: f32,
  beta2: f32,
  rest1: f32,
  rest2: f32,
  delta: f32,
  w: usize,
  dw: usize,
  m: usize,
  v: usize,
): void {
  const s = describeUpdate(n, rate, scale, decay, l1, w, dw)
  s.h = m
  s.h2 = v
  s.a = beta1
  s.b = beta2
  s.c = rest1
  s.d = rest2
  s.delta = delta
  runUpdate<Adam>()
}
