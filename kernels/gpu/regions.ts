import type { Kernels, RegionShape } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { type Constants, type Dims, type GpuKernel, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { wholeBins } from '../js/region_bins.js'
import { whole } from './labels.js'

// Planes of y are (regions·channels) of PH·PW bins, planes of x (batch·channels) of H·W pixels: thread.x is a place in the
// plane, thread.y the plane. Where bins begin and end is computed first, 2·(PH + PW) numbers for each region.

/** Half away from zero. */
export function awayFromZero(v: number): number {
  if (v < 0) return -Math.floor(0.5 - v)
  return Math.floor(v + 0.5)
}

/** Which axis a pair of ends is of: 0 for rows, 1 for columns. */
function axisOf(pair: number, PH: number): number {
  if (pair < PH) return 0
  return 1
}
/** The value of an axis. */
function along(axis: number, ofRows: number, ofColumns: number): number {
  if (axis === 0) return ofRows
  return ofColumns
}

/** Ends of bins between rounded corners. How a length is cut is looked up: devices divide in single precision as they like. */
const wholeEnds = gpuKernel(
  'roiPool, bins',
  function (rois: Tensor, table: Tensor, scale: number) {
    const r = this.thread.y
    const pair = Math.floor((this.thread.x + 0.5) / 2)
    const isEnd = this.thread.x - 2 * pair
    const axis = axisOf(pair, this.constants.PH)
    const bins = along(axis, this.constants.PH, this.constants.PW)
    const size = along(axis, this.constants.H, this.constants.W)
    const p = pair - axis * this.constants.PH
    const picture = whole(rois[0][r][0])
    if (picture < 0 || picture >= this.constants.batch) return 0
    const first = awayFromZero(rois[0][r][2 - axis] * scale)
    const length = Math.max(awayFromZero(rois[0][r][4 - axis] * scale) - first + 1, 1)
    let offset = Math.floor((p * length + 0.5) / bins)
    if (isEnd === 1) offset = Math.floor(((p + 1) * length + bins - 0.5) / bins)
    if (length <= this.constants.longest) offset = table[0][length - 1][this.thread.x]
    return Math.max(0, Math.min(first + offset, size))
  },
  [whole, awayFromZero, axisOf, along],
)
/** Ends of bins between corners that are rounded before they are scaled. */
const fractionEnds = gpuKernel(
  'positionRoiPool, bins',
  function (rois: Tensor, scale: number) {
    const r = this.thread.y
    const pair = Math.floor((this.thread.x + 0.5) / 2)
    const isEnd = this.thread.x - 2 * pair
    const axis = axisOf(pair, this.constants.PH)
    const bins = along(axis, this.constants.PH, this.constants.PW)
    const size = along(axis, this.constants.H, this.constants.W)
    const p = pair - axis * this.constants.PH
    const picture = whole(rois[0][r][0])
    if (picture < 0 || picture >= this.constants.batch) return 0
    const first = awayFromZero(rois[0][r][2 - axis]) * scale
    const length = Math.max((awayFromZero(rois[0][r][4 - axis]) + 1) * scale - first, 0.1)
    const at = ((p + isEnd) * length) / bins + first
    let edge = Math.floor(at)
    if (isEnd === 1) edge = Math.ceil(at)
    return Math.max(0, Math.min(edge, size))
  },
  [whole, awayFromZero, axisOf, along],
)

const pickedAt = gpuKernel(
  'roiPool, mask',
  function (x: Tensor, rois: Tensor, ends: Tensor) {
    const r = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const plane = (whole(rois[0][r][0]) - r) * this.constants.C + this.thread.y
    const p = Math.floor((this.thread.x + 0.5) / this.constants.PW)
    const q = this.thread.x - p * this.constants.PW + this.constants.PH
    const right = ends[0][r][2 * q + 1]
    let best = 0
    let at = -1
    for (let h = ends[0][r][2 * p]; h < ends[0][r][2 * p + 1]; h++) {
      for (let w = ends[0][r][2 * q]; w < right; w++) {
        const v = x[0][plane][h * this.constants.W + w]
        if (at < 0 || v > best) {
          best = v
          at = h * this.constants.W + w
        }
      }
    }
    return at
  },
  [whole],
)
const picked = gpuKernel(
  'roiPool, value',
  function (x: Tensor, rois: Tensor, mask: Tensor) {
    const at = mask[0][this.thread.y][this.thread.x]
    if (at < 0) return 0
    const r = Math.floor((this.thread.y + 0.5) / this.constants.C)
    return x[0][(whole(rois[0][r][0]) - r) * this.constants.C + this.thread.y][at]
  },
  [whole],
)
const returned = gpuKernel(
  'roiPoolGradient',
  function (dy: Tensor, rois: Tensor, mask: Tensor, regions: number, scale: number) {
    const n = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const c = this.thread.y - n * this.constants.C
    const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
    const w = this.thread.x - h * this.constants.W
    let sum = 0
    for (let r = 0; r < regions; r++) {
      if (
        whole(rois[0][r][0]) === n &&
        w >= awayFromZero(rois[0][r][1] * scale) &&
        h >= awayFromZero(rois[0][r][2] * scale) &&
        w <= awayFromZero(rois[0][r][3] * scale) &&
        h <= awayFromZero(rois[0][r][4] * scale)
      ) {
        let part = 0
        for (let o = 0; o < this.constants.bins; o++) {
          if (mask[0][r * this.constants.C + c][o] === this.thread.x) part += dy[0][r * this.constants.C + c][o]
        }
        sum += part
      }
    }
    return sum
  },
  [whole, awayFromZero],
)

const mean = gpuKernel(
  'positionRoiPool',
  function (x: Tensor, rois: Tensor, ends: Tensor) {
    const r = Math.floor((this.thread.y + 0.5) / this.constants.C)
    const plane = ((whole(rois[0][r][0]) - r) * this.constants.C + this.thread.y) * this.constants.bins + this.thread.x
    const p = Math.floor((this.thread.x + 0.5) / this.constants.PW)
    const q = this.thread.x - p * this.constants.PW + this.constants.PH
    const top = ends[0][r][2 * p]
    const bottom = ends[0][r][2 * p + 1]
    const left = ends[0][r][2 * q]
    const right = ends[0][r][2 * q + 1]
    if (bottom <= top || right <= left) return 0
    let sum = 0
    for (let h = top; h < bottom; h++) {
      let row = 0
      for (let w = left; w < right; w++) row += x[0][plane][h * this.constants.W + w]
      sum += row
    }
    return sum / ((bottom - top) * (right - left))
  },
  [whole],
)
const shared = gpuKernel(
  'positionRoiPoolGradient',
  function (dy: Tensor, rois: Tensor, ends: Tensor, regions: number) {
    const channel = Math.floor((this.thread.y + 0.5) / this.constants.bins)
    const bin = this.thread.y - channel * this.constants.bins
    const n = Math.floor((channel + 0.5) / this.constants.C)
    const c = channel - n * this.constants.C
    const p = Math.floor((bin + 0.5) / this.constants.PW)
    const q = bin - p * this.constants.PW + this.constants.PH
    const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
    const w = this.thread.x - h * this.constants.W
    let sum = 0
    for (let r = 0; r < regions; r++) {
      const top = ends[0][r][2 * p]
      const bottom = ends[0][r][2 * p + 1]
      const left = ends[0][r][2 * q]
      const right = ends[0][r][2 * q + 1]
      if (whole(rois[0][r][0]) === n && h >= top && h < bottom && w >= left && w < right)
        sum += dy[0][r * this.constants.C + c][bin] / ((bottom - top) * (right - left))
    }
    return sum
  },
  [whole],
)

/** The sizes of a pooling of regions as kernels name them. */
export function regionConstants(s: RegionShape): Constants {
  const [[H, W], [PH, PW]] = [s.input, s.output]
  return { batch: s.batch, C: s.channels, H, W, PH, PW, bins: PH * PW }
}

export const regionDims = (s: RegionShape) => {
  const bins = s.output[0] * s.output[1]
  const pixels = s.input[0] * s.input[1]
  return {
    x: [pixels, s.batch * s.channels, 1],
    positions: [pixels, s.batch * s.channels * bins, 1],
    y: [bins, s.regions * s.channels, 1],
    rois: [5, s.regions, 1],
    ends: [2 * (s.output[0] + s.output[1]), s.regions, 1],
  } as const satisfies Record<string, Dims>
}

/** How spans of 1, 2, … pixels, up to a little more than planes have, are cut to bins on a host. */
function tableOf(gpu: Gpu, s: RegionShape): { table: Handle; longest: number } {
  const longest = Math.max(...s.input) + 2
  const [PH, PW] = s.output
  const table = new Float32Array(longest * 2 * (PH + PW))
  const ends = new Int32Array(2 * Math.max(PH, PW))
  for (let length = 1, at = 0; length <= longest; length++)
    for (const bins of s.output) {
      wholeBins({ first: 0, last: length - 1 }, bins, 2 * longest, ends)
      table.set(ends.subarray(0, 2 * bins), at)
      at += 2 * bins
    }
  return { table: gpu.queue.upload(table), longest }
}

function wholeEndsOf(gpu: Gpu, s: RegionShape, rois: Memory): Handle {
  const dims = regionDims(s)
  const { table, longest } = tableOf(gpu, s)
  const args = [
    { memory: rois, dims: dims.rois },
    { handle: table, dims: [dims.ends[0], longest, 1] as const },
    s.scale,
  ]
  const ends = gpu.compute(wholeEnds, args, dims.ends, { ...regionConstants(s), longest })
  gpu.release(table)
  return ends
}

/** dx of planes that walk through all regions: kernels of (dy, rois[, mask], regions, scale). */
export function planesGradient(
  gpu: Gpu,
  kernel: GpuKernel,
  s: RegionShape,
  { dy, rois, mask, dx }: { dy: Memory; rois: Memory; mask?: Memory; dx: Memory },
  constants: Constants,
): void {
  if (s.regions === 0) {
    gpu.kernels.fill(dx.length, 0, dx)
    return
  }
  const dims = regionDims(s)
  const masks = mask ? [{ memory: mask, dims: dims.y }] : []
  const args = [{ memory: dy, dims: dims.y }, { memory: rois, dims: dims.rois }, ...masks, s.regions, s.scale]
  gpu.run(kernel, args, { memory: dx, dims: dims.x }, constants)
}

const fractionEndsOf = (gpu: Gpu, s: RegionShape, rois: Memory): Handle =>
  gpu.compute(
    fractionEnds,
    [{ memory: rois, dims: regionDims(s).rois }, s.scale],
    regionDims(s).ends,
    regionConstants(s),
  )

export const regions = (gpu: Gpu): Partial<Kernels> => ({
  roiPool(s, x, rois, y, mask) {
    const dims = regionDims(s)
    const ends = wholeEndsOf(gpu, s, rois)
    const [source, regions] = [
      { memory: x, dims: dims.x },
      { memory: rois, dims: dims.rois },
    ]
    // only host engines go without one
    const at = { memory: mask as Memory, dims: dims.y }
    gpu.run(pickedAt, [source, regions, { handle: ends, dims: dims.ends }], at, regionConstants(s))
    gpu.run(picked, [source, regions, at], { memory: y, dims: dims.y }, regionConstants(s))
    gpu.release(ends)
  },
  roiPoolGradient(s, dy, rois, mask, dx) {
    planesGradient(gpu, returned, s, { dy, rois, mask, dx }, regionConstants(s))
  },
  positionRoiPool(s, x, rois, y) {
    const dims = regionDims(s)
    const ends = fractionEndsOf(gpu, s, rois)
    const args = [
      { memory: x, dims: dims.positions },
      { memory: rois, dims: dims.rois },
      { handle: ends, dims: dims.ends },
    ]
    gpu.run(mean, args, { memory: y, dims: dims.y }, regionConstants(s))
    gpu.release(ends)
  },
  positionRoiPoolGradient(s, dy, rois, dx) {
    if (s.regions === 0) return gpu.kernels.fill(dx.length, 0, dx)
    const dims = regionDims(s)
    const ends = fractionEndsOf(gpu, s, rois)
    const args = [
      { memory: dy, dims: dims.y },
      { memory: rois, dims: dims.rois },
      { handle: ends, dims: dims.ends },
      s.regions,
    ]
    gpu.run(shared, args, { memory: dx, dims: dims.positions }, regionConstants(s))
    gpu.release(ends)
  },
})
