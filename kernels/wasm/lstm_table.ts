/**
 * An LSTM's sequence whose products are primitives of oneDNN. A chunk is some units of some streams; the gates of its units
 * lie together. Gates come as exponents of 2: −x·log₂e of those that go through σ = 1 / (1 + e⁻ˣ), and twice as much of the
 * candidate's, of which tanh x = (1 − e⁻²ˣ) / (1 + e⁻²ˣ).
 */
import { powerLessOne, powerOfTwo } from './powers'
import { execute } from './primitives'
import { carry, cutTable, firstStream, firstUnit, lastStream, Recurrence, runTable, unitsFrom } from './recurrence'
import { job } from './threads'
import { bytes, fillValues, madd, put } from './vector'

/** −2·log₂e. */
const TWICE: f32 = -2.8853900817779268
/** A power less 1 of which tanh is −1 to the last place: a larger one times that of another gate may be infinite. */
const LARGEST: f32 = 1073741824

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
  const gates = r.gates + bytes(4 * u * r.steps * r.batch) + <usize>(t * r.batch + n0) * row
  let product = r.products + bytes(4 * u * r.batch) + <usize>n0 * row
  const cont = r.cont + bytes(t * r.batch)
  const values = (n1 - n0) * 4 * count
  const three = 3 * count
  // where all streams begin there is nothing to multiply
  if (goesOn(n0, n1, cont)) execute(r.table, (t & 1) * r.chunks + chunk)
  else fillValues(product, values, 0)
  let gate = gates
  let power = product
  for (let n = n0; n < n1; n++, gate += row, power += row) {
    powers(three, gate, power)
    powersLessOne(count, gate + bytes(three), power + bytes(three))
  }
  const isLast = step == r.steps
  const next = isLast ? r.h0 : r.conted + (step & 1 ? bytes(r.batch * H) : 0)
  for (let n = n0; n < n1; n++, product += row) {
    const at = bytes(n * H + u)
    states(count, load<f32>(cont + bytes(n)), product, r.c + at)
    const factor: f32 = isLast ? 1 : load<f32>(cont + bytes(r.batch + n))
    outputs(count, product + (row >> 1), r.c + at, r.h + bytes(t * r.batch * H) + at, factor, next + at)
  }
}

/** Whether any of the streams n0 … n1 − 1 has a state before this step. */
function goesOn(n0: i32, n1: i32, cont: usize): bool {
  for (let n = n0; n < n1; n++) if (load<f32>(cont + bytes(n)) != 0) return true
  return false
}

/**
 * y ← 2ˣ⁺ʸ for so many values. In a loop of its own, as states and outputs are: the processor sees so many
 * instructions ahead, and has more of these at work at the same time.
 */
function powers(n: i32, x: usize, y: usize): void {
  if (n <= 0) return
  do {
    put(y, powerOfTwo(f32x4.add(v128.load(x), v128.load(y))), n)
    x += 16
    y += 16
    n -= 4
  } while (n > 0)
}

/** y ← 2ˣ⁺ʸ − 1, what tanh is made of where it is small. */
function powersLessOne(n: i32, x: usize, y: usize): void {
  if (n <= 0) return
  do {
    put(y, powerLessOne(f32x4.add(v128.load(x), v128.load(y))), n)
    x += 16
    y += 16
    n -= 4
  } while (n > 0)
}

/**
 * c ← σ(i)·tanh(g) + σ(f)·cont·c of a stream, from the powers of its gates, that of g less 1. Nothing is kept of c if cont is 0, even if it is not
 * finite.
 */
function states(count: i32, cont: f32, power: usize, c: usize): void {
  if (count <= 0) return
  const row = bytes(count)
  const factor = f32x4.splat(cont)
  const mask = f32x4.ne(factor, f32x4.splat(0))
  let left = count
  do {
    const i = f32x4.add(v128.load(power), f32x4.splat(1))
    const f = f32x4.add(v128.load(power + row), f32x4.splat(1))
    const g = f32x4.pmin(v128.load(power + 3 * row), f32x4.splat(LARGEST))
    const old = v128.and(f32x4.div(f32x4.mul(factor, v128.load(c)), f), mask)
    put(c, f32x4.sub(old, f32x4.div(g, madd(i, g, f32x4.add(i, i)))), left)
    power += 16
    c += 16
    left -= 4
  } while (left > 0)
}

/** y ← σ(o)·tanh(c), from the power of o, and next ← factor·y, or 0 even if y is not finite. */
function outputs(count: i32, power: usize, c: usize, y: usize, factor: f32, next: usize): void {
  if (count <= 0) return
  const kept = f32x4.splat(factor)
  const mask = f32x4.ne(kept, f32x4.splat(0))
  let left = count
  do {
    const o = f32x4.add(v128.load(power), f32x4.splat(1))
    const e = f32x4.pmin(powerLessOne(f32x4.mul(v128.load(c), f32x4.splat(TWICE))), f32x4.splat(LARGEST))
    const h = f32x4.div(f32x4.sub(f32x4.splat(0), e), madd(o, e, f32x4.add(o, o)))
    put(y, h, left)
    put(next, v128.and(f32x4.mul(kept, h), mask), left)
    power += 16
    c += 16
    y += 16
    next += 16
    left -= 4
  } while (left > 0)
}
