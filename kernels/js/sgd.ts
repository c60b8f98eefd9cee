import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function sgdUpdate(n: number, rule: UpdateRule, momentum: number, w: Memory, dw: Memory, h: Memory): void {
  const ws = w.array
  const dws = dw.array
  const hs = h.array
  for (let i = 0; i < n; i++) {
    hs[i] = rule.rate * decayedGradient(rule, ws[i], dws[i]) + momentum * hs[i]
    dws[i] = hs[i]
    ws[i] -= hs[i]
  }
}
