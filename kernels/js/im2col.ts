import type { ConvolutionShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { tapsOf } from './taps.js'

export function im2col(s: ConvolutionShape, x: Memory, y: Memory): void {
  const t = tapsOf(s)
  const xs = x.array
  const ys = y.array
  ys.fill(0, 0, s.batch * s.channels * t.count * t.outputPlane)
  for (let plane = 0; plane < s.batch * s.channels; plane++) {
    for (let k = 0; k < t.count; k++) {
      for (let row = t.firstRow[k]; row < t.firstRow[k + 1]; row++) {
        let i = plane * t.inputPlane + t.input[row]
        let o = (plane * t.count + k) * t.outputPlane + t.output[row]
        for (let j = 0; j < t.width[k]; j++, i += t.step, o++) ys[o] = xs[i]
      }
    }
  }
}

export function im2colGradient(s: ConvolutionShape, dy: Memory, dx: Memory): void {
  const t = tapsOf(s)
  const dys = dy.array
  const dxs = dx.array
  const sums = new Float64Array(t.inputPlane)
  for (let plane = 0; plane < s.batch * s.channels; plane++) {
    sums.fill(0)
    for (let k = 0; k < t.count; k++) {
      for (let row = t.firstRow[k]; row < t.firstRow[k + 1]; row++) {
        let i = t.input[row]
        let o = (plane * t.count + k) * t.outputPlane + t.output[row]
        for (let j = 0; j < t.width[k]; j++, i += t.step, o++) sums[i] += dys[o]
      }
    }
    dxs.set(sums, plane * t.inputPlane)
  }
}
