/**
 * An LSTM's sequence whose products are primitives of oneDNN: gates are there when they have run, as σ(i), σ(f), σ(o) and
 * σ(2g). A chunk is some units of some streams; the gates of its units lie together.
 */
import { execute } from './primitives'
import { carry, carryAll, cutTable, firstStream, firstUnit, lastStream, Recurrence, runTable, unitsFrom } from './recurrence'
import { hyperbolic } from './squash'
import { job } from './threads'
import { bytes, copyValues, madd, put } from './vector'

/**
 * h and c: the state, (batch, hidden), before and after; y: (steps, batch, hidden). Gates of a step are `gatesStep` times
 * the units of the chunk behind those of the step before.
 */
export function lstmOfTable(
  steps: i32,
  batch: i32,
  hidden: i32,
  units: i32,
  streams: i32,
  table: usize,
  cont: usize,
  gates: usize,
  gatesStep: i32,
  conted: usize,
  h: usize,
  c: usize,
  y: usize,
): void {
  const r = cutTable(steps, batch, hidden, units, streams, table)
  r.cont = cont
  r.gates = gates
  r.gatesStep = gatesStep
  r.conted = conted
  r.h0 = h
  r.c = c
  r.h = y
  runTable(step)
}

function step(step: i32, chunk: i32, _workspace: usize): void {
  const r = changetype<Recurrence>(job)
  const u = firstUnit(r, chunk)
  const n0 = firstStream(r, chunk)
  const n1 = lastStream(r, n0)
  if (step == 0) {
    carryAll(r, 0, u, n0, n1, r.h0)
    return
  }
  const t = step - 1
  const H = r.hidden
  const count = unitsFrom(r, u)
  execute(r.table, t * r.chunks + chunk)
  const row = bytes(count)
  let gate = r.gates + bytes(4 * u * r.steps * r.batch + (t * r.gatesStep + 4 * n0) * count)
  for (let n = n0; n < n1; n++, gate += 4 * row) {
    const y = r.h + bytes((t * r.batch + n) * H + u)
    unitsOfStream(count, load<f32>(r.cont + bytes(t * r.batch + n)), gate, r.c + bytes(n * H + u), y)
    if (step < r.steps) carry(r, step, n, u, y)
    else copyValues(r.h0 + bytes(n * H + u), y, count)
  }
}

function unitsOfStream(count: i32, cont: f32, gate: usize, c: usize, y: usize): void {
  const row = bytes(count)
  const one = f32x4.splat(1)
  const factor = f32x4.splat(cont)
  for (let left = count; left > 0; left -= 4, gate += 16, c += 16, y += 16) {
    const half = v128.load(gate + 3 * row)
    const g = f32x4.sub(f32x4.add(half, half), one)
    // nothing is kept of a state before a sequence's first step, even if it is not finite
    const old = cont == 0 ? f32x4.splat(0) : f32x4.mul(f32x4.mul(factor, v128.load(gate + row)), v128.load(c))
    const state = madd(v128.load(gate), g, old)
    put(c, state, left)
    put(y, f32x4.mul(v128.load(gate + 2 * row), hyperbolic(state)), left)
  }
}
