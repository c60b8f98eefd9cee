import type { After } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { applyAfter } from './after.js'

export function channelStatistics(
  batch: number,
  channels: number,
  inner: number,
  x: Memory,
  mean: Memory,
  variance: Memory,
): void {
  const xs = x.array
  const means = mean.array
  const variances = variance.array
  const count = batch * inner
  for (let c = 0; c < channels; c++) {
    let sum = 0
    for (let n = 0; n < batch; n++) {
      for (let i = 0, k = (n * channels + c) * inner; i < inner; i++, k++) sum += xs[k]
    }
    const centre = sum / count
    let squares = 0
    for (let n = 0; n < batch; n++) {
      for (let i = 0, k = (n * channels + c) * inner; i < inner; i++, k++) squares += (xs[k] - centre) ** 2
    }
    means[c] = centre
    variances[c] = squares / count
  }
}

export function movingStatistics(
  channels: number,
  meanSum: Memory,
  varianceSum: Memory,
  factor: Memory,
  mean: Memory,
  variance: Memory,
): void {
  const scale = factor.array[0] === 0 ? 0 : 1 / factor.array[0]
  const meanSums = meanSum.array
  const varianceSums = varianceSum.array
  const means = mean.array
  const variances = variance.array
  for (let c = 0; c < channels; c++) {
    means[c] = meanSums[c] * scale
    variances[c] = varianceSums[c] * scale
  }
}

export function deviations(n: number, inside: number, outside: number, variance: Memory, deviation: Memory): void {
  const variances = variance.array
  const deviationValues = deviation.array
  for (let i = 0; i < n; i++) deviationValues[i] = Math.sqrt(variances[i] + inside) + outside
}

export function normalizeChannels(
  batch: number,
  channels: number,
  inner: number,
  x: Memory,
  mean: Memory,
  deviation: Memory,
  y: Memory,
  after?: After,
): void {
  const xs = x.array
  const means = mean.array
  const deviationValues = deviation.array
  const ys = y.array
  for (let row = 0, k = 0; row < batch * channels; row++) {
    const centre = means[row % channels]
    const width = deviationValues[row % channels]
    for (let i = 0; i < inner; i++, k++) ys[k] = (xs[k] - centre) / width
  }
  applyAfter(batch * channels * inner, after, y)
}

export function normalizeChannelsGradient(
  batch: number,
  channels: number,
  inner: number,
  x: Memory,
  mean: Memory,
  deviation: Memory,
  dy: Memory,
  dx: Memory,
): void {
  const xs = x.array
  const means = mean.array
  const deviationValues = deviation.array
  const dys = dy.array
  const dxs = dx.array
  const count = batch * inner
  for (let c = 0; c < channels; c++) {
    const centre = means[c]
    const width = deviationValues[c]
    let sum = 0
    let products = 0
    for (let n = 0; n < batch; n++) {
      for (let i = 0, k = (n * channels + c) * inner; i < inner; i++, k++) {
        sum += dys[k]
        products += dys[k] * (xs[k] - centre)
      }
    }
    const offset = sum / count
    const slope = products / count / (width * width)
    for (let n = 0; n < batch; n++) {
      for (let i = 0, k = (n * channels + c) * inner; i < inner; i++, k++) {
        dxs[k] = (dys[k] - offset - (xs[k] - centre) * slope) / width
      }
    }
  }
}
