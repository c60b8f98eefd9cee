import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function nesterovUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void {
  const ws = w.array
  const dws = dw.array
  const hs = h.array
  for (let i = 0; i < n; i++) {
    const old = hs[i]
    hs[i] = rule.rate * decayedGradient(rule, ws[i], dws[i]) + momentum * old
    dws[i] = (1 + momentum) * hs[i] - momentum * old
    ws[i] -= dws[i]
  }
}
