import type { After } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { applyAfter } from './after.js'

export function addBias(batch: number, channels: number, inner: number, bias: Memory, y: Memory, after?: After): void {
  const bs = bias.array
  const ys = y.array
  for (let row = 0, o = 0; row < batch * channels; row++) {
    const value = bs[row % channels]
    for (let i = 0; i < inner; i++, o++) ys[o] += value
  }
  applyAfter(batch * channels * inner, after, y)
}

export function biasGradient(batch: number, channels: number, inner: number, dy: Memory, db: Memory): void {
  const dys = dy.array
  const dbs = db.array
  for (let c = 0; c < channels; c++) {
    let sum = 0
    for (let n = 0; n < batch; n++) {
      for (let i = 0, o = (n * channels + c) * inner; i < inner; i++, o++) sum += dys[o]
    }
    dbs[c] += sum
  }
}
