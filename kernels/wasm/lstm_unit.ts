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

/** f·v, and 0 where f is, even if v is not finite. */
@inline
function keep(f: v128, v: v128): v128 {
  return v128.and(f32x4.mul(f, v), f32x4.ne(f, f32x4.splat(0)))
}

export function units(rows: i32, count: i32, H: i32, n: i32, d: i32, previous: usize, gates: usize, cont: usize, c: usize, h: usize): void {
  forth(false, rows, count, H, n, d, previous, gates, cont, c, h)
}

/** The same, after which gates are i, f, o, g behind their σ and tanh, f without cont. */
export function keptUnits(
  rows: i32,
  count: i32,
  H: i32,
  n: i32,
  d: i32,
  previous: usize,
  gates: usize,
  cont: usize,
  c: usize,
  h: usize,
): void {
  forth(true, rows, count, H, n, d, previous, gates, cont, c, h)
}

/**
 * For `count` units of H, from unit d on, of `rows` streams from n on. V8 makes constants before a loop only if its body runs
 * at least once. The output waits for the state, so it has a loop of its own.
 */
@inline
function forth(
  keeps: bool,
  rows: i32,
  count: i32,
  H: i32,
  n: i32,
  d: i32,
  previous: usize,
  gates: usize,
  cont: usize,
  c: usize,
  h: usize,
): void {
  if (rows <= 0 || count <= 0) return
  const row = bytes(H)
  const end = n + rows
  do {
    const kept = v128.load_splat<f32>(cont + bytes(n))
    const mask = f32x4.ne(kept, f32x4.splat(0))
    let gate = gates + bytes(4 * n * H + d)
    let at = bytes(n * H + d)
    let left = count
    do {
      const i = squashed(v128.load(gate))
      const open = squashed(v128.load(gate + row))
      const g = hyperbolic(v128.load(gate + 3 * row))
      const f = v128.and(f32x4.mul(kept, open), mask)
      const old = keep(f, v128.load(previous + at))
      put(c + at, madd(i, g, old), left)
      if (keeps) {
        put(gate, i, left)
        put(gate + row, open, left)
        put(gate + 3 * row, g, left)
      }
      gate += 16
      at += 16
      left -= 4
    } while (left > 0)
    gate = gates + bytes(4 * n * H + d) + 2 * row
    at = bytes(n * H + d)
    left = count
    do {
      const o = squashed(v128.load(gate))
      put(h + at, f32x4.mul(o, hyperbolic(v128.load(c + at))), left)
      if (keeps) put(gate, o, left)
      gate += 16
      at += 16
      left -= 4
    } while (left > 0)
  } while (++n < end)
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

/** σ of the values at p, or those values where they are kept. */
@inline
function opened(isKept: bool, p: usize): v128 {
  const v = v128.load(p)
  return isKept ? v : squashed(v)
}

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
  back(false, rows, count, H, n, d, previous, gates, cont, c, dc, dh, dhRow, dprevious, dgates)
}

/** The same of gates as keptUnits left them. */
export function keptUnitGradients(
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
  back(true, rows, count, H, n, d, previous, gates, cont, c, dc, dh, dhRow, dprevious, dgates)
}

/**
 * For `count` units of H, from unit d on, of `rows` streams from n on; dh points to the first of them, its rows are
 * dhRow bytes apart.
 */
@inline
function back(
  isKept: bool,
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
  if (rows <= 0 || count <= 0) return
  const row = bytes(H)
  const end = n + rows
  do {
    const kept = v128.load_splat<f32>(cont + bytes(n))
    const mask = f32x4.ne(kept, f32x4.splat(0))
    let gate = bytes(4 * n * H + d)
    let at = bytes(n * H + d)
    let dhidden = dh
    let left = count
    do {
      const i = opened(isKept, gates + gate)
      const f = v128.and(f32x4.mul(kept, opened(isKept, gates + gate + row)), mask)
      const o = opened(isKept, gates + gate + 2 * row)
      const last = v128.load(gates + gate + 3 * row)
      const g = isKept ? last : hyperbolic(last)
      const bent = hyperbolic(v128.load(c + at))
      const dy = v128.load(dhidden)
      const dstate = madd(f32x4.mul(dy, o), rest(bent), v128.load(dc + at))
      const before = v128.load(previous + at)
      const dgate = dgates + gate
      const di = f32x4.mul(f32x4.mul(dstate, g), slope(i))
      const df = keep(f, f32x4.mul(f32x4.mul(dstate, before), f32x4.sub(f32x4.splat(1), f)))
      const dout = f32x4.mul(f32x4.mul(dy, bent), slope(o))
      const dg = f32x4.mul(f32x4.mul(dstate, i), rest(g))
      put(dprevious + at, f32x4.mul(dstate, f), left)
      put(dgate, di, left)
      put(dgate + row, df, left)
      put(dgate + 2 * row, dout, left)
      put(dgate + 3 * row, dg, left)
      gate += 16
      at += 16
      dhidden += 16
      left -= 4
    } while (left > 0)
    dh += dhRow
  } while (++n < end)
}
