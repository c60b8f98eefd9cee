import type { Memory } from '../../lib/memory.js'

export function relu(n: number, slope: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] > 0 ? xs[i] : slope * xs[i]
}

export function reluGradient(n: number, slope: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) dxs[i] = xs[i] > 0 ? dys[i] : slope * dys[i]
}
