import type { Memory } from '../../lib/memory.js'

export function sigmoid(n: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = 1 / (1 + Math.exp(-xs[i]))
}

export function sigmoidGradient(n: number, y: Memory, dy: Memory, dx: Memory): void {
  const ys = y.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = dys[i] * ys[i] * (1 - ys[i])
}
