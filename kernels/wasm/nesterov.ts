import { run } from './threads'
import { decayedGradient, describeUpdate, firstValue, lastValue, update } from './update'
import { bytes, madd, put } from './vector'

/** h' ← rate·g + momentum·h; dw ← (1 + momentum)·h' − momentum·h; w ← w − dw. */
export function nesterovUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, momentum: f32, w: usize, dw: usize, h: usize): void {
  const chunks = describeUpdate(n, rate, scale, decay, l1, w, dw)
  const s = update()
  s.h = h
  s.a = momentum
  run(nesterovChunk, chunks)
}

function nesterovChunk(chunk: i32, _workspace: usize): void {
  const s = update()
  const rate = f32x4.splat(s.rate)
  const momentum = f32x4.splat(s.a)
  const more = f32x4.splat(1 + s.a)
  const last = lastValue(s, chunk)
  for (let i = firstValue(chunk); i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const old = f32x4.mul(momentum, v128.load(s.h + at))
    const h = madd(rate, decayedGradient(s, w, v128.load(s.dw + at)), old)
    const step = f32x4.sub(f32x4.mul(more, h), old)
    put(s.h + at, h, last - i)
    put(s.dw + at, step, last - i)
    put(s.w + at, f32x4.sub(w, step), last - i)
  }
}
