import type { RecurrenceKernels } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, within } from '../../bounds.js'
import { bindDirect, type DirectExports } from './kit.js'

const direct = ['lstmUnit', 'lstmUnitGradient', 'lstm', 'lstmGradient', 'rnn', 'rnnGradient'] as const

/** What the module exports for them. */
export interface RecurrenceExports extends DirectExports<typeof direct> {
  /** Recurrent kernels call sgemm from now on. */
  useBlas(): void
}

/** These kernels of the contract as calls of the module. */
export function bindRecurrence(wasm: RecurrenceExports) {
  return {
    ...bindDirect(wasm, direct),
  } satisfies RecurrenceKernels
}

/** Memories of a sequence: weights of the state, and (steps, batch, hidden) values times something, or those given. */
function recurrent(
  [steps, batch, hidden, gates]: readonly [number, number, number, number],
  cont: Memory,
  Wh: Memory,
  sequences: readonly (readonly [Memory, number])[],
): void {
  const weights = count(gates, hidden, hidden)
  within(gates * (hidden + 128) * hidden, 'weights in order')
  need(cont, count(steps, batch))
  need(Wh, weights)
  for (const [memory, values] of sequences) need(memory, values)
  count(steps, batch, hidden)
}

/** What stands before these kernels. */
export const recurrenceBounds = {
  lstmUnit(batch, hidden, cPrevious, gates, cont, c, h) {
    const all = count(batch, hidden)
    need(cPrevious, all)
    need(gates, 4 * all)
    need(cont, batch)
    need(c, all)
    need(h, all)
  },
  lstmUnitGradient(batch, hidden, cPrevious, gates, cont, c, dc, dh, dcPrevious, dgates) {
    const all = count(batch, hidden)
    need(cPrevious, all)
    need(gates, 4 * all)
    need(cont, batch)
    need(c, all)
    need(dc, all)
    need(dh, all)
    need(dcPrevious, all)
    need(dgates, 4 * all)
  },
  lstm(steps, batch, hidden, cont, Wh, h0, gates, conted, c, h) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 4], cont, Wh, [
      [h0, state],
      [gates, 4 * steps * state],
      [conted, steps * state],
      [c, (steps + 1) * state],
      [h, steps * state],
    ])
  },
  lstmGradient(steps, batch, hidden, cont, Wh, gates, c, dh, dc, dgates) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 4], cont, Wh, [
      [gates, 4 * steps * state],
      [c, (steps + 1) * state],
      [dh, steps * state],
      [dc, state],
      [dgates, 4 * steps * state],
    ])
  },
  rnn(steps, batch, hidden, cont, Wh, h0, gates, conted, h) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 1], cont, Wh, [
      [h0, state],
      [gates, steps * state],
      [conted, steps * state],
      [h, steps * state],
    ])
  },
  rnnGradient(steps, batch, hidden, cont, Wh, h, dh, dgates) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 1], cont, Wh, [
      [h, steps * state],
      [dh, steps * state],
      [dgates, steps * state],
    ])
  },
} satisfies Partial<Bounds>
