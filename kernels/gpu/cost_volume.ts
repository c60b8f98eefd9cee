import type { CostVolumeShape, Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type Dims, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { product } from './places.js'

// Pictures are (N, C, H·W), volumes (N, displacements, h·w): thread.x is a place in the plane, thread.y which plane of item
// thread.z.

const volume = gpuKernel('costVolume', function (a: Tensor, b: Tensor) {
  const i = Math.floor((this.thread.x + 0.5) / this.constants.OW)
  const j = this.thread.x - i * this.constants.OW
  const r = Math.floor((this.thread.y + 0.5) / this.constants.columns)
  const down = this.constants.down + r * this.constants.step
  const across = this.constants.across + (this.thread.y - r * this.constants.columns) * this.constants.step
  let sum = 0
  for (let v = 0; v < this.constants.kernel; v++) {
    const row = this.constants.top + i * this.constants.stride + v
    for (let u = 0; u < this.constants.kernel; u++) {
      const column = this.constants.left + j * this.constants.stride + u
      // pixels outside are multiplied by 0, and those of an index within are read
      let first = 1
      if (row < 0 || row >= this.constants.H || column < 0 || column >= this.constants.W) first = 0
      let second = 1
      if (row + down < 0 || row + down >= this.constants.H) second = 0
      if (column + across < 0 || column + across >= this.constants.W) second = 0
      const p = first * (row * this.constants.W + column)
      const q = second * ((row + down) * this.constants.W + column + across)
      if (first + second > 0) {
        for (let c = 0; c < this.constants.C; c++) {
          const x = first * a[this.thread.z][c][p]
          const y = second * b[this.thread.z][c][q]
          if (this.constants.subtract === 1) sum += Math.abs(x - y)
          else sum += x * y
        }
      }
    }
  }
  return sum * this.constants.share
})

const gradient = gpuKernel('costVolumeGradient', function (x: Tensor, other: Tensor, dy: Tensor) {
  const h = Math.floor((this.thread.x + 0.5) / this.constants.W)
  const w = this.thread.x - h * this.constants.W
  const own = x[this.thread.z][this.thread.y][this.thread.x]
  const away = 1 - 2 * this.constants.second
  let sum = 0
  for (let r = 0; r < this.constants.rows; r++) {
    const down = this.constants.down + r * this.constants.step
    for (let q = 0; q < this.constants.columns; q++) {
      const across = this.constants.across + q * this.constants.step
      let isInside = 1
      if (h + away * down < 0 || h + away * down >= this.constants.H) isInside = 0
      if (w + away * across < 0 || w + away * across >= this.constants.W) isInside = 0
      const place = isInside * ((h + away * down) * this.constants.W + w + away * across)
      let value = isInside * other[this.thread.z][this.thread.y][place]
      if (this.constants.subtract === 1) value = Math.sign(own - value)
      // Σ dy of the patches of the first picture that this pixel is in
      let slope = 0
      for (let v = 0; v < this.constants.kernel; v++) {
        const below = h - this.constants.second * down - this.constants.top - v
        const i = Math.floor((below + 0.5) / this.constants.stride)
        if (below >= 0 && i < this.constants.OH && i * this.constants.stride === below) {
          for (let u = 0; u < this.constants.kernel; u++) {
            const right = w - this.constants.second * across - this.constants.left - u
            const j = Math.floor((right + 0.5) / this.constants.stride)
            if (right >= 0 && j < this.constants.OW && j * this.constants.stride === right)
              slope += dy[this.thread.z][r * this.constants.columns + q][i * this.constants.OW + j]
          }
        }
      }
      sum += slope * value
    }
  }
  return sum * this.constants.share
})

export const costVolumes = (gpu: Gpu): Partial<Kernels> => {
  const picture = (s: CostVolumeShape): Dims => [product(s.input), s.channels, s.batch]
  const compared = (s: CostVolumeShape): Dims => [product(s.output), product(s.shifts), s.batch]
  const constantsOf = (s: CostVolumeShape) => ({
    C: s.channels,
    H: s.input[0],
    W: s.input[1],
    OH: s.output[0],
    OW: s.output[1],
    kernel: s.kernel,
    stride: s.stride,
    top: s.start[0],
    left: s.start[1],
    down: s.shift[0],
    across: s.shift[1],
    rows: s.shifts[0],
    columns: s.shifts[1],
    step: s.step,
    subtract: s.subtract ? 1 : 0,
    share: 1 / (s.kernel ** 2 * s.channels),
  })
  return {
    costVolume(s, a, b, y) {
      const inputs = [a, b].map(memory => ({ memory, dims: picture(s) }))
      gpu.run(volume, inputs, { memory: y, dims: compared(s) }, constantsOf(s))
    },
    costVolumeGradient(s, second, x, other, dy, dx) {
      const inputs = [...[x, other].map(memory => ({ memory, dims: picture(s) })), { memory: dy, dims: compared(s) }]
      gpu.run(gradient, inputs, { memory: dx, dims: picture(s) }, { ...constantsOf(s), second: second ? 1 : 0 })
    },
  }
}
