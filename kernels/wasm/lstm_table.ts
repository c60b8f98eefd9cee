/**
 * An LSTM's sequence whose products are primitives of oneDNN. A chunk is some units of some streams; the gates of its units
 * lie together. Gates come as exponents of 2: −x·log₂e of those that go through σ = 1 / (1 + e⁻ˣ), and twice as much of the
 * candidate's, of which tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ).
 */
import { powerOfTwo } from './powers'
import { execute } from './primitives'
import { carry, cutTable, firstStream, firstUnit, lastStream, Recurrence, runTable, unitsFrom } from './recurrence'
import { job } from './threads'
import { bytes, fillValues, madd, put } from './vector'

/** −2·log₂e. */
const TWICE: f32 = -2.8853900817779268

/**
 * gates: those of the inputs, for each chunk of units (steps, batch, 4, units). h and c: the state, (batch, hidden), before and
 * after; y: (steps, batch, hidden). The table multiplies what goes into a step, at `conted` (batch, hidden), and puts
 * the products of a chunk of units at `products` (batch, 4, units); odd steps have calls of their own, behind those of even
 * ones, and another `conted` behind the first: some chunk may still read what goes into the step before.
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
  conted: usize,
  products: usize,
  h: usize,
  c: usize,
  y: usize,
): void {
  const r = cutTable(steps, batch, hidden, units, streams, table)
  r.cont = cont
  r.gates = gates
  r.conted = conted
  r.products = products
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
  const H = r.hidden
  if (step == 0) {
    for (let n = n0; n < n1; n++) carry(r, 0, n, u, r.h0 + bytes(n * H + u))
    return
  }
  const t = step - 1
  const count = unitsFrom(r, u)
  const row = bytes(4 * count)
  let gate = r.gates + bytes(4 * u * r.steps * r.batch) + <usize>(t * r.batch + n0) * row
  let product = r.products + bytes(4 * u * r.batch) + <usize>n0 * row
  const cont = r.cont + bytes(t * r.batch)
  // where all streams begin there is nothing to multiply
  if (goesOn(n0, n1, cont)) execute(r.table, (t & 1) * r.chunks + chunk)
  else fillValues(product, (n1 - n0) * 4 * count, 0)
  const isLast = step == r.steps
  const next = isLast ? r.h0 : r.conted + (step & 1 ? bytes(r.batch * H) : 0)
  for (let n = n0; n < n1; n++, gate += row, product += row) {
    const at = bytes(n * H + u)
    states(count, load<f32>(cont + bytes(n)), gate, product, r.c + at)
    const factor: f32 = isLast ? 1 : load<f32>(cont + bytes(r.batch + n))
    outputs(count, gate, product, r.c + at, r.h + bytes(t * r.batch * H) + at, factor, next + at)
  }
}

/** Whether any of the streams n0 … n1 − 1 has a state before this step. */
function goesOn(n0: i32, n1: i32, cont: usize): bool {
  for (let n = n0; n < n1; n++) if (load<f32>(cont + bytes(n)) != 0) return true
  return false
}

/** 1 + 2ˣ for x, the sum of what is at two places. */
@inline
function divisor(a: usize, b: usize): v128 {
  return f32x4.add(powerOfTwo(f32x4.add(v128.load(a), v128.load(b))), f32x4.splat(1))
}

/** c ← σ(i)·tanh(g) + σ(f)·cont·c, where nothing is kept of c if cont is 0, even if it is not finite. */
function states(count: i32, cont: f32, gate: usize, product: usize, c: usize): void {
  if (count <= 0) return
  const row = bytes(count)
  const factor = f32x4.splat(cont)
  const mask = f32x4.ne(factor, f32x4.splat(0))
  let left = count
  do {
    const i = divisor(gate, product)
    const f = divisor(gate + row, product + row)
    const g = powerOfTwo(f32x4.add(v128.load(gate + 3 * row), v128.load(product + 3 * row)))
    const old = v128.and(f32x4.div(f32x4.mul(factor, v128.load(c)), f), mask)
    put(c, f32x4.add(f32x4.div(f32x4.sub(f32x4.splat(1), g), madd(i, g, i)), old), left)
    gate += 16
    product += 16
    c += 16
    left -= 4
  } while (left > 0)
}

/** y ← σ(o)·tanh(c), and next ← factor·y, or 0 even if y is not finite. */
function outputs(count: i32, gate: usize, product: usize, c: usize, y: usize, factor: f32, next: usize): void {
  if (count <= 0) return
  const row = bytes(2 * count)
  const kept = f32x4.splat(factor)
  const mask = f32x4.ne(kept, f32x4.splat(0))
  let left = count
  do {
    const o = divisor(gate + row, product + row)
    const e = powerOfTwo(f32x4.mul(v128.load(c), f32x4.splat(TWICE)))
    const h = f32x4.div(f32x4.sub(f32x4.splat(1), e), madd(o, e, o))
    put(y, h, left)
    put(next, v128.and(f32x4.mul(kept, h), mask), left)
    gate += 16
    product += 16
    c += 16
    y += 16
    next += 16
    left -= 4
  } while (left > 0)
}
