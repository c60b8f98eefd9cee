import { keptUnitGradients, keptUnits } from './lstm_unit'
import {
  addProducts,
  carryAll,
  describe,
  firstStream,
  firstUnit,
  gradientsAt,
  hiddenGradients,
  lastStream,
  packGradientUnits,
  packUnits,
  Recurrence,
  runRecurrence,
  sendBack,
  unitsFrom,
} from './recurrence'
import { job } from './threads'
import { bytes } from './vector'

export function lstm(
  steps: i32,
  batch: i32,
  hidden: i32,
  cont: usize,
  wh: usize,
  h0: usize,
  gates: usize,
  conted: usize,
  c: usize,
  h: usize,
): void {
  const r = describe(steps, batch, hidden, 4, false, cont, wh)
  r.h0 = h0
  r.gates = gates
  r.conted = conted
  r.c = c
  r.h = h
  runRecurrence(forwardStep, false)
}

function forwardStep(step: i32, chunk: i32, workspace: usize): void {
  const r = changetype<Recurrence>(job)
  const u = firstUnit(r, chunk)
  const n0 = firstStream(r, chunk)
  const n1 = lastStream(r, n0)
  if (step == 0) {
    if (n0 == 0) packUnits(r, u)
    carryAll(r, 0, u, n0, n1, r.h0)
    return
  }
  const t = step - 1
  const values = bytes(r.batch * r.hidden)
  const c = r.c + <usize>t * values
  const h = r.h + <usize>t * values
  addProducts(r, t, u, n0, n1, workspace)
  const gates = r.gates + <usize>(4 * t) * values
  keptUnits(n1 - n0, unitsFrom(r, u), r.hidden, n0, u, c, gates, r.cont + bytes(t * r.batch), c + values, h)
  if (step < r.steps) carryAll(r, step, u, n0, n1, h)
}

export function lstmGradient(
  steps: i32,
  batch: i32,
  hidden: i32,
  cont: usize,
  wh: usize,
  gates: usize,
  c: usize,
  dh: usize,
  dc: usize,
  dgates: usize,
): void {
  const r = describe(steps, batch, hidden, 4, true, cont, wh)
  r.gates = gates
  r.c = c
  r.dh = dh
  r.dc = dc
  r.dgates = dgates
  runRecurrence(backwardStep, true)
}

function backwardStep(step: i32, chunk: i32, workspace: usize): void {
  const r = changetype<Recurrence>(job)
  const u = firstUnit(r, chunk)
  const n0 = firstStream(r, chunk)
  const n1 = lastStream(r, n0)
  if (step == 0) {
    if (n0 == 0) packGradientUnits(r, u)
    return
  }
  const t = r.steps - step
  const H = r.hidden
  const values = bytes(r.batch * H)
  const c = r.c + <usize>t * values
  const four = <usize>(4 * t) * values
  const dh = gradientsAt(r, n0, workspace)
  const row = hiddenGradients(r, t, u, n0, n1, dh)
  const cont = r.cont + bytes(t * r.batch)
  keptUnitGradients(n1 - n0, unitsFrom(r, u), H, n0, u, c, r.gates + four, cont, c + values, r.dc, dh, row, r.dc, r.dgates + four)
  sendBack(r, t, u, n0, n1)
}
