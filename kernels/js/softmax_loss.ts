import type { ClassLossShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { normalizer } from './normalizer.js'

/** The smallest normal float32: a probability of 0 costs 87.3365, not infinity. */
const FLT_MIN = 1.1754943508222875e-38

export function softmaxLoss(s: ClassLossShape, p: Memory, label: Memory, loss: Memory): void {
  const ps = p.array
  const labels = label.array
  let sum = 0
  let valid = 0
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(labels[o * s.inner + i])
      if (truth === s.ignoreLabel) continue
      sum -= Math.log(Math.max(ps[(o * s.classes + truth) * s.inner + i], FLT_MIN))
      valid++
    }
  }
  loss.array[0] = sum / normalizer(s, valid)
}

export function labelLosses(s: ClassLossShape, p: Memory, label: Memory, losses: Memory): void {
  const labels = label.array
  for (let o = 0, k = 0; o < s.outer; o++)
    for (let i = 0; i < s.inner; i++, k++) {
      const truth = Math.trunc(labels[k])
      const at = (o * s.classes + truth) * s.inner + i
      losses.array[k] = truth === s.ignoreLabel ? 0 : -Math.log(Math.max(p.array[at], FLT_MIN))
    }
}

export function softmaxLossGradient(s: ClassLossShape, p: Memory, label: Memory, dloss: Memory, dx: Memory): void {
  const ps = p.array
  const labels = label.array
  const dxs = dx.array
  let valid = 0
  for (let k = 0; k < s.outer * s.inner; k++) if (Math.trunc(labels[k]) !== s.ignoreLabel) valid++
  const scale = dloss.array[0] / normalizer(s, valid)
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(labels[o * s.inner + i])
      for (let c = 0; c < s.classes; c++) {
        const k = (o * s.classes + c) * s.inner + i
        dxs[k] = truth === s.ignoreLabel ? 0 : (ps[k] - (c === truth ? 1 : 0)) * scale
      }
    }
  }
}
