import { describeUpdate, runUpdate, Update } from './update'
import { madd, put } from './vector'

@unmanaged
class RmsProp extends Update {
  @inline
  step(g: v128, at: usize, count: i32, rate: v128, kept: v128, added: v128, delta: v128): v128 {
    const h = madd(kept, v128.load(this.h + at), f32x4.mul(added, f32x4.mul(g, g)))
    put(this.h + at, h, count)
    return f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(h), delta))
  }
}

/** The caller knows added = 1 − kept in double precision. */
export function rmspropUpdate(
  n: i32,
  rate: f32,
  scale: f32,
  decay: f32,
  l1: bool,
  kept: f32,
  added: f32,
  delta: f32,
  w: usize,
  dw: usize,
  h: usize,
): void {
  const s = describeUpdate(n, rate, scale, decay, l1, w, dw)
  s.h = h
  s.a = kept
  s.b = added
  s.delta = delta
  runUpdate<RmsProp>()
}
