import type { Memory } from '../../lib/memory.js'

export function power(n: number, exponent: number, scale: number, shift: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  if (exponent === 1) for (let i = 0; i < n; i++) ys[i] = shift + scale * xs[i]
  else if (exponent === 2) for (let i = 0; i < n; i++) ys[i] = (shift + scale * xs[i]) ** 2
  else for (let i = 0; i < n; i++) ys[i] = (shift + scale * xs[i]) ** exponent
}

export function powerGradient(
  n: number,
  exponent: number,
  scale: number,
  shift: number,
  x: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const dys = dy.array
  const dxs = dx.array
  const slope = exponent * scale
  if (exponent === 1) for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope
  else if (exponent === 2) for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope * (shift + scale * xs[i])
  else for (let i = 0; i < n; i++) dxs[i] = dys[i] * slope * (shift + scale * xs[i]) ** (exponent - 1)
}
