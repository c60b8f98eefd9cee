import type { RegionAlignShape, RegionShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { pictureOf } from './region_bins.js'
import { eachOddSample, samplesOf } from './region_samples.js'

export function roiAlign(s: RegionAlignShape, x: Memory, rois: Memory, y: Memory): void {
  const [xs, ys] = [x.array, y.array]
  const [H, W] = s.input
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois.array, r)
    const rows = samplesOf(s, rois.array, r, 0)
    const columns = samplesOf(s, rois.array, r, 1)
    const area = rows.count * columns.count
    for (let c = 0; c < s.channels; c++) {
      const plane = (n * s.channels + c) * H * W
      for (let p = 0; p < s.output[0]; p++)
        for (let q = 0; q < s.output[1]; q++, o++) {
          let sum = 0
          for (let i = p * rows.count; n >= 0 && i < (p + 1) * rows.count; i++) {
            const [low, high] = [plane + rows.low[i] * W, plane + rows.high[i] * W]
            for (let j = q * columns.count; j < (q + 1) * columns.count; j++) {
              const [left, right] = [columns.low[j], columns.high[j]]
              sum +=
                rows.ofLow[i] * (columns.ofLow[j] * xs[low + left] + columns.ofHigh[j] * xs[low + right]) +
                rows.ofHigh[i] * (columns.ofLow[j] * xs[high + left] + columns.ofHigh[j] * xs[high + right])
            }
          }
          ys[o] = n < 0 ? 0 : sum / area
        }
    }
  }
}

export function roiAlignGradient(s: RegionAlignShape, dy: Memory, rois: Memory, dx: Memory): void {
  const dys = dy.array
  const [H, W] = s.input
  const sums = new Float64Array(s.batch * s.channels * H * W)
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois.array, r)
    const rows = samplesOf(s, rois.array, r, 0)
    const columns = samplesOf(s, rois.array, r, 1)
    const area = rows.count * columns.count
    for (let c = 0; c < s.channels; c++) {
      const plane = (n * s.channels + c) * H * W
      for (let p = 0; p < s.output[0]; p++)
        for (let q = 0; q < s.output[1]; q++, o++) {
          const share = dys[o] / area
          for (let i = p * rows.count; n >= 0 && i < (p + 1) * rows.count; i++) {
            const [low, high] = [plane + rows.low[i] * W, plane + rows.high[i] * W]
            for (let j = q * columns.count; j < (q + 1) * columns.count; j++) {
              const [left, right] = [columns.low[j], columns.high[j]]
              sums[low + left] += share * rows.ofLow[i] * columns.ofLow[j]
              sums[low + right] += share * rows.ofLow[i] * columns.ofHigh[j]
              sums[high + left] += share * rows.ofHigh[i] * columns.ofLow[j]
              sums[high + right] += share * rows.ofHigh[i] * columns.ofHigh[j]
            }
          }
        }
    }
  }
  dx.array.set(sums)
}

export function roiAlignMax(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void {
  const [xs, ys, masks] = [x.array, y.array, mask?.array]
  const [H, W] = s.input
  eachOddSample(s, rois.array, (o, plane, empty, places, weights) => {
    let best = empty || plane < 0 ? 0 : -Infinity
    let pick = -1
    for (let sample = 0; sample < 4 && plane >= 0; sample++) {
      let sum = 0
      for (let k = 0; k < 4; k++) if (places[k] >= 0) sum += xs[plane * H * W + places[k]] * weights[4 * sample + k]
      if (sum > best) {
        best = sum
        pick = sample
      }
    }
    ys[o] = best
    if (masks) masks[o] = pick
  })
}

export function roiAlignMaxGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void {
  const [dys, masks] = [dy.array, mask.array]
  const [H, W] = s.input
  const sums = new Float64Array(s.batch * s.channels * H * W)
  eachOddSample(s, rois.array, (o, plane, _empty, places, weights) => {
    const sample = masks[o]
    if (plane < 0 || !(sample >= 0 && sample < 4)) return
    for (let k = 0; k < 4; k++) if (places[k] >= 0) sums[plane * H * W + places[k]] += dys[o] * weights[4 * sample + k]
  })
  dx.array.set(sums)
}
