import type { Kernels, RegionAlignShape } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { whole } from './labels.js'
import { planesGradient, regionConstants, regionDims } from './regions.js'

/** How many samples a bin has along an axis. */
function samplesPerBin(given: number, bin: number, most: number): number {
  if (given > 0) return given
  return Math.max(1, Math.min(Math.ceil(bin), most))
}
/** What a pixel weighs in a sample along an axis. */
function weightAt(at: number, size: number, pixel: number): number {
  if (at < -1 || at > size) return 0
  const inside = Math.max(at, 0)
  const low = Math.min(Math.floor(inside), size - 1)
  const above = inside - low
  if (low >= size - 1) {
    if (pixel === low) return 1
    return 0
  }
  if (pixel === low) return 1 - above
  if (pixel === low + 1) return above
  return 0
}
/** The lower one of the two pixels around a sample. */
function pixelBelow(at: number, size: number): number {
  return Math.min(Math.floor(Math.max(at, 0)), size - 1)
}

const aligned = gpuKernel(
  'roiAlign',
  function (x: Tensor, rois: Tensor, scale: number) {
    const r = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const picture = whole(rois[0][r][0])
    if (picture < 0 || picture >= this.constants.batch) return 0
    const plane = (picture - r) * this.constants.C + this.thread.y
    const p = Math.floor((this.thread.x + 0.5) / this.constants.PW)
    const q = this.thread.x - p * this.constants.PW
    const left = rois[0][r][1] * scale
    const top = rois[0][r][2] * scale
    const binW = Math.max(rois[0][r][3] * scale - left, 1) / this.constants.PW
    const binH = Math.max(rois[0][r][4] * scale - top, 1) / this.constants.PH
    const tall = samplesPerBin(this.constants.samples, binH, this.constants.mostH)
    const wide = samplesPerBin(this.constants.samples, binW, this.constants.mostW)
    let sum = 0
    for (let i = 0; i < tall; i++) {
      const y = top + p * binH + ((i + 0.5) * binH) / tall
      const low = pixelBelow(y, this.constants.H)
      const high = Math.min(low + 1, this.constants.H - 1)
      const ofLow = weightAt(y, this.constants.H, low)
      let ofHigh = 0
      if (high > low) ofHigh = weightAt(y, this.constants.H, high)
      let line = 0
      for (let j = 0; j < wide; j++) {
        const at = left + q * binW + ((j + 0.5) * binW) / wide
        const a = pixelBelow(at, this.constants.W)
        const b = Math.min(a + 1, this.constants.W - 1)
        const ofA = weightAt(at, this.constants.W, a)
        let ofB = 0
        if (b > a) ofB = weightAt(at, this.constants.W, b)
        line +=
          ofLow * (ofA * x[0][plane][low * this.constants.W + a] + ofB * x[0][plane][low * this.constants.W + b]) +
          ofHigh * (ofA * x[0][plane][high * this.constants.W + a] + ofB * x[0][plane][high * this.constants.W + b])
      }
      sum += line
    }
    return sum / (tall * wide)
  },
  [whole, samplesPerBin, weightAt, pixelBelow],
)
const alignedBack = gpuKernel(
  'roiAlignGradient',
  function (dy: Tensor, rois: Tensor, regions: number, scale: number) {
    const n = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const c = this.thread.y - n * this.constants.C
    const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
    const w = this.thread.x - h * this.constants.W
    let sum = 0
    for (let r = 0; r < regions; r++) {
      if (whole(rois[0][r][0]) === n) {
        const left = rois[0][r][1] * scale
        const top = rois[0][r][2] * scale
        const binW = Math.max(rois[0][r][3] * scale - left, 1) / this.constants.PW
        const binH = Math.max(rois[0][r][4] * scale - top, 1) / this.constants.PH
        const tall = samplesPerBin(this.constants.samples, binH, this.constants.mostH)
        const wide = samplesPerBin(this.constants.samples, binW, this.constants.mostW)
        let part = 0
        for (let p = 0; p < this.constants.PH; p++) {
          let ofRows = 0
          for (let i = 0; i < tall; i++)
            ofRows += weightAt(top + p * binH + ((i + 0.5) * binH) / tall, this.constants.H, h)
          if (ofRows > 0) {
            for (let q = 0; q < this.constants.PW; q++) {
              let ofColumns = 0
              for (let j = 0; j < wide; j++)
                ofColumns += weightAt(left + q * binW + ((j + 0.5) * binW) / wide, this.constants.W, w)
              part += ofRows * ofColumns * dy[0][r * this.constants.C + c][p * this.constants.PW + q]
            }
          }
        }
        sum += part / (tall * wide)
      }
    }
    return sum
  },
  [whole, samplesPerBin, weightAt],
)

/** What a grid point weighs along one axis for a sample at ±½ of the region from −1 to 1. */
function oddWeight(sample: number, point: number, first: number, last: number): number {
  let at = 0
  if (first !== last) at = Math.min(Math.max((2 * (point - first)) / (last - first) - 1, -1), 1)
  return Math.max(1 - Math.abs(sample - at), 0)
}

