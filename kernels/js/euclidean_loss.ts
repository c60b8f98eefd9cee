import type { Memory } from '../../lib/memory.js'

export function euclideanLoss(n: number, batch: number, a: Memory, b: Memory, difference: Memory, loss: Memory): void {
  const as = a.array
  const bs = b.array
  const differences = difference.array
  let sum = 0
  for (let i = 0; i < n; i++) {
    const value = as[i] - bs[i]
    differences[i] = value
    sum += value * value
  }
  loss.array[0] = sum / (2 * batch)
}

export function euclideanLossGradient(n: number, factor: number, difference: Memory, dloss: Memory, dx: Memory): void {
  const differences = difference.array
  const dxs = dx.array
  const scale = factor * dloss.array[0]
  for (let i = 0; i < n; i++) dxs[i] = scale * differences[i]
}
