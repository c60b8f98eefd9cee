import type { UpdateRule } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { decayedGradient } from './update.js'

export function adamUpdate(
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
): void {
  const ws = w.array
  const dws = dw.array
  const ms = m.array
  const vs = v.array
  const rate = rule.rate * correction
  for (let i = 0; i < n; i++) {
    const g = decayedGradient(rule, ws[i], dws[i])
    ms[i] = beta1 * ms[i] + (1 - beta1) * g
    vs[i] = beta2 * vs[i] + (1 - beta2) * g * g
    dws[i] = (rate * ms[i]) / (Math.sqrt(vs[i]) + delta)
    ws[i] -= dws[i]
  }
}
