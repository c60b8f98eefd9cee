import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { channelSum } from './channels.js'

/** factor[c]·x. */
const scaled = gpuKernel('scaleChannels', function (x: Tensor, factor: Tensor) {
  return factor[0][0][this.thread.y] * x[this.thread.z][this.thread.y][this.thread.x]
})
/** factor[c]·x + bias[c]. */
const shifted = gpuKernel('scaleChannels, bias', function (x: Tensor, factor: Tensor, bias: Tensor) {
  return factor[0][0][this.thread.y] * x[this.thread.z][this.thread.y][this.thread.x] + bias[0][0][this.thread.y]
})
/** Σ x·dy over space. */
const products = gpuKernel('scaleGradient', function (x: Tensor, dy: Tensor) {
  let sum = 0
  for (let i = 0; i < this.constants.inner; i++)
    sum += x[this.thread.y][this.thread.x][i] * dy[this.thread.y][this.thread.x][i]
  return sum
})

export const scale = (gpu: Gpu): Partial<Kernels> => ({
  scaleChannels(outer, channels, inner, x, factor, bias, y) {
    const dims = [inner, channels, outer] as const
    if (bias) gpu.run(shifted, [{ memory: x, dims }, factor, bias], { memory: y, dims })
    else gpu.run(scaled, [{ memory: x, dims }, factor], { memory: y, dims })
  },
  scaleGradient(outer, channels, inner, x, dy, dfactor) {
    gpu.set(dfactor, gpu.plus(channelSum(gpu, products, outer, channels, inner, [x, dy]), 1, dfactor, channels))
  },
})
