import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { channelSum } from './channels.js'
import { rowSum } from './sums.js'

/** factor[c]·x. */
const scaled = gpuKernel('scaleChannels', function (x: Tensor, factor: Tensor) {
  return factor[0][0][this.thread.y] * x[this.thread.z][this.thread.y][this.thread.x]
})
/** factor[c]·x + bias[c]. */
const shifted = gpuKernel('scaleChannels, bias', function (x: Tensor, factor: Tensor, bias: Tensor) {
  return factor[0][0][this.thread.y] * x[this.thread.z][this.thread.y][this.thread.x] + bias[0][0][this.thread.y]
})
/** Σ x·dy over space. */
const products = rowSum('scaleGradient', ['x', 'dy'], at => `x${at} * dy${at}`)

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
