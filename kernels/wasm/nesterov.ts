import { describeUpdate, runUpdate, Update } from './update'
import { madd, put } from './vector'

@unmanaged
class Nesterov extends Update {
  @inline
  step(g: v128, at: usize, count: i32, rate: v128, momentum: v128, _b: v128, _delta: v128): v128 {
    const old = f32x4.mul(momentum, v128.load(this.h + at))
    const h = madd(rate, g, old)
    put(this.h + at, h, count)
    return f32x4.sub(f32x4.mul(f32x4.splat(1 + this.a), h), old)
  }
}

export function nesterovUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, momentum: f32, w: usize, dw: usize, h: usize): void {
  const s = describeUpdate(n, rate, scale, decay, l1, w, dw)
  s.h = h
  s.a = momentum
  runUpdate<Nesterov>()
}
