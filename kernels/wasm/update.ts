/** What all solver updates share: their job and the gradient with its decay. */
import { CHUNK, chunksOf } from './elementwise'
import { job } from './threads'
import { madd, sign, smaller } from './vector'

/** Up to two histories and five constants of the rule. */
@unmanaged
export class Update {
  n: i32
  l1: bool
  rate: f32
  scale: f32
  decay: f32
  w: usize
  dw: usize
  h: usize
  h2: usize
  a: f32
  b: f32
  c: f32
  d: f32
  delta: f32
}

@inline
export function update(): Update {
  return changetype<Update>(job)
}

/** Writes what every rule needs; returns the number of chunks. */
export function describeUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, w: usize, dw: usize): i32 {
  const s = update()
  s.n = n
  s.l1 = l1
  s.rate = rate
  s.scale = scale
  s.decay = decay
  s.w = w
  s.dw = dw
  return chunksOf(n)
}

@inline
export function firstValue(chunk: i32): i32 {
  return chunk * CHUNK
}
@inline
export function lastValue(s: Update, chunk: i32): i32 {
  return smaller(s.n, (chunk + 1) * CHUNK)
}

/** scale·dw + decay·w, or with L1 scale·dw + decay·sign(w). */
@inline
export function decayedGradient(s: Update, w: v128, dw: v128): v128 {
  return madd(f32x4.splat(s.decay), s.l1 ? sign(w) : w, f32x4.mul(f32x4.splat(s.scale), dw))
}
