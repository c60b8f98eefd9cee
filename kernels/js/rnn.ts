import type { Memory } from '../../lib/memory.js'
import { addStates, stateGradients } from './recurrence.js'

export function rnn(
  steps: number,
  batch: number,
  hidden: number,
  cont: Memory,
  Wh: Memory,
  h0: Memory,
  gates: Memory,
  conted: Memory,
  h: Memory,
): void {
  const states = batch * hidden
  const at = (memory: Memory, t: number, size: number) => memory.array.subarray(t * size, (t + 1) * size)
  for (let t = 0; t < steps; t++) {
    const [gate, state] = [at(gates, t, states), at(h, t, states)]
    const before = t === 0 ? h0.array : at(h, t - 1, states)
    addStates(batch, hidden, hidden, at(cont, t, batch), Wh.array, before, gate, at(conted, t, states))
    for (let k = 0; k < states; k++) state[k] = Math.tanh(gate[k])
  }
}

export function rnnGradient(
  steps: number,
  batch: number,
  hidden: number,
  cont: Memory,
  Wh: Memory,
  h: Memory,
  dh: Memory,
  dgates: Memory,
): void {
  const states = batch * hidden
  const at = (memory: Memory, t: number, size: number) => memory.array.subarray(t * size, (t + 1) * size)
  for (let t = steps - 1; t >= 0; t--) {
    const after = t + 1 < steps ? { cont: at(cont, t + 1, batch), dgates: at(dgates, t + 1, states) } : null
    const [state, dgate] = [at(h, t, states), at(dgates, t, states)]
    stateGradients(batch, hidden, hidden, after, Wh.array, at(dh, t, states), dgate)
    for (let k = 0; k < states; k++) dgate[k] *= 1 - state[k] * state[k]
  }
}
