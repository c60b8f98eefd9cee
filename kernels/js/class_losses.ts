import type { ClassLossShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { normalizer } from './normalizer.js'

/** Probabilities below this cost as much as this one: Caffe's kLOG_THRESHOLD. */
const SMALLEST = 1e-20

export function hingeLoss(
  batch: number,
  classes: number,
  squared: boolean,
  x: Memory,
  label: Memory,
  loss: Memory,
): void {
  const xs = x.array
  const labels = label.array
  let sum = 0
  for (let n = 0, k = 0; n < batch; n++) {
    const truth = Math.trunc(labels[n])
    for (let j = 0; j < classes; j++, k++) {
      const margin = Math.max(0, 1 + (j === truth ? -xs[k] : xs[k]))
      sum += squared ? margin * margin : margin
    }
  }
  loss.array[0] = sum / batch
}

export function hingeLossGradient(
  batch: number,
  classes: number,
  squared: boolean,
  x: Memory,
  label: Memory,
  dloss: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const labels = label.array
  const dxs = dx.array
  const scale = dloss.array[0] / batch
  for (let n = 0, k = 0; n < batch; n++) {
    const truth = Math.trunc(labels[n])
    for (let j = 0; j < classes; j++, k++) {
      const sign = j === truth ? -1 : 1
      const margin = Math.max(0, 1 + sign * xs[k])
      dxs[k] = sign * scale * (squared ? 2 * margin : Math.sign(margin))
    }
  }
}

export function multinomialLogisticLoss(batch: number, classes: number, p: Memory, label: Memory, loss: Memory): void {
  const ps = p.array
  const labels = label.array
  let sum = 0
  for (let n = 0; n < batch; n++) sum -= Math.log(Math.max(ps[n * classes + Math.trunc(labels[n])], SMALLEST))
  loss.array[0] = sum / batch
}

export function multinomialLogisticLossGradient(
  batch: number,
  classes: number,
  p: Memory,
  label: Memory,
  dloss: Memory,
  dp: Memory,
): void {
  const ps = p.array
  const labels = label.array
  const dps = dp.array
  const scale = -dloss.array[0] / batch
  for (let n = 0, k = 0; n < batch; n++) {
    const truth = Math.trunc(labels[n])
    for (let j = 0; j < classes; j++, k++) dps[k] = j === truth ? scale / Math.max(ps[k], SMALLEST) : 0
  }
}

export function infogainLoss(s: ClassLossShape, p: Memory, label: Memory, H: Memory, loss: Memory): void {
  const ps = p.array
  const labels = label.array
  const gains = H.array
  let sum = 0
  let valid = 0
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(labels[o * s.inner + i])
      if (truth === s.ignoreLabel) continue
      for (let l = 0; l < s.classes; l++)
        sum -= gains[truth * s.classes + l] * Math.log(Math.max(ps[(o * s.classes + l) * s.inner + i], SMALLEST))
      valid++
    }
  }
  loss.array[0] = sum / normalizer(s, valid)
}

export function infogainLossGradient(
  s: ClassLossShape,
  p: Memory,
  label: Memory,
  H: Memory,
  dloss: Memory,
  dx: Memory,
): void {
  const ps = p.array
  const labels = label.array
  const gains = H.array
  const dxs = dx.array
  let valid = 0
  for (let k = 0; k < s.outer * s.inner; k++) if (Math.trunc(labels[k]) !== s.ignoreLabel) valid++
  const scale = dloss.array[0] / normalizer(s, valid)
  for (let o = 0; o < s.outer; o++) {
    for (let i = 0; i < s.inner; i++) {
      const truth = Math.trunc(labels[o * s.inner + i])
      const ignored = truth === s.ignoreLabel
      const row = truth * s.classes
      let sum = 0
      if (!ignored) for (let l = 0; l < s.classes; l++) sum += gains[row + l]
      for (let l = 0; l < s.classes; l++) {
        const k = (o * s.classes + l) * s.inner + i
        dxs[k] = ignored ? 0 : (ps[k] * sum - gains[row + l]) * scale
      }
    }
  }
}
