import type { Memory } from '../../lib/memory.js'
import { unit, unitGradient } from './recurrence.js'

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
