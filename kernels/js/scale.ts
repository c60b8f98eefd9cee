import type { After } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { applyAfter } from './after.js'

export function scaleChannels(
  outer: number,
  channels: number,
  inner: number,
  x: Memory,
  factor: Memory,
  bias: Memory | null,
  y: Memory,
  after?: After,
): void {
  const xs = x.array
  const factors = factor.array
  const biases = bias?.array
  const ys = y.array
  for (let row = 0, k = 0; row < outer * channels; row++) {
    const f = factors[row % channels]
    const b = biases ? biases[row % channels] : 0
    for (let i = 0; i < inner; i++, k++) ys[k] = f * xs[k] + b
  }
  applyAfter(outer * channels * inner, after, y)
}

export function scaleGradient(
  outer: number,
  channels: number,
  inner: number,
  x: Memory,
  dy: Memory,
  dfactor: Memory,
): void {
  const xs = x.array
  const dys = dy.array
  const dfactors = dfactor.array
  for (let c = 0; c < channels; c++) {
    let sum = 0
    for (let o = 0; o < outer; o++) {
      for (let i = 0, k = (o * channels + c) * inner; i < inner; i++, k++) sum += xs[k] * dys[k]
    }
    dfactors[c] += sum
  }
}
