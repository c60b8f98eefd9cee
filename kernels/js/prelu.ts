import type { Memory } from '../../lib/memory.js'

export function prelu(outer: number, channels: number, inner: number, x: Memory, slope: Memory, y: Memory): void {
  const xs = x.array
  const slopes = slope.array
  const ys = y.array
  for (let row = 0, k = 0; row < outer * channels; row++) {
    const value = slopes[row % channels]
    for (let i = 0; i < inner; i++, k++) ys[k] = xs[k] > 0 ? xs[k] : value * xs[k]
  }
}

export function preluGradient(
  outer: number,
  channels: number,
  inner: number,
  x: Memory,
  slope: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const slopes = slope.array
  const dys = dy.array
  const dxs = dx.array
  for (let row = 0, k = 0; row < outer * channels; row++) {
    const value = slopes[row % channels]
    for (let i = 0; i < inner; i++, k++) dxs[k] = xs[k] > 0 ? dys[k] : value * dys[k]
  }
}

export function preluSlopeGradient(
  outer: number,
  channels: number,
  inner: number,
  x: Memory,
  dy: Memory,
  dslope: Memory,
): void {
  const xs = x.array
  const dys = dy.array
  const dslopes = dslope.array
  for (let c = 0; c < channels; c++) {
    let sum = 0
    for (let o = 0; o < outer; o++) {
      for (let i = 0, k = (o * channels + c) * inner; i < inner; i++, k++) if (xs[k] <= 0) sum += dys[k] * xs[k]
    }
    dslopes[c] += sum
  }
}
