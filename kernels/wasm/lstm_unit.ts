import { hyperbolic, squashed } from './squash'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

/** Hidden values of a chunk: each costs five exponentials. */
const CHUNK_VALUES: i32 = 512

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
  u.block = larger(1, CHUNK_VALUES / larger(1, hidden))
  u.previous = previous
  u.gates = gates
  u.cont = cont
  u.c = c
  return u
}

export function lstmUnit(batch: i32, hidden: i32, previous: usize, gates: usize, cont: usize, c: usize, h: usize): void {
  const u = describe(batch, hidden, previous, gates, cont, c)
  u.h = h
  run(unitChunk, ceilDiv(batch, u.block))
}

function unitChunk(chunk: i32, _workspace: usize): void {
  const u = changetype<UnitJob>(job)
  const n = chunk * u.block
  units(smaller(u.batch - n, u.block), u.hidden, u.hidden, n, 0, u.previous, u.gates, u.cont, u.c, u.h)
}

/** cont·σ(x), and what it is multiplied with: 0 where it is 0, even if that state is not finite. */
@inline
function forget(cont: f32, x: v128): v128 {
  return cont == 0 ? f32x4.splat(0) : f32x4.mul(f32x4.splat(cont), squashed(x))
}
@inline
function keep(f: v128, v: v128): v128 {
  return v128.and(f32x4.mul(f, v), f32x4.ne(f, f32x4.splat(0)))
}

/** The same for `count` units of H, from unit d on, of `rows` streams from n on. */
export function units(rows: i32, count: i32, H: i32, n: i32, d: i32, previous: usize, gates: usize, cont: usize, c: usize, h: usize): void {
  const row = bytes(H)
  for (const end = n + rows; n < end; n++) {
    const kept = load<f32>(cont + bytes(n))
    let gate = gates + bytes(4 * n * H + d)
    let at = bytes(n * H + d)
    for (let left = count; left > 0; left -= 4, gate += 16, at += 16) {
      const old = keep(forget(kept, v128.load(gate + row)), v128.load(previous + at))
      const state = madd(squashed(v128.load(gate)), hyperbolic(v128.load(gate + 3 * row)), old)
      put(c + at, state, left)
      put(h + at, f32x4.mul(squashed(v128.load(gate + 2 * row)), hyperbolic(state)), left)
    }
  }
}

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

function gradientChunk(chunk: i32, _workspace: usize): void {
  const u = changetype<UnitJob>(job)
  const n = chunk * u.block
  const H = u.hidden
  const rows = smaller(u.batch - n, u.block)
  unitGradients(rows, H, H, n, 0, u.previous, u.gates, u.cont, u.c, u.dc, u.dh + bytes(n * H), bytes(H), u.dprevious, u.dgates)
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

/**
 * The same for `count` units of H, from unit d on, of `rows` streams from n on; dh points to the first of them, its
 * rows are dhRow bytes apart.
 */
export function unitGradients(
  rows: i32,
  count: i32,
  H: i32,
  n: i32,
  d: i32,
  previous: usize,
  gates: usize,
  cont: usize,
  c: usize,
  dc: usize,
  dh: usize,
  dhRow: usize,
  dprevious: usize,
  dgates: usize,
): void {
  const row = bytes(H)
  for (const end = n + rows; n < end; n++, dh += dhRow) {
    const kept = load<f32>(cont + bytes(n))
    let gate = bytes(4 * n * H + d)
    let at = bytes(n * H + d)
    let dhidden = dh
    for (let left = count; left > 0; left -= 4, gate += 16, at += 16, dhidden += 16) {
      const i = squashed(v128.load(gates + gate))
      const f = forget(kept, v128.load(gates + gate + row))
      const o = squashed(v128.load(gates + gate + 2 * row))
      const g = hyperbolic(v128.load(gates + gate + 3 * row))
      const bent = hyperbolic(v128.load(c + at))
      const dy = v128.load(dhidden)
      const dstate = madd(f32x4.mul(dy, o), rest(bent), v128.load(dc + at))
      const before = v128.load(previous + at)
      const dgate = dgates + gate
      put(dprevious + at, f32x4.mul(dstate, f), left)
      put(dgate, f32x4.mul(f32x4.mul(dstate, g), slope(i)), left)
      put(dgate + row, keep(f, f32x4.mul(f32x4.mul(dstate, before), f32x4.sub(f32x4.splat(1), f))), left)
      put(dgate + 2 * row, f32x4.mul(f32x4.mul(dy, bent), slope(o)), left)
      put(dgate + 3 * row, f32x4.mul(f32x4.mul(dstate, i), rest(g)), left)
    }
  }
}
