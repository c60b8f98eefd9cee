import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function adagradUpdate(n: number, rule: UpdateRule, delta: number, w: Memory, dw: Memory, h: Memory): void {
  const ws = w.array
  const dws = dw.array
  const hs = h.array
  for (let i = 0; i < n; i++) {
    const g = decayedGradient(rule, ws[i], dws[i])
    hs[i] += g * g
    dws[i] = (rule.rate * g) / (Math.sqrt(hs[i]) + delta)
    ws[i] -= dws[i]
  }
}
