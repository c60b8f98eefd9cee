import type { Memory } from '../../lib/memory.js'

export function clip(n: number, low: number, high: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = Math.max(low, Math.min(xs[i], high))
}

export function clipGradient(n: number, low: number, high: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = xs[i] >= low && xs[i] <= high ? dys[i] : 0
}
