import { run } from './threads'
import { decayedGradient, describeUpdate, firstValue, lastValue, update } from './update'
import { bytes, madd, put } from './vector'

/** h ← rate·g + momentum·h; dw ← h; w ← w − h. */
export function sgdUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, momentum: f32, w: usize, dw: usize, h: usize): void {
  const chunks = describeUpdate(n, rate, scale, decay, l1, w, dw)
  const s = update()
  s.h = h
  s.a = momentum
  run(sgdChunk, chunks)
}

function sgdChunk(chunk: i32, _workspace: usize): void {
  const s = update()
  const rate = f32x4.splat(s.rate)
  const momentum = f32x4.splat(s.a)
  const last = lastValue(s, chunk)
  for (let i = firstValue(chunk); i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const g = decayedGradient(s, w, v128.load(s.dw + at))
    const h = madd(momentum, v128.load(s.h + at), f32x4.mul(rate, g))
    put(s.h + at, h, last - i)
    put(s.dw + at, h, last - i)
    put(s.w + at, f32x4.sub(w, h), last - i)
  }
}
