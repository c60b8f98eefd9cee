import type { Memory } from '../../lib/memory.js'
import { addStates, stateGradients, unit, unitGradient } from './recurrence.js'

export function lstm(
  steps: number,
  batch: number,
  hidden: number,
  cont: Memory,
  Wh: Memory,
  h0: Memory,
  gates: Memory,
  conted: Memory,
  c: Memory,
  h: Memory,
): void {
  const states = batch * hidden
  const at = (memory: Memory, t: number, size: number) => memory.array.subarray(t * size, (t + 1) * size)
  for (let t = 0; t < steps; t++) {
    const [go, gate] = [at(cont, t, batch), at(gates, t, 4 * states)]
    addStates(
      batch,
      hidden,
      4 * hidden,
      go,
      Wh.array,
      t === 0 ? h0.array : at(h, t - 1, states),
      gate,
      at(conted, t, states),
    )
    unit(batch, hidden, at(c, t, states), gate, go, at(c, t + 1, states), at(h, t, states))
  }
}

export function lstmGradient(
  steps: number,
  batch: number,
  hidden: number,
  cont: Memory,
  Wh: Memory,
  gates: Memory,
  c: Memory,
  dh: Memory,
  dc: Memory,
  dgates: Memory,
): void {
  const states = batch * hidden
  const at = (memory: Memory, t: number, size: number) => memory.array.subarray(t * size, (t + 1) * size)
  const sum = dh.array.slice(0, states)
  for (let t = steps - 1; t >= 0; t--) {
    const after = t + 1 < steps ? { cont: at(cont, t + 1, batch), dgates: at(dgates, t + 1, 4 * states) } : null
    stateGradients(batch, hidden, 4 * hidden, after, Wh.array, at(dh, t, states), sum)
    const [before, now] = [at(c, t, states), at(c, t + 1, states)]
    unitGradient(
      batch,
      hidden,
      before,
      at(gates, t, 4 * states),
      at(cont, t, batch),
      now,
      dc.array,
      sum,
      dc.array,
      at(dgates, t, 4 * states),
    )
  }
}
