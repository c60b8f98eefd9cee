import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function adadeltaUpdate(
  n: number,
  rule: UpdateRule,
  momentum: number,
  delta: number,
  w: Memory,
  dw: Memory,
  g2: Memory,
  u2: Memory,
): void {
  const ws = w.array
  const dws = dw.array
  const gs = g2.array
  const us = u2.array
  for (let i = 0; i < n; i++) {
    const g = decayedGradient(rule, ws[i], dws[i])
    gs[i] = momentum * gs[i] + (1 - momentum) * g * g
    const u = g * Math.sqrt((us[i] + delta) / (gs[i] + delta))
    us[i] = momentum * us[i] + (1 - momentum) * u * u
    dws[i] = rule.rate * u
    ws[i] -= dws[i]
  }
}
