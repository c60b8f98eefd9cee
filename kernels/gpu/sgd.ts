import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { decayedGradient, numbersOf } from './update.js'

/** rate·g + momentum·h. */
const step = gpuKernel(
  'sgdUpdate',
  function (
    w: Tensor,
    dw: Tensor,
    h: Tensor,
    scale: number,
    decay: number,
    l1: number,
    rate: number,
    momentum: number,
  ) {
    const g = decayedGradient(
      w[this.thread.z][this.thread.y][this.thread.x],
      dw[this.thread.z][this.thread.y][this.thread.x],
      scale,
      decay,
      l1,
    )
    return rate * g + momentum * h[this.thread.z][this.thread.y][this.thread.x]
  },
  [decayedGradient],
)
/** w − dw: what every solver ends with. */
export const stepped = gpuKernel('update', function (w: Tensor, dw: Tensor) {
  return w[this.thread.z][this.thread.y][this.thread.x] - dw[this.thread.z][this.thread.y][this.thread.x]
})

export const sgd = (gpu: Gpu): Partial<Kernels> => ({
  sgdUpdate(n, rule, momentum, w, dw, h) {
    gpu.map(step, n, [w, dw, h, ...numbersOf(rule), rule.rate, momentum], h)
    gpu.share(h, dw)
    gpu.map(stepped, n, [w, dw], w)
  },
})
