import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { channelSum } from './channels.js'
import { rowSum } from './sums.js'

/** y + bias[c].  y: (N, C, inner). */
const biased = gpuKernel('addBias', function (y: Tensor, bias: Tensor) {
  return y[this.thread.z][this.thread.y][this.thread.x] + bias[0][0][this.thread.y]
})
/** The same for inner = 1, where rows of channels are longer than rows of one value.  y: (N, C). */
const biasedRows = gpuKernel('addBias, inner = 1', function (y: Tensor, bias: Tensor) {
  return y[this.thread.z][this.thread.y][this.thread.x] + bias[0][0][this.thread.x]
})
const value = rowSum('biasGradient, sum over space', ['dy'], at => `dy${at}`)

export const bias = (gpu: Gpu): Partial<Kernels> => ({
  addBias(batch, channels, inner, bias, y) {
    const dims = inner === 1 ? ([channels, batch, 1] as const) : ([inner, channels, batch] as const)
    gpu.run(inner === 1 ? biasedRows : biased, [{ memory: y, dims }, bias], { memory: y, dims })
  },
  biasGradient(batch, channels, inner, dy, db) {
    gpu.set(db, gpu.plus(channelSum(gpu, value, batch, channels, inner, [dy]), 1, db, channels))
  },
})
