import type { Memory } from '../memory.js'

/**
 * What every solver update does to a raw gradient dw first: g = scale·dw + decay·w (L2) or scale·dw + decay·sign(w)
 * (L1).
 */
export interface UpdateRule {
  /** Learning rate of this parameter. */
  readonly rate: number
  /** Clipping times 1/iter_size. */
  readonly scale: number
  readonly decay: number
  readonly regularization: 'L1' | 'L2'
}

/** Updates of the weights, and what clipping needs. */
export interface UpdateKernels {
  /** sum[index] ← Σ x². */
  sumOfSquares(n: number, x: Memory, sum: Memory, index: number): void
  /** h ← rate·g + momentum·h; dw ← h; w ← w − h.  g as UpdateRule says. */
  sgdUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void
  /** h' ← rate·g + momentum·h; dw ← (1 + momentum)·h' − momentum·h; w ← w − dw. */
  nesterovUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void
  /** h ← h + g²; dw ← rate·g / (√h + delta); w ← w − dw. */
  adagradUpdate(n: number, rule: UpdateRule, delta: number, w: Memory, dw: Memory, h: Memory): void
  /** h ← decay·h + (1 − decay)·g²; dw ← rate·g / (√h + delta); w ← w − dw. */
  rmspropUpdate(n: number, rule: UpdateRule, decay: number, delta: number, w: Memory, dw: Memory, h: Memory): void
  /** g2 ← m·g2 + (1 − m)·g²; u ← g·√((u2 + delta) / (g2 + delta)); u2 ← m·u2 + (1 − m)·u²; dw ← rate·u; w ← w − dw. */
  adadeltaUpdate(
    n: number,
    rule: UpdateRule,
    momentum: number,
    delta: number,
    w: Memory,
    dw: Memory,
    g2: Memory,
    u2: Memory,
  ): void
  /**
   * m ← β1·m + (1 − β1)·g; v ← β2·v + (1 − β2)·g²; dw ← rate·correction·m / (√v + delta); w ← w − dw, with correction =
   * √(1 − β2ᵗ) / (1 − β1ᵗ) for update number t.
   */
  adamUpdate(
    n: number,
    rule: UpdateRule,
    beta1: number,
    beta2: number,
    delta: number,
    correction: number,
    w: Memory,
    dw: Memory,
    m: Memory,
    v: Memory,
  ): void
}
