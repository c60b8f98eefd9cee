import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { philox } from '../../lib/rng.js'
import { inputDims, outputDims, poolingConstants } from './pooling.js'

/** Index of the first x of a window at which Σ max(x, 0) exceeds the drawn share of the window's sum. */
const drawn = gpuKernel('stochasticPool, mask', function (x: Tensor, share: Tensor) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const top = row * this.constants.SH - this.constants.PH
  const left = (this.thread.x - row * this.constants.OW) * this.constants.SW - this.constants.PW
  let total = 0
  let at = -1
  for (let i = 0; i < this.constants.KH; i++) {
    const h = top + i
    for (let j = 0; j < this.constants.KW; j++) {
      const w = left + j
      if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
        total += Math.max(x[0][this.thread.y][h * this.constants.W + w], 0)
        if (at < 0) at = h * this.constants.W + w
      }
    }
  }
  const wanted = share[0][this.thread.y][this.thread.x] * total
  let sum = 0
  let found = 0
  for (let i = 0; i < this.constants.KH; i++) {
    const h = top + i
    for (let j = 0; j < this.constants.KW; j++) {
      const w = left + j
      if (found < 1 && h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
        sum += Math.max(x[0][this.thread.y][h * this.constants.W + w], 0)
        if (sum > wanted) {
          at = h * this.constants.W + w
          found = 1
        }
      }
    }
  }
  return at
})
/** x where the mask says; 0 where it says nothing. */
const picked = gpuKernel('stochasticPool, value', function (x: Tensor, mask: Tensor) {
  const at = mask[0][this.thread.y][this.thread.x]
  if (at < 0) return 0
  return x[0][this.thread.y][at]
})
/** Σ max(x, 0)^power over a window. */
const positives = gpuKernel('stochasticMean, sums', function (x: Tensor) {
  const row = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const top = row * this.constants.SH - this.constants.PH
  const left = (this.thread.x - row * this.constants.OW) * this.constants.SW - this.constants.PW
  let sum = 0
  for (let i = 0; i < this.constants.KH; i++) {
    const h = top + i
    let line = 0
    for (let j = 0; j < this.constants.KW; j++) {
      const w = left + j
      if (h >= 0 && h < this.constants.H && w >= 0 && w < this.constants.W) {
        const v = Math.max(x[0][this.thread.y][h * this.constants.W + w], 0)
        if (this.constants.squared > 0) line += v * v
        else line += v
      }
    }
    sum += line
  }
  return sum
})
const quotient = gpuKernel('stochasticMean', function (squares: Tensor, sums: Tensor) {
  const sum = sums[0][this.thread.y][this.thread.x]
  if (sum > 0) return squares[0][this.thread.y][this.thread.x] / sum
  return 0
})
/** Σ over the windows over a positive x of dy·(2x − y) / Σ max(x, 0). */
const slope = gpuKernel('stochasticMeanGradient', function (x: Tensor, y: Tensor, sums: Tensor, dy: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const w = this.thread.x - h * this.constants.W
  const v = x[0][this.thread.y][this.thread.x]
  let sum = 0
  const lastRow = Math.min(Math.floor((h + this.constants.PH + 0.5) / this.constants.SH), this.constants.OH - 1)
  const lastColumn = Math.min(Math.floor((w + this.constants.PW + 0.5) / this.constants.SW), this.constants.OW - 1)
  for (let i = 0; i < this.constants.rows; i++) {
    const oh = lastRow - i
    for (let j = 0; j < this.constants.columns; j++) {
      const ow = lastColumn - j
      if (
        v > 0 &&
        oh >= 0 &&
        ow >= 0 &&
        h + this.constants.PH - oh * this.constants.SH < this.constants.KH &&
        w + this.constants.PW - ow * this.constants.SW < this.constants.KW
      ) {
        const o = oh * this.constants.OW + ow
        sum += (dy[0][this.thread.y][o] * (2 * v - y[0][this.thread.y][o])) / sums[0][this.thread.y][o]
      }
    }
  }
  return sum
})

export const stochasticPooling = (gpu: Gpu): Partial<Kernels> => ({
  stochasticPool(s, x, stream, y, mask) {
    const dims = outputDims(s)
    const shares = new Float32Array(dims[0] * dims[1])
    const [k0, k1, c1, c2, c3] = stream.key
    const four = new Uint32Array(4)
    for (let i = 0; i < shares.length; i++) {
      if ((i & 3) === 0) philox(i >>> 2, c1, c2, c3, k0, k1, four)
      shares[i] = four[i & 3] / 0x100000000
    }
    const share = gpu.queue.upload(shares)
    const source = { memory: x, dims: inputDims(s) }
    gpu.run(drawn, [source, { handle: share, dims }], { memory: mask, dims }, poolingConstants(s))
    gpu.run(picked, [source, { memory: mask, dims }], { memory: y, dims })
    gpu.release(share)
  },
  stochasticMean(s, x, y) {
    const source = { memory: x, dims: inputDims(s) }
    const dims = outputDims(s)
    const squares = gpu.compute(positives, [source], dims, { ...poolingConstants(s), squared: 1 })
    const sums = gpu.compute(positives, [source], dims, { ...poolingConstants(s), squared: 0 })
    const args = [
      { handle: squares, dims },
      { handle: sums, dims },
    ]
    gpu.run(quotient, args, { memory: y, dims })
    gpu.release(squares, sums)
  },
  stochasticMeanGradient(s, x, y, dy, dx) {
    const source = { memory: x, dims: inputDims(s) }
    const dims = outputDims(s)
    const sums = gpu.compute(positives, [source], dims, { ...poolingConstants(s), squared: 0 })
    const args = [source, { memory: y, dims }, { handle: sums, dims }, { memory: dy, dims }]
    gpu.run(slope, args, { memory: dx, dims: inputDims(s) }, poolingConstants(s))
    gpu.release(sums)
  },
})
