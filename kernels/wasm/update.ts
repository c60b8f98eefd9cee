/** What all solver updates share: their job, the gradient with its decay, and the loop around a rule's formula. */
import { CHUNK_VALUES, chunksOf } from './elementwise'
import { job, run } from './threads'
import { bytes, madd, put, sign, smaller } from './vector'

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

/** Writes what every rule needs; the rule's own constants and histories come after it. */
export function describeUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, w: usize, dw: usize): Update {
  const s = changetype<Update>(job)
  s.n = n
  s.l1 = l1
  s.rate = rate
  s.scale = scale
  s.decay = decay
  s.w = w
  s.dw = dw
  return s
}

/** scale·dw + decay·w, or with L1 scale·dw + decay·sign(w). */
@inline
function decayedGradient(s: Update, w: v128, dw: v128): v128 {
  return madd(f32x4.splat(s.decay), s.l1 ? sign(w) : w, f32x4.mul(f32x4.splat(s.scale), dw))
}

/**
 * dw ← step; w ← w − step. Rule extends Update and has `step`, which makes four values of it from their gradients g and
 * moves its histories at byte offset `at` on. The constants come as vectors: after a store the compiler would read them
 * from memory again.
 */
function updateChunk<Rule>(chunk: i32): void {
  const s = changetype<Update>(job)
  const rule = changetype<Rule>(job)
  const rate = f32x4.splat(s.rate)
  const a = f32x4.splat(s.a)
  const b = f32x4.splat(s.b)
  const delta = f32x4.splat(s.delta)
  const last = smaller(s.n, (chunk + 1) * CHUNK_VALUES)
  for (let i = chunk * CHUNK_VALUES; i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const step = rule.step(decayedGradient(s, w, v128.load(s.dw + at)), at, last - i, rate, a, b, delta)
    put(s.dw + at, step, last - i)
    put(s.w + at, f32x4.sub(w, step), last - i)
  }
}

/** Runs the rule over what `describeUpdate` said. */
export function runUpdate<Rule>(): void {
  run((chunk: i32, _workspace: usize): void => updateChunk<Rule>(chunk), chunksOf(changetype<Update>(job).n))
}
