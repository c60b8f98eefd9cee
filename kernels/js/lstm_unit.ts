import type { Memory } from '../../lib/memory.js'
import { unit, unitGradient } from './recurrence.js'

/**
 * One time step: c ← cont[n]·σ(f)·cPrevious + σ(i)·tanh(g), h ← σ(o)·tanh c.
 * gates: (N, 4, H) = i, f, o, g; cPrevious, c, h: (N, H); cont: (N).
 */
export function lstmUnit(
  batch: number,
  hidden: number,
  cPrevious: Memory,
  gates: Memory,
  cont: Memory,
  c: Memory,
  h: Memory,
): void {
  unit(batch, hidden, cPrevious.array, gates.array, cont.array, c.array, h.array)
}

/**
 * With dstate = dc + dh·σ(o)·(1 − tanh² c) and f = cont[n]·σ(gates f): dcPrevious ← dstate·f,
 * dgates ← dstate·tanh(g)·i(1 − i), dstate·cPrevious·f(1 − f), dh·tanh(c)·o(1 − o), dstate·i·(1 − tanh² g).
 */
export function lstmUnitGradient(
  batch: number,
  hidden: number,
  cPrevious: Memory,
  gates: Memory,
  cont: Memory,
  c: Memory,
  dc: Memory,
  dh: Memory,
  dcPrevious: Memory,
  dgates: Memory,
): void {
  const [gateValues, conts, cs, dcs] = [gates.array, cont.array, c.array, dc.array]
  unitGradient(batch, hidden, cPrevious.array, gateValues, conts, cs, dcs, dh.array, dcPrevious.array, dgates.array)
}
