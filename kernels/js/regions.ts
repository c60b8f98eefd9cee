import type { RegionShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { fractionBins, pictureOf, spanOf, wholeBins } from './region_bins.js'

export function roiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void {
  const [xs, ys, masks] = [x.array, y.array, mask?.array]
  const [[H, W], [PH, PW]] = [s.input, s.output]
  const [rows, columns] = [new Int32Array(2 * PH), new Int32Array(2 * PW)]
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois.array, r)
    wholeBins(spanOf(s, rois.array, r, 0), PH, n < 0 ? 0 : H, rows)
    wholeBins(spanOf(s, rois.array, r, 1), PW, n < 0 ? 0 : W, columns)
    for (let c = 0; c < s.channels; c++) {
      const plane = (n * s.channels + c) * H * W
      for (let p = 0; p < PH; p++)
        for (let q = 0; q < PW; q++, o++) {
          let best = 0
          let at = -1
          for (let h = rows[2 * p]; h < rows[2 * p + 1]; h++)
            for (let i = h * W + columns[2 * q]; i < h * W + columns[2 * q + 1]; i++)
              if (at < 0 || xs[plane + i] > best) {
                best = xs[plane + i]
                at = i
              }
          ys[o] = best
          if (masks) masks[o] = at
        }
    }
  }
}

export function roiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void {
  const [dys, masks] = [dy.array, mask.array]
  const [H, W] = s.input
  const bins = s.output[0] * s.output[1]
  const sums = new Float64Array(s.batch * s.channels * H * W)
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois.array, r)
    const rows = spanOf(s, rois.array, r, 0)
    const columns = spanOf(s, rois.array, r, 1)
    for (let c = 0; c < s.channels; c++)
      for (let i = 0; i < bins; i++, o++) {
        const at = masks[o]
        if (n < 0 || !(at >= 0 && at < H * W)) continue
        const h = Math.floor(at / W)
        const w = at - h * W
        if (h >= rows.first && h <= rows.last && w >= columns.first && w <= columns.last)
          sums[(n * s.channels + c) * H * W + at] += dys[o]
      }
  }
  dx.array.set(sums)
}

/** Calls visit for each bin that is not empty: its output value, the plane of x and the window in it. */
function eachPosition(
  s: RegionShape,
  rois: ArrayLike<number>,
  visit: (o: number, plane: number, top: number, bottom: number, left: number, right: number) => void,
): void {
  const [[H, W], [PH, PW]] = [s.input, s.output]
  const [rows, columns] = [new Int32Array(2 * PH), new Int32Array(2 * PW)]
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois, r)
    fractionBins(s, rois, r, 0, rows)
    fractionBins(s, rois, r, 1, columns)
    for (let c = 0; c < s.channels; c++)
      for (let p = 0; p < PH; p++)
        for (let q = 0; q < PW; q++, o++) {
          const [top, bottom, left, right] = [rows[2 * p], rows[2 * p + 1], columns[2 * q], columns[2 * q + 1]]
          if (n < 0 || bottom <= top || right <= left) continue
          visit(o, (((n * s.channels + c) * PH + p) * PW + q) * H * W, top, bottom, left, right)
        }
  }
}

export function positionRoiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory): void {
  const [xs, ys] = [x.array, y.array]
  const W = s.input[1]
  ys.fill(0, 0, s.regions * s.channels * s.output[0] * s.output[1])
  eachPosition(s, rois.array, (o, plane, top, bottom, left, right) => {
    let sum = 0
    for (let h = top; h < bottom; h++) for (let w = left; w < right; w++) sum += xs[plane + h * W + w]
    ys[o] = sum / ((bottom - top) * (right - left))
  })
}

export function positionRoiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, dx: Memory): void {
  const dys = dy.array
  const [H, W] = s.input
  const sums = new Float64Array(s.batch * s.channels * s.output[0] * s.output[1] * H * W)
  eachPosition(s, rois.array, (o, plane, top, bottom, left, right) => {
    const share = dys[o] / ((bottom - top) * (right - left))
    for (let h = top; h < bottom; h++) for (let w = left; w < right; w++) sums[plane + h * W + w] += share
  })
  dx.array.set(sums)
}
