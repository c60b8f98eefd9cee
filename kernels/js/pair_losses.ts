import type { ClassLossShape, ContrastiveShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { normalizer } from './normalizer.js'

export function sigmoidCrossEntropyLoss(s: ClassLossShape, x: Memory, target: Memory, loss: Memory): void {
  const xs = x.array
  const targets = target.array
  const n = s.outer * s.inner
  let sum = 0
  let valid = 0
  for (let i = 0; i < n; i++) {
    if (Math.trunc(targets[i]) === s.ignoreLabel) continue
    // of e^x and e^−x only the one that cannot overflow is used
    sum += Math.log1p(Math.exp(-Math.abs(xs[i]))) - xs[i] * (targets[i] - (xs[i] >= 0 ? 1 : 0))
    valid++
  }
  loss.array[0] = sum / normalizer(s, valid)
}

export function sigmoidCrossEntropyLossGradient(
  s: ClassLossShape,
  x: Memory,
  target: Memory,
  dloss: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const targets = target.array
  const dxs = dx.array
  const n = s.outer * s.inner
  let valid = 0
  for (let i = 0; i < n; i++) if (Math.trunc(targets[i]) !== s.ignoreLabel) valid++
  const scale = dloss.array[0] / normalizer(s, valid)
  for (let i = 0; i < n; i++)
    dxs[i] = Math.trunc(targets[i]) === s.ignoreLabel ? 0 : (1 / (1 + Math.exp(-xs[i])) - targets[i]) * scale
}

export function contrastiveLoss(
  s: ContrastiveShape,
  a: Memory,
  b: Memory,
  similar: Memory,
  difference: Memory,
  distance: Memory,
  loss: Memory,
): void {
  const as = a.array
  const bs = b.array
  const similars = similar.array
  const differences = difference.array
  const distances = distance.array
  let sum = 0
  for (let n = 0, k = 0; n < s.batch; n++) {
    let squares = 0
    for (let i = 0; i < s.size; i++, k++) {
      const value = as[k] - bs[k]
      differences[k] = value
      squares += value * value
    }
    distances[n] = squares
    if (Math.trunc(similars[n]) !== 0) sum += squares
    else if (s.legacy) sum += Math.max(0, s.margin - squares)
    else sum += Math.max(0, s.margin - Math.sqrt(squares)) ** 2
  }
  loss.array[0] = sum / (2 * s.batch)
}

export function contrastiveLossGradient(
  s: ContrastiveShape,
  sign: number,
  difference: Memory,
  distance: Memory,
  similar: Memory,
  dloss: Memory,
  dx: Memory,
): void {
  const differences = difference.array
  const distances = distance.array
  const similars = similar.array
  const dxs = dx.array
  const alpha = (sign * dloss.array[0]) / s.batch
  for (let n = 0, k = 0; n < s.batch; n++) {
    let factor = alpha
    if (Math.trunc(similars[n]) === 0) {
      const length = Math.sqrt(distances[n])
      const inside = s.margin - (s.legacy ? distances[n] : length)
      // the small addend keeps pairs that coincide from dividing by zero
      factor = inside > 0 ? -alpha * (s.legacy ? 1 : inside / (length + 1e-4)) : 0
    }
    for (let i = 0; i < s.size; i++, k++) dxs[k] = factor === 0 ? 0 : factor * differences[k]
  }
}
