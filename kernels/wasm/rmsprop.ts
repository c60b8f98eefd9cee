import { run } from './threads'
import { decayedGradient, describeUpdate, firstValue, lastValue, update } from './update'
import { bytes, madd, put } from './vector'

/** h ← kept·h + added·g²; dw ← rate·g / (√h + delta); w ← w − dw. The caller knows added = 1 − kept in double precision. */
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
  const chunks = describeUpdate(n, rate, scale, decay, l1, w, dw)
  const s = update()
  s.h = h
  s.a = kept
  s.b = added
  s.delta = delta
  run(rmspropChunk, chunks)
}

function rmspropChunk(chunk: i32, _workspace: usize): void {
  const s = update()
  const rate = f32x4.splat(s.rate)
  const kept = f32x4.splat(s.a)
  const added = f32x4.splat(s.b)
  const delta = f32x4.splat(s.delta)
  const last = lastValue(s, chunk)
  for (let i = firstValue(chunk); i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const g = decayedGradient(s, w, v128.load(s.dw + at))
    const h = madd(kept, v128.load(s.h + at), f32x4.mul(added, f32x4.mul(g, g)))
    const step = f32x4.div(f32x4.mul(rate, g), f32x4.add(f32x4.sqrt(h), delta))
    put(s.h + at, h, last - i)
    put(s.dw + at, step, last - i)
    put(s.w + at, f32x4.sub(w, step), last - i)
  }
}
