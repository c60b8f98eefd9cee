import type { UpdateRule } from '../../lib/engine.js'

/** Numbers of a rule in the order in which `decayedGradient` takes them. */
export const numbersOf = (rule: UpdateRule): [number, number, number] => [
  rule.scale,
  rule.decay,
  rule.regularization === 'L1' ? 1 : 0,
]

/** g = scale·dw + decay·w (L2) or scale·dw + decay·sign(w) (L1). */
export function decayedGradient(w: number, dw: number, scale: number, decay: number, l1: number): number {
  if (l1 > 0) {
    if (w > 0) return scale * dw + decay
    if (w < 0) return scale * dw - decay
    return scale * dw
  }
  return scale * dw + decay * w
}
