import { describeUpdate, runUpdate, Update } from './update'
import { madd, put } from './vector'

@unmanaged
class AdaDelta extends Update {
  @inline
  step(g: v128, at: usize, count: i32, rate: v128, kept: v128, added: v128, delta: v128): v128 {
    const g2 = madd(kept, v128.load(this.h + at), f32x4.mul(added, f32x4.mul(g, g)))
    const before = v128.load(this.h2 + at)
    const u = f32x4.mul(g, f32x4.sqrt(f32x4.div(f32x4.add(before, delta), f32x4.add(g2, delta))))
    put(this.h + at, g2, count)
    put(this.h2 + at, madd(kept, before, f32x4.mul(added, f32x4.mul(u, u))), count)
    return f32x4.mul(rate, u)
  }
}

/** The caller knows added = 1 − kept in double precision. */
export function adadeltaUpdate(
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
  g2: usize,
  u2: usize,
): void {
  const s = describeUpdate(n, rate, scale, decay, l1, w, dw)
  s.h = g2
  s.h2 = u2
  s.a = kept
  s.b = added
  s.delta = delta
  runUpdate<AdaDelta>()
}
