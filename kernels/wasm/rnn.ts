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
import { hyperbolic } from './squash'
import { job } from './threads'
import { bytes, put } from './vector'

export function rnn(steps: i32, batch: i32, hidden: i32, cont: usize, wh: usize, h0: usize, gates: usize, conted: usize, h: usize): void {
  const r = describe(steps, batch, hidden, 1, false, cont, wh)
  r.h0 = h0
  r.gates = gates
  r.conted = conted
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
  addProducts(r, t, u, n0, n1, workspace)
  for (let n = n0; n < n1; n++) {
    const at = bytes((t * r.batch + n) * r.hidden + u)
    bend(unitsFrom(r, u), r.gates + at, r.h + at)
  }
  if (step < r.steps) carryAll(r, step, u, n0, n1, r.h + <usize>(t * r.batch) * bytes(r.hidden))
}

function bend(count: i32, x: usize, y: usize): void {
  for (; count > 0; count -= 4, x += 16, y += 16) put(y, hyperbolic(v128.load(x)), count)
}

export function rnnGradient(steps: i32, batch: i32, hidden: i32, cont: usize, wh: usize, h: usize, dh: usize, dgates: usize): void {
  const r = describe(steps, batch, hidden, 1, true, cont, wh)
  r.h = h
  r.dh = dh
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
  const dh = gradientsAt(r, n0, workspace)
  const row = hiddenGradients(r, t, u, n0, n1, dh)
  for (let n = n0; n < n1; n++) {
    const at = bytes((t * r.batch + n) * r.hidden + u)
    straighten(unitsFrom(r, u), r.h + at, dh + <usize>(n - n0) * row, r.dgates + at)
  }
  sendBack(r, t, u, n0, n1)
}

/** dx ← dy·(1 − y²). */
function straighten(count: i32, y: usize, dy: usize, dx: usize): void {
  for (; count > 0; count -= 4, y += 16, dy += 16, dx += 16) {
    const v = v128.load(y)
    put(dx, f32x4.mul(v128.load(dy), f32x4.sub(f32x4.splat(1), f32x4.mul(v, v))), count)
  }
}
