import { logistic } from './sigmoid'
import { tangent } from './tanh'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

/** Hidden values of a chunk: each costs five exponentials. */
const CHUNK: i32 = 2048

@unmanaged
class UnitJob {
  batch: i32
  hidden: i32
  block: i32
  previous: usize
  gates: usize
  cont: usize
  c: usize
  h: usize
  dc: usize
  dh: usize
  dprevious: usize
  dgates: usize
}

@inline
function describe(batch: i32, hidden: i32, previous: usize, gates: usize, cont: usize, c: usize): UnitJob {
  const u = changetype<UnitJob>(job)
  u.batch = batch
  u.hidden = hidden
  u.block = larger(1, CHUNK / larger(1, hidden))
  u.previous = previous
  u.gates = gates
  u.cont = cont
  u.c = c
  return u
}

/** c ← cont[n]·σ(f)·cPrevious + σ(i)·tanh(g), h ← σ(o)·tanh c. gates: (N, 4, H) = i, f, o, g; cPrevious, c, h: (N, H); cont: (N). */
export function lstmUnit(batch: i32, hidden: i32, previous: usize, gates: usize, cont: usize, c: usize, h: usize): void {
  const u = describe(batch, hidden, previous, gates, cont, c)
  u.h = h
  run(unitChunk, ceilDiv(batch, u.block))
}

/** cont·σ(x), and what it is multiplied with: 0 where it is 0, even if that state is not finite. */
@inline
function forget(cont: f32, x: v128): v128 {
  return cont == 0 ? f32x4.splat(0) : f32x4.mul(f32x4.splat(cont), logistic(x))
}
@inline
function keep(f: v128, v: v128): v128 {
  return v128.and(f32x4.mul(f, v), f32x4.ne(f, f32x4.splat(0)))
}

function unitChunk(chunk: i32, _workspace: usize): void {
  const u = changetype<UnitJob>(job)
  const H = u.hidden
  const row = bytes(H)
  const last = smaller(u.batch, (chunk + 1) * u.block)
  for (let n = chunk * u.block; n < last; n++) {
    const cont = load<f32>(u.cont + bytes(n))
    const gates = u.gates + <usize>(4 * n) * row
    for (let d = 0; d < H; d += 4) {
      const gate = gates + bytes(d)
      const at = <usize>n * row + bytes(d)
      const kept = keep(forget(cont, v128.load(gate + row)), v128.load(u.previous + at))
      const state = madd(logistic(v128.load(gate)), tangent(v128.load(gate + 3 * row)), kept)
      const h = f32x4.mul(logistic(v128.load(gate + 2 * row)), tangent(state))
      put(u.c + at, state, H - d)
      put(u.h + at, h, H - d)
    }
  }
}

/**
 * With dstate = dc + dh·σ(o)·(1 − tanh² c) and f = cont[n]·σ(gates f): dcPrevious ← dstate·f,
 * dgates ← dstate·tanh(g)·i(1 − i), dstate·cPrevious·f(1 − f), dh·tanh(c)·o(1 − o), dstate·i·(1 − tanh² g). dcPrevious may be dc.
 */
export function lstmUnitGradient(
  batch: i32,
  hidden: i32,
  previous: usize,
  gates: usize,
  cont: usize,
  c: usize,
  dc: usize,
  dh: usize,
  dprevious: usize,
  dgates: usize,
): void {
  const u = describe(batch, hidden, previous, gates, cont, c)
  u.dc = dc
  u.dh = dh
  u.dprevious = dprevious
  u.dgates = dgates
  run(gradientChunk, ceilDiv(batch, u.block))
}

/** v·(1 − v). */
@inline
function slope(v: v128): v128 {
  return f32x4.mul(v, f32x4.sub(f32x4.splat(1), v))
}
/** 1 − v². */
@inline
function rest(v: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(v, v))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const u = changetype<UnitJob>(job)
  const H = u.hidden
  const row = bytes(H)
  const last = smaller(u.batch, (chunk + 1) * u.block)
  for (let n = chunk * u.block; n < last; n++) {
    const cont = load<f32>(u.cont + bytes(n))
    for (let d = 0; d < H; d += 4) {
      const first = <usize>(4 * n) * row + bytes(d)
      const gate = u.gates + first
      const dgate = u.dgates + first
      const at = <usize>n * row + bytes(d)
      const i = logistic(v128.load(gate))
      const f = forget(cont, v128.load(gate + row))
      const o = logistic(v128.load(gate + 2 * row))
      const g = tangent(v128.load(gate + 3 * row))
      const squashed = tangent(v128.load(u.c + at))
      const dhidden = v128.load(u.dh + at)
      const dstate = madd(f32x4.mul(dhidden, o), rest(squashed), v128.load(u.dc + at))
      const before = v128.load(u.previous + at)
      put(u.dprevious + at, f32x4.mul(dstate, f), H - d)
      put(dgate, f32x4.mul(f32x4.mul(dstate, g), slope(i)), H - d)
      put(dgate + row, keep(f, f32x4.mul(f32x4.mul(dstate, before), f32x4.sub(f32x4.splat(1), f))), H - d)
      put(dgate + 2 * row, f32x4.mul(f32x4.mul(dhidden, squashed), slope(o)), H - d)
      put(dgate + 3 * row, f32x4.mul(f32x4.mul(dstate, i), rest(g)), H - d)
    }
  }
}