/** The largest of four samples, or which it is. */
const largest = gpuKernel(
  'roiAlignMax',
  function (x: Tensor, rois: Tensor, scale: number) {
    const r = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const picture = whole(rois[0][r][0])
    if (picture < 0 || picture >= this.constants.batch) return -this.constants.which
    const plane = (picture - r) * this.constants.C + this.thread.y
    const p = Math.floor((this.thread.x + 0.5) / this.constants.PW)
    const q = this.thread.x - p * this.constants.PW
    const x1 = rois[0][r][1] * scale
    const y1 = rois[0][r][2] * scale
    const x2 = rois[0][r][3] * scale
    const y2 = rois[0][r][4] * scale
    const binW = Math.max(x2 - x1 + 1, 1) / this.constants.PW
    const binH = Math.max(y2 - y1 + 1, 1) / this.constants.PH
    const top = Math.max(0, Math.min(p * binH + y1, this.constants.H))
    const bottom = Math.max(0, Math.min((p + 1) * binH + y1, this.constants.H))
    const left = Math.max(0, Math.min(q * binW + x1, this.constants.W))
    const right = Math.max(0, Math.min((q + 1) * binW + x1, this.constants.W))
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    let points = 0
    for (let h = Math.ceil(top); h <= Math.min(Math.floor(bottom), this.constants.H - 1); h++) {
      for (let w = Math.ceil(left); w <= Math.min(Math.floor(right), this.constants.W - 1); w++) {
        if (points < 4) {
          const v = x[0][plane][h * this.constants.W + w]
          const before = oddWeight(-0.5, w, x1, x2)
          const behind = oddWeight(0.5, w, x1, x2)
          const above = oddWeight(-0.5, h, y1, y2)
          const below = oddWeight(0.5, h, y1, y2)
          a += v * (before * above)
          b += v * (before * below)
          c += v * (behind * above)
          d += v * (behind * below)
        }
        points += 1
      }
    }
    let best = a
    let pick = 0
    if (bottom <= top || right <= left) {
      best = Math.max(a, 0)
      if (a <= 0) pick = -1
    }
    if (b > best) {
      best = b
      pick = 1
    }
    if (c > best) {
      best = c
      pick = 2
    }
    if (d > best) {
      best = d
      pick = 3
    }
    if (this.constants.which === 1) return pick
    return best
  },
  [whole, oddWeight],
)
const largestBack = gpuKernel(
  'roiAlignMaxGradient',
  function (dy: Tensor, rois: Tensor, mask: Tensor, regions: number, scale: number) {
    const n = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const c = this.thread.y - n * this.constants.C
    const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
    const w = this.thread.x - h * this.constants.W
    let sum = 0
    for (let r = 0; r < regions; r++) {
      if (whole(rois[0][r][0]) === n) {
        const x1 = rois[0][r][1] * scale
        const y1 = rois[0][r][2] * scale
        const x2 = rois[0][r][3] * scale
        const y2 = rois[0][r][4] * scale
        const binW = Math.max(x2 - x1 + 1, 1) / this.constants.PW
        const binH = Math.max(y2 - y1 + 1, 1) / this.constants.PH
        let part = 0
        for (let p = 0; p < this.constants.PH; p++) {
          const top = Math.ceil(Math.max(0, Math.min(p * binH + y1, this.constants.H)))
          const bottom = Math.floor(Math.max(0, Math.min((p + 1) * binH + y1, this.constants.H)))
          if (h >= top && h <= bottom) {
            for (let q = 0; q < this.constants.PW; q++) {
              const left = Math.ceil(Math.max(0, Math.min(q * binW + x1, this.constants.W)))
              const right = Math.floor(Math.max(0, Math.min((q + 1) * binW + x1, this.constants.W)))
              const columns = Math.min(right, this.constants.W - 1) - left + 1
              const sample = mask[0][r * this.constants.C + c][p * this.constants.PW + q]
              if (w >= left && w <= right && (h - top) * columns + w - left < 4 && sample >= 0) {
                let across = -0.5
                let along = -0.5
                if (sample >= 2) across = 0.5
                if (sample === 1 || sample === 3) along = 0.5
                part +=
                  oddWeight(across, w, x1, x2) *
                  oddWeight(along, h, y1, y2) *
                  dy[0][r * this.constants.C + c][p * this.constants.PW + q]
              }
            }
          }
        }
        sum += part
      }
    }
    return sum
  },
  [whole, oddWeight],
)

const alignConstants = (s: RegionAlignShape) => ({
  ...regionConstants(s),
  samples: s.samples,
  mostH: Math.ceil((s.input[0] + 1) / s.output[0]),
  mostW: Math.ceil((s.input[1] + 1) / s.output[1]),
})

export const roiAlign = (gpu: Gpu): Partial<Kernels> => ({
  roiAlign(s, x, rois, y) {
    const dims = regionDims(s)
    const args = [{ memory: x, dims: dims.x }, { memory: rois, dims: dims.rois }, s.scale]
    gpu.run(aligned, args, { memory: y, dims: dims.y }, alignConstants(s))
  },
  roiAlignGradient(s, dy, rois, dx) {
    planesGradient(gpu, alignedBack, s, { dy, rois, dx }, alignConstants(s))
  },
  roiAlignMax(s, x, rois, y, mask) {
    const dims = regionDims(s)
    const args = [{ memory: x, dims: dims.x }, { memory: rois, dims: dims.rois }, s.scale]
    gpu.run(largest, args, { memory: y, dims: dims.y }, { ...regionConstants(s), which: 0 })
    // only host engines go without one
    gpu.run(largest, args, { memory: mask as Memory, dims: dims.y }, { ...regionConstants(s), which: 1 })
  },
  roiAlignMaxGradient(s, dy, rois, mask, dx) {
    planesGradient(gpu, largestBack, s, { dy, rois, mask, dx }, regionConstants(s))
  },
})
