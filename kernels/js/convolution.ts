import type { After, ConvolutionShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { applyAfter } from './after.js'
import { tapsOf } from './taps.js'

export function convolution(
  s: ConvolutionShape,
  x: Memory,
  w: Memory,
  bias: Memory | null,
  y: Memory,
  after?: After,
): void {
  const t = tapsOf(s)
  const { step, firstRow, input, output, inputPlane, outputPlane } = t
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const xs = x.array
  const ws = w.array
  const ys = y.array
  const bs = bias?.array
  const sums = new Float64Array(outputPlane)
  for (let n = 0; n < s.batch; n++) {
    for (let m = 0; m < s.outputs; m++) {
      sums.fill(bs ? bs[m] : 0)
      const firstChannel = n * s.channels + Math.floor(m / outputs) * channels
      for (let c = 0; c < channels; c++) {
        const plane = (firstChannel + c) * inputPlane
        for (let k = 0; k < t.count; k++) {
          const weight = ws[(m * channels + c) * t.count + k]
          const width = t.width[k]
          for (let row = firstRow[k]; row < firstRow[k + 1]; row++) {
            for (let j = 0, i = plane + input[row], o = output[row]; j < width; j++, i += step, o++)
              sums[o] += weight * xs[i]
          }
        }
      }
      ys.set(sums, (n * s.outputs + m) * outputPlane)
    }
  }
  applyAfter(s.batch * s.outputs * outputPlane, after, y)
}

export function convolutionInputGradient(s: ConvolutionShape, dy: Memory, w: Memory, dx: Memory): void {
  const t = tapsOf(s)
  const { step, firstRow, input, output, inputPlane, outputPlane } = t
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const dys = dy.array
  const ws = w.array
  const dxs = dx.array
  const sums = new Float64Array(inputPlane)
  for (let n = 0; n < s.batch; n++) {
    for (let c = 0; c < s.channels; c++) {
      sums.fill(0)
      const firstOutput = Math.floor(c / channels) * outputs
      for (let m = firstOutput; m < firstOutput + outputs; m++) {
        const plane = (n * s.outputs + m) * outputPlane
        for (let k = 0; k < t.count; k++) {
          const weight = ws[(m * channels + (c % channels)) * t.count + k]
          const width = t.width[k]
          for (let row = firstRow[k]; row < firstRow[k + 1]; row++) {
            for (let j = 0, i = input[row], o = plane + output[row]; j < width; j++, i += step, o++)
              sums[i] += weight * dys[o]
          }
        }
      }
      dxs.set(sums, (n * s.channels + c) * inputPlane)
    }
  }
}

export function convolutionWeightGradient(s: ConvolutionShape, x: Memory, dy: Memory, dw: Memory): void {
  const t = tapsOf(s)
  const { step, firstRow, input, output, inputPlane, outputPlane } = t
  const channels = s.channels / s.group
  const outputs = s.outputs / s.group
  const xs = x.array
  const dys = dy.array
  const dws = dw.array
  const sums = new Float64Array(t.count)
  for (let m = 0; m < s.outputs; m++) {
    for (let c = 0; c < channels; c++) {
      sums.fill(0)
      for (let n = 0; n < s.batch; n++) {
        const xPlane = (n * s.channels + Math.floor(m / outputs) * channels + c) * inputPlane
        const yPlane = (n * s.outputs + m) * outputPlane
        for (let k = 0; k < t.count; k++) {
          const width = t.width[k]
          let sum = 0
          for (let row = firstRow[k]; row < firstRow[k + 1]; row++) {
            for (let j = 0, i = xPlane + input[row], o = yPlane + output[row]; j < width; j++, i += step, o++)
              sum += xs[i] * dys[o]
          }
          sums[k] += sum
        }
      }
      const out = (m * channels + c) * t.count
      for (let k = 0; k < t.count; k++) dws[out + k] += sums[k]
    }
  }
}
