import type { ClassLossShape, ContrastiveShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { normalizer } from './normalizer.js'

/**
 * loss[0] ← −Σ (t·log σ(x) + (1 − t)·log(1 − σ(x))) / normalizer over the t not ignored.  x, t: (outer, inner); classes
 * is not used.
 */
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

/** dx ← (σ(x) − t)·dloss[0] / normalizer, 0 where ignored. */
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

/**
 * difference ← a − b, distance[n] ← Σ difference²; loss[0] ← Σₙ (similar[n] ? distance : max(0, margin − √distance)²) /
 * 2N; legacy: max(0, margin − distance) for the dissimilar.  a, b, difference: (N, size), similar, distance: (N).
 */
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

/**
 * dx ← sign·dloss[0]/N·difference for the similar; for the dissimilar within the margin −(margin −
 * √distance)/(√distance + 10⁻⁴) times that (legacy: −1 times), else 0. sign is 1 for a and −1 for b.
 */
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
