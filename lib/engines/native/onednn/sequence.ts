/** The calls of an LSTM layer as one sequence. */
import type { KernelCall } from '../../../engine.js'
import type { Memory } from '../../../memory.js'

/**
 * x: (T, N, K), cont: (T, N), Wx: (4H, K), bias: (4H), Wh: (4H, H), y: (T, N, H); h, c: the state, (N, H), before and after.
 * The layer's own gates (T, N, 4H) are room, whatever is in them.
 */
export interface Sequence {
  readonly steps: number
  readonly batch: number
  readonly values: number
  readonly hidden: number
  readonly x: Memory
  readonly cont: Memory
  readonly wx: Memory
  readonly bias: Memory
  readonly wh: Memory
  readonly h: Memory
  readonly c: Memory
  readonly gates: Memory
  readonly y: Memory
}

/** Undefined for other layers, and those with static inputs or states that are bottoms and tops. */
export function sequenceOf(calls: readonly KernelCall[] | undefined): Sequence | undefined {
  if (calls?.length !== 6) return undefined
  const [product, bias, before, lstm, afterH, afterC] = calls
  if (product.kernel !== 'gemm' || bias.kernel !== 'addBias' || lstm.kernel !== 'lstm') return undefined
  if (before.kernel !== 'copyRows' || afterH.kernel !== 'copyRows' || afterC.kernel !== 'copyRows') return undefined
  const [steps, batch, hidden, cont, wh, h, gates, , cells, y] = lstm.args
  const [transA, transB, M, N, values, alpha, x, wx, beta, into] = product.args
  if (transA || !transB || M !== steps * batch || N !== 4 * hidden || alpha !== 1 || beta !== 0 || into !== gates)
    return undefined
  const [rows, width, inner, added, sum, after] = bias.args
  if (rows !== M || width !== N || inner !== 1 || sum !== gates || after) return undefined
  const c = before.args[2]
  if (before.args[5] !== cells || afterH.args[2] !== y || afterH.args[5] !== h) return undefined
  if (afterC.args[2] !== cells || afterC.args[5] !== c || steps < 1 || batch < 1 || values < 1) return undefined
  return { steps, batch, values, hidden, x, cont, wx, bias: added, wh, h, c, gates, y }
}
