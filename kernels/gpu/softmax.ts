import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { blocksOf } from './sums.js'

// Tensors are (outer, channels, inner); what is one value for each column is (outer, inner), indexed [0][o][i].

const largest = gpuKernel('softmax, max', function (x: Tensor) {
  let most = x[this.thread.y][0][this.thread.x]
  for (let c = 1; c < this.constants.channels; c++) most = Math.max(most, x[this.thread.y][c][this.thread.x])
  return most
})
const sum = gpuKernel('softmax, sum', function (x: Tensor, most: Tensor) {
  const shift = most[0][this.thread.y][this.thread.x]
  let total = 0
  for (let b = 0; b < this.constants.blocks; b++) {
    let part = 0
    for (let j = 0; j < this.constants.step; j++) {
      const c = b * this.constants.step + j
      if (c < this.constants.channels) part += Math.exp(x[this.thread.y][c][this.thread.x] - shift)
    }
    total += part
  }
  return total
})
const share = gpuKernel('softmax', function (x: Tensor, most: Tensor, total: Tensor) {
  const v = x[this.thread.z][this.thread.y][this.thread.x] - most[0][this.thread.z][this.thread.x]
  return Math.exp(v) / total[0][this.thread.z][this.thread.x]
})
const dot = gpuKernel('softmaxGradient, dot', function (y: Tensor, dy: Tensor) {
  let total = 0
  for (let b = 0; b < this.constants.blocks; b++) {
    let part = 0
    for (let j = 0; j < this.constants.step; j++) {
      const c = b * this.constants.step + j
      if (c < this.constants.channels) part += y[this.thread.y][c][this.thread.x] * dy[this.thread.y][c][this.thread.x]
    }
    total += part
  }
  return total
})
const slope = gpuKernel('softmaxGradient', function (y: Tensor, dy: Tensor, total: Tensor) {
  const d = dy[this.thread.z][this.thread.y][this.thread.x] - total[0][this.thread.z][this.thread.x]
  return y[this.thread.z][this.thread.y][this.thread.x] * d
})

export const softmax = (gpu: Gpu): Partial<Kernels> => ({
  softmax(outer, channels, inner, x, y) {
    const dims = [inner, channels, outer] as const
    const columns = [inner, outer, 1] as const
    const source = { memory: x, dims }
    const most = { handle: gpu.compute(largest, [source], columns, { channels }), dims: columns }
    const total = {
      handle: gpu.compute(sum, [source, most], columns, { channels, ...blocksOf(channels) }),
      dims: columns,
    }
    gpu.run(share, [source, most, total], { memory: y, dims })
    gpu.release(most.handle, total.handle)
  },
  softmaxGradient(outer, channels, inner, y, dy, dx) {
    const dims = [inner, channels, outer] as const
    const columns = [inner, outer, 1] as const
    const sources = [
      { memory: y, dims },
      { memory: dy, dims },
    ]
    const total = { handle: gpu.compute(dot, sources, columns, { channels, ...blocksOf(channels) }), dims: columns }
    gpu.run(slope, [...sources, total], { memory: dx, dims })
    gpu.release(total.handle)
  },
})
