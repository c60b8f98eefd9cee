import type { UpdateKernels } from '../../../engine.js'
import { type Bounds, count, each, need } from '../../bounds.js'

/** What the module exports for them. */
export interface UpdatesExports {
  sumOfSquares(n: number, x: number, sum: number): void
  sgdUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    momentum: number,
    w: number,
    dw: number,
    h: number,
  ): void
  nesterovUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    momentum: number,
    w: number,
    dw: number,
    h: number,
  ): void
  adagradUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    delta: number,
    w: number,
    dw: number,
    h: number,
  ): void
  /** `added` is 1 − kept, in double precision. */
  rmspropUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    kept: number,
    added: number,
    delta: number,
    w: number,
    dw: number,
    h: number,
  ): void
  adadeltaUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    kept: number,
    added: number,
    delta: number,
    w: number,
    dw: number,
    g2: number,
    u2: number,
  ): void
  adamUpdate(
    n: number,
    rate: number,
    scale: number,
    decay: number,
    l1: boolean,
    beta1: number,
    beta2: number,
    rest1: number,
    rest2: number,
    delta: number,
    w: number,
    dw: number,
    m: number,
    v: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindUpdates(wasm: UpdatesExports) {
  return {
    sumOfSquares(n, x, sum, index) {
      wasm.sumOfSquares(n, x.pointer, sum.pointer + 4 * index)
    },
    sgdUpdate(n, rule, momentum, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.sgdUpdate(n, rate, scale, decay, regularization === 'L1', momentum, w.pointer, dw.pointer, h.pointer)
    },
    nesterovUpdate(n, rule, momentum, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.nesterovUpdate(n, rate, scale, decay, regularization === 'L1', momentum, w.pointer, dw.pointer, h.pointer)
    },
    adagradUpdate(n, rule, delta, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.adagradUpdate(n, rate, scale, decay, regularization === 'L1', delta, w.pointer, dw.pointer, h.pointer)
    },
    rmspropUpdate(n, rule, kept, delta, w, dw, h) {
      const { rate, scale, decay, regularization } = rule
      wasm.rmspropUpdate(
        n,
        rate,
        scale,
        decay,
        regularization === 'L1',
        kept,
        1 - kept,
        delta,
        w.pointer,
        dw.pointer,
        h.pointer,
      )
    },
    adadeltaUpdate(n, rule, momentum, delta, w, dw, g2, u2) {
      const l1 = rule.regularization === 'L1'
      const [pw, pdw, pg, pu] = [w.pointer, dw.pointer, g2.pointer, u2.pointer]
      wasm.adadeltaUpdate(n, rule.rate, rule.scale, rule.decay, l1, momentum, 1 - momentum, delta, pw, pdw, pg, pu)
    },
    adamUpdate(n, rule, beta1, beta2, delta, correction, w, dw, m, v) {
      const l1 = rule.regularization === 'L1'
      const [pw, pdw, pm, pv] = [w.pointer, dw.pointer, m.pointer, v.pointer]
      const rate = rule.rate * correction
      wasm.adamUpdate(n, rate, rule.scale, rule.decay, l1, beta1, beta2, 1 - beta1, 1 - beta2, delta, pw, pdw, pm, pv)
    },
  } satisfies UpdateKernels
}

/** What stands before these kernels. */
export const updatesBounds = {
  sumOfSquares(n, x, sum, index) {
    need(x, count(n))
    need(sum, count(index) + 1)
  },
  sgdUpdate: each,
  nesterovUpdate: each,
  adagradUpdate: each,
  rmspropUpdate: each,
  adadeltaUpdate: each,
  adamUpdate(n, _rule, _beta1, _beta2, _delta, _correction, w, dw, m, v) {
    need(w, count(n))
    need(dw, n)
    need(m, n)
    need(v, n)
  },
} satisfies Partial<Bounds>
