import type { Kernels, PoolingShape } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type Constants, type Dims, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'

// Tensors are (planes, H·W): thread.x is a place in the plane, thread.y the plane.

/** Index of the largest x of a window, the first one on a tie, −1 if there is none. */
const largestAt = gpuKernel('maxPool, mask', function (x: Tensor) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const top = row * this.constants.SH - this.constants.PH
  const left = (this.thread.x - row * this.constants.OW) * this.constants.SW - this.constants.PW
  let best = -3.4028234663852886e38
  let at = -1
  for (let i = 0; i < this.constants.KH; i++) {
    const h = top + i
    for (let j = 0; j < this.constants.KW; j++) {
      const w = left + j
      if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
        const v = x[0][this.thread.y][h * this.constants.W + w]
        if (v > best) {
          best = v
          at = h * this.constants.W + w
        }
      }
    }
  }
  return at
})
/** x where the mask says; −FLT_MAX where it says nothing. */
const picked = gpuKernel('maxPool, value', function (x: Tensor, mask: Tensor) {
  const at = mask[0][this.thread.y][this.thread.x]
  if (at < 0) return -3.4028234663852886e38
  return x[0][this.thread.y][at]
})
/** Σ dy of the windows whose mask names this place. */
const returned = gpuKernel('maxPoolGradient', function (dy: Tensor, mask: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const w = this.thread.x - h * this.constants.W
  let sum = 0
  // the windows over a place begin at most K − 1 before it
  const lastRow = Math.min(Math.floor((h + this.constants.PH + 0.5) / this.constants.SH), this.constants.OH - 1)
  const lastColumn = Math.min(Math.floor((w + this.constants.PW + 0.5) / this.constants.SW), this.constants.OW - 1)
  for (let i = 0; i < this.constants.rows; i++) {
    const oh = lastRow - i
    for (let j = 0; j < this.constants.columns; j++) {
      const ow = lastColumn - j
      if (
        oh >= 0 &&
        ow >= 0 &&
        h + this.constants.PH - oh * this.constants.SH < this.constants.KH &&
        w + this.constants.PW - ow * this.constants.SW < this.constants.KW
      ) {
        const o = oh * this.constants.OW + ow
        if (mask[0][this.thread.y][o] === this.thread.x) sum += dy[0][this.thread.y][o]
      }
    }
  }
  return sum
})

/** Σ x of a window / its area, clipped to size + pad. */
const mean = gpuKernel('averagePool', function (x: Tensor) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const top = row * this.constants.SH - this.constants.PH
  const left = (this.thread.x - row * this.constants.OW) * this.constants.SW - this.constants.PW
  let sum = 0
  for (let i = 0; i < this.constants.KH; i++) {
    const h = top + i
    let line = 0
    for (let j = 0; j < this.constants.KW; j++) {
      const w = left + j
      if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W)
        line += x[0][this.thread.y][h * this.constants.W + w]
    }
    sum += line
  }
  const height = Math.min(top + this.constants.KH, this.constants.H + this.constants.PH) - top
  const width = Math.min(left + this.constants.KW, this.constants.W + this.constants.PW) - left
  if (height <= 0 || width <= 0) return 0
  return sum / (height * width)
})
/** Σ dy / area of the windows over this place. */
const shared = gpuKernel('averagePoolGradient', function (dy: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const w = this.thread.x - h * this.constants.W
  let sum = 0
  // the windows over a place begin at most K − 1 before it
  const lastRow = Math.min(Math.floor((h + this.constants.PH + 0.5) / this.constants.SH), this.constants.OH - 1)
  const lastColumn = Math.min(Math.floor((w + this.constants.PW + 0.5) / this.constants.SW), this.constants.OW - 1)
  for (let i = 0; i < this.constants.rows; i++) {
    const oh = lastRow - i
    for (let j = 0; j < this.constants.columns; j++) {
      const ow = lastColumn - j
      if (
        oh >= 0 &&
        ow >= 0 &&
        h + this.constants.PH - oh * this.constants.SH < this.constants.KH &&
        w + this.constants.PW - ow * this.constants.SW < this.constants.KW
      ) {
        const top = oh * this.constants.SH - this.constants.PH
        const left = ow * this.constants.SW - this.constants.PW
        const height = Math.min(top + this.constants.KH, this.constants.H + this.constants.PH) - top
        const width = Math.min(left + this.constants.KW, this.constants.W + this.constants.PW) - left
        sum += dy[0][this.thread.y][oh * this.constants.OW + ow] / (height * width)
      }
    }
  }
  return sum
})

/** The sizes of a pooling as kernels name them. */
export function poolingConstants(s: PoolingShape): Constants {
  const [[H, W], [OH, OW], [KH, KW], [SH, SW], [PH, PW]] = [s.input, s.output, s.kernel, s.stride, s.pad]
  // windows that may lie over a place: there are no more than outputs, one where all of the plane is pooled
  const [rows, columns] = [Math.min(OH, Math.ceil(KH / SH)), Math.min(OW, Math.ceil(KW / SW))]
  return { H, W, OH, OW, KH, KW, SH, SW, PH, PW, rows, columns }
}

export const inputDims = (s: PoolingShape): Dims => [s.input[0] * s.input[1], s.planes, 1]
export const outputDims = (s: PoolingShape): Dims => [s.output[0] * s.output[1], s.planes, 1]

export const pooling = (gpu: Gpu): Partial<Kernels> => ({
  maxPool(s, x, y, mask) {
    const source = { memory: x, dims: inputDims(s) }
    const dims = outputDims(s)
    // only host engines go without one
    const at = { memory: mask as Memory, dims }
    gpu.run(largestAt, [source], at, poolingConstants(s))
    gpu.run(picked, [source, at], { memory: y, dims })
  },
  maxPoolGradient(s, dy, mask, dx) {
    const dims = outputDims(s)
    const args = [
      { memory: dy, dims },
      { memory: mask, dims },
    ]
    gpu.run(returned, args, { memory: dx, dims: inputDims(s) }, poolingConstants(s))
  },
  averagePool: (s, x, y) =>
    gpu.run(mean, [{ memory: x, dims: inputDims(s) }], { memory: y, dims: outputDims(s) }, poolingConstants(s)),
  averagePoolGradient: (s, dy, dx) =>
    gpu.run(shared, [{ memory: dy, dims: outputDims(s) }], { memory: dx, dims: inputDims(s) }, poolingConstants(s)),
})
