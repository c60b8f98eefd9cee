import { rmspropUpdate } from './rmsprop'

export function adagradUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, delta: f32, w: usize, dw: usize, h: usize): void {
  rmspropUpdate(n, rate, scale, decay, l1, 1, 1, delta, w, dw, h)
}
