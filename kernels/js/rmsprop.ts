import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function rmspropUpdate(
  n: number,
  rule: UpdateRule,
  decay: number,
  delta: number,
  w: Memory,
  dw: Memory,
  h: Memory,
): void {
  const ws = w.array
  const dws = dw.array
  const hs = h.array
  for (let i = 0; i < n; i++) {
    const g = decayedGradient(rule, ws[i], dws[i])
    hs[i] = decay * hs[i] + (1 - decay) * g * g
    dws[i] = (rule.rate * g) / (Math.sqrt(hs[i]) + delta)
    ws[i] -= dws[i]
  }
}
