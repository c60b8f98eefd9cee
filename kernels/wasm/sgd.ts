import { describeUpdate, runUpdate, Update } from './update'
import { madd, put } from './vector'

@unmanaged
class Sgd extends Update {
  @inline
  step(g: v128, at: usize, count: i32, rate: v128, momentum: v128, _b: v128, _delta: v128): v128 {
    const h = madd(momentum, v128.load(this.h + at), f32x4.mul(rate, g))
    put(this.h + at, h, count)
    return h
  }
}

export function sgdUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, momentum: f32, w: usize, dw: usize, h: usize): void {
  const s = describeUpdate(n, rate, scale, decay, l1, w, dw)
  s.h = h
  s.a = momentum
  runUpdate<Sgd>()
}
