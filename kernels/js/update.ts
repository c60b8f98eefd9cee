import type { UpdateRule } from '../../lib/engine.js'

/** The gradient with decay: g = scale·dw + decay·w (L2) or scale·dw + decay·sign(w) (L1). */
export function decayedGradient(rule: UpdateRule, w: number, dw: number): number {
  return rule.scale * dw + rule.decay * (rule.regularization === 'L1' ? Math.sign(w) : w)
}
