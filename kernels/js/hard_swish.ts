import type { Memory } from '../../lib/memory.js'

export function hardSwish(n: number, alpha: number, beta: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = xs[i] * Math.max(0, Math.min(alpha * xs[i] + beta, 1))
}

export function hardSwishGradient(n: number, alpha: number, beta: number, x: Memory, dy: Memory, dx: Memory): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  for (let i = 0; i < n; i++) {
    const h = alpha * xs[i] + beta
    dxs[i] = dys[i] * (h > 0 && h < 1 ? h + alpha * xs[i] : Math.max(0, Math.min(h, 1)))
  }
}
