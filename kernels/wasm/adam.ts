import { run } from './threads'
import { decayedGradient, describeUpdate, firstValue, lastValue, update } from './update'
import { bytes, madd, put } from './vector'

/**
 * m ← β1·m + (1 − β1)·g; v ← β2·v + (1 − β2)·g²; dw ← rate·m / (√v + delta); w ← w − dw.
 * The rate includes the correction; 1 − β are rounded by the caller, who knows β in double precision.
 */
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
  const chunks = describeUpdate(n, rate, scale, decay, l1, w, dw)
  const s = update()
  s.h = m
  s.h2 = v
  s.a = beta1
  s.b = beta2
  s.c = rest1
  s.d = rest2
  s.delta = delta
  run(adamChunk, chunks)
}

function adamChunk(chunk: i32, _workspace: usize): void {
  const s = update()
  const rate = f32x4.splat(s.rate)
  const beta1 = f32x4.splat(s.a)
  const beta2 = f32x4.splat(s.b)
  const new1 = f32x4.splat(s.c)
  const new2 = f32x4.splat(s.d)
  const delta = f32x4.splat(s.delta)
  const last = lastValue(s, chunk)
  for (let i = firstValue(chunk); i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const g = decayedGradient(s, w, v128.load(s.dw + at))
    const m = madd(beta1, v128.load(s.h + at), f32x4.mul(new1, g))
    const v = madd(beta2, v128.load(s.h2 + at), f32x4.mul(new2, f32x4.mul(g, g)))
    const step = f32x4.div(f32x4.mul(rate, m), f32x4.add(f32x4.sqrt(v), delta))
    put(s.h + at, m, last - i)
    put(s.h2 + at, v, last - i)
    put(s.dw + at, step, last - i)
    put(s.w + at, f32x4.sub(w, step), last - i)
  }
}
