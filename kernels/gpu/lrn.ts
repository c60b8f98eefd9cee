import type { Kernels, LRNShape } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

// Across channels tensors are (N, C, H·W), within a channel (N·C, H, W).

/** k + factor·Σ x² over the channels around. */
const scaleAcross = gpuKernel('lrnAcross, scale', function (x: Tensor, k: number, factor: number) {
  let sum = 0
  for (let i = 0; i < this.constants.size; i++) {
    const c = this.thread.y + i - this.constants.reach
    if (c >= 0 && c < this.constants.channels) {
      const v = x[this.thread.z][c][this.thread.x]
      sum += v * v
    }
  }
  return k + factor * sum
})
/** x·scale^−β. */
const normalized = gpuKernel('lrn', function (x: Tensor, scale: Tensor, beta: number) {
  return x[this.thread.z][this.thread.y][this.thread.x] * scale[this.thread.z][this.thread.y][this.thread.x] ** -beta
})
/** dy·x·scale^(−β − 1). */
const ratioOf = gpuKernel('lrnGradient, ratio', function (x: Tensor, scale: Tensor, dy: Tensor, beta: number) {
  const s = scale[this.thread.z][this.thread.y][this.thread.x]
  const direct = dy[this.thread.z][this.thread.y][this.thread.x] * s ** -beta
  return (direct * x[this.thread.z][this.thread.y][this.thread.x]) / s
})
/** dy·scale^−β − factor·x·Σ ratio over the channels around. */
const slopeAcross = gpuKernel(
  'lrnAcrossGradient',
  function (x: Tensor, scale: Tensor, dy: Tensor, ratio: Tensor, beta: number, factor: number) {
    let sum = 0
    for (let i = 0; i < this.constants.size; i++) {
      const c = this.thread.y + i - this.constants.reach
      if (c >= 0 && c < this.constants.channels) sum += ratio[this.thread.z][c][this.thread.x]
    }
    const direct =
      dy[this.thread.z][this.thread.y][this.thread.x] * scale[this.thread.z][this.thread.y][this.thread.x] ** -beta
    return direct - factor * x[this.thread.z][this.thread.y][this.thread.x] * sum
  },
)
/** 1 + factor·Σ x² over the window around. */
const scaleWithin = gpuKernel('lrnWithin, scale', function (x: Tensor, factor: number) {
  let sum = 0
  for (let i = 0; i < this.constants.size; i++) {
    const h = this.thread.y + i - this.constants.reach
    for (let j = 0; j < this.constants.size; j++) {
      const w = this.thread.x + j - this.constants.reach
      if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
        const v = x[this.thread.z][h][w]
        sum += v * v
      }
    }
  }
  return 1 + factor * sum
})
/** dy·scale^−β − factor·x·Σ ratio over the window around. */
const slopeWithin = gpuKernel(
  'lrnWithinGradient',
  function (x: Tensor, scale: Tensor, dy: Tensor, ratio: Tensor, beta: number, factor: number) {
    let sum = 0
    for (let i = 0; i < this.constants.size; i++) {
      const h = this.thread.y + i - this.constants.reach
      for (let j = 0; j < this.constants.size; j++) {
        const w = this.thread.x + j - this.constants.reach
        if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) sum += ratio[this.thread.z][h][w]
      }
    }
    const direct =
      dy[this.thread.z][this.thread.y][this.thread.x] * scale[this.thread.z][this.thread.y][this.thread.x] ** -beta
    return direct - factor * x[this.thread.z][this.thread.y][this.thread.x] * sum
  },
)

const acrossDims = (s: LRNShape) => [s.height * s.width, s.channels, s.batch] as const
const withinDims = (s: LRNShape) => [s.width, s.height, s.batch * s.channels] as const

export const lrn = (gpu: Gpu): Partial<Kernels> => ({
  lrnAcross(s, x, scale, y) {
    const dims = acrossDims(s)
    const constants = { size: s.size, reach: (s.size - 1) / 2, channels: s.channels }
    gpu.run(scaleAcross, [{ memory: x, dims }, s.k, s.alpha / s.size], { memory: scale, dims }, constants)
    gpu.map(normalized, dims[0] * dims[1] * dims[2], [x, scale, s.beta], y)
  },
  lrnAcrossGradient(s, x, scale, dy, ratio, dx) {
    const dims = acrossDims(s)
    const [xs, scales, dys, ratios] = [x, scale, dy, ratio].map(memory => ({ memory, dims }))
    gpu.map(ratioOf, dims[0] * dims[1] * dims[2], [x, scale, dy, s.beta], ratio)
    const factor = (2 * s.alpha * s.beta) / s.size
    const constants = { size: s.size, reach: (s.size - 1) / 2, channels: s.channels }
    gpu.run(slopeAcross, [xs, scales, dys, ratios, s.beta, factor], { memory: dx, dims }, constants)
  },
  lrnWithin(s, x, scale, y) {
    const dims = withinDims(s)
    const constants = { size: s.size, reach: (s.size - 1) / 2, H: s.height, W: s.width }
    gpu.run(scaleWithin, [{ memory: x, dims }, s.alpha / (s.size * s.size)], { memory: scale, dims }, constants)
    gpu.map(normalized, dims[0] * dims[1] * dims[2], [x, scale, s.beta], y)
  },
  lrnWithinGradient(s, x, scale, dy, ratio, dx) {
    const dims = withinDims(s)
    const [xs, scales, dys, ratios] = [x, scale, dy, ratio].map(memory => ({ memory, dims }))
    gpu.map(ratioOf, dims[0] * dims[1] * dims[2], [x, scale, dy, s.beta], ratio)
    const factor = (2 * s.alpha * s.beta) / (s.size * s.size)
    const constants = { size: s.size, reach: (s.size - 1) / 2, H: s.height, W: s.width }
    gpu.run(slopeWithin, [xs, scales, dys, ratios, s.beta, factor], { memory: dx, dims }, constants)
  },
})
