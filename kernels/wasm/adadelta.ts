import { run } from './threads'
import { decayedGradient, describeUpdate, firstValue, lastValue, update } from './update'
import { bytes, madd, put } from './vector'

/**
 * g2 ← kept·g2 + added·g²; u ← g·√((u2 + delta) / (g2 + delta)); u2 ← kept·u2 + added·u²; dw ← rate·u; w ← w − dw.
 * The caller knows added = 1 − kept in double precision.
 */
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
  const chunks = describeUpdate(n, rate, scale, decay, l1, w, dw)
  const s = update()
  s.h = g2
  s.h2 = u2
  s.a = kept
  s.b = added
  s.delta = delta
  run(adadeltaChunk, chunks)
}

function adadeltaChunk(chunk: i32, _workspace: usize): void {
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
    const g2 = madd(kept, v128.load(s.h + at), f32x4.mul(added, f32x4.mul(g, g)))
    const before = v128.load(s.h2 + at)
    const u = f32x4.mul(g, f32x4.sqrt(f32x4.div(f32x4.add(before, delta), f32x4.add(g2, delta))))
    const step = f32x4.mul(rate, u)
    put(s.h + at, g2, last - i)
    put(s.h2 + at, madd(kept, before, f32x4.mul(added, f32x4.mul(u, u))), last - i)
    put(s.dw + at, step, last - i)
    put(s.w + at, f32x4.sub(w, step), last - i)
  }
}
