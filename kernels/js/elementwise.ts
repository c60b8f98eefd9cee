import type { Memory } from '../../lib/memory.js'

export function fill(n: number, value: number, y: Memory): void {
  y.array.fill(value, 0, n)
}

export function copy(n: number, x: Memory, y: Memory): void {
  y.array.set(x.array.subarray(0, n))
}

export function axpby(n: number, alpha: number, x: Memory, beta: number, y: Memory): void {
  const xs = x.array
  const ys = y.array
  if (beta === 0) for (let i = 0; i < n; i++) ys[i] = alpha * xs[i]
  else for (let i = 0; i < n; i++) ys[i] = alpha * xs[i] + beta * ys[i]
}

export function multiply(n: number, a: Memory, b: Memory, y: Memory): void {
  const as = a.array
  const bs = b.array
  const ys = y.array
  for (let i = 0; i < n; i++) ys[i] = as[i] * bs[i]
}

export function copyRows(
  rows: number,
  width: number,
  x: Memory,
  xOffset: number,
  xStride: number,
  y: Memory,
  yOffset: number,
  yStride: number,
): void {
  const xs = x.array
  const ys = y.array
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xStride
    const to = yOffset + r * yStride
    for (let i = 0; i < width; i++) ys[to + i] = xs[from + i]
  }
}
