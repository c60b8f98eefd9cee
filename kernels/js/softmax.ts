import type { Memory } from '../../lib/memory.js'

export function softmax(outer: number, channels: number, inner: number, x: Memory, y: Memory): void {
  const xs = x.array
  const ys = y.array
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const first = o * channels * inner + i
      const end = first + channels * inner
      let max = -Infinity
      for (let k = first; k < end; k += inner) max = Math.max(max, xs[k])
      let sum = 0
      for (let k = first; k < end; k += inner) {
        const value = Math.exp(xs[k] - max)
        ys[k] = value
        sum += value
      }
      for (let k = first; k < end; k += inner) ys[k] /= sum
    }
  }
}

export function softmaxGradient(
  outer: number,
  channels: number,
  inner: number,
  y: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const ys = y.array
  const dys = dy.array
  const dxs = dx.array
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const first = o * channels * inner + i
      const end = first + channels * inner
      let dot = 0
      for (let k = first; k < end; k += inner) dot += ys[k] * dys[k]
      for (let k = first; k < end; k += inner) dxs[k] = ys[k] * (dys[k] - dot)
    }
  }
}
