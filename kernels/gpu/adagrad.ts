import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { stepped } from './sgd.js'
import { decayedGradient, numbersOf } from './update.js'

/** kept·h + share·g². */
export const squares = gpuKernel(
  'mean of squares',
  function (w: Tensor, dw: Tensor, h: Tensor, scale: number, decay: number, l1: number, kept: number, share: number) {
    const g = decayedGradient(
      w[this.thread.z][this.thread.y][this.thread.x],
      dw[this.thread.z][this.thread.y][this.thread.x],
      scale,
      decay,
      l1,
    )
    return kept * h[this.thread.z][this.thread.y][this.thread.x] + share * g * g
  },
  [decayedGradient],
)
/** rate·g / (√h + delta). */
export const overRoot = gpuKernel(
  'step over root',
  function (w: Tensor, dw: Tensor, h: Tensor, scale: number, decay: number, l1: number, rate: number, delta: number) {
    const g = decayedGradient(
      w[this.thread.z][this.thread.y][this.thread.x],
      dw[this.thread.z][this.thread.y][this.thread.x],
      scale,
      decay,
      l1,
    )
    return (rate * g) / (Math.sqrt(h[this.thread.z][this.thread.y][this.thread.x]) + delta)
  },
  [decayedGradient],
)

export const adagrad = (gpu: Gpu): Partial<Kernels> => ({
  adagradUpdate(n, rule, delta, w, dw, h) {
    gpu.map(squares, n, [w, dw, h, ...numbersOf(rule), 1, 1], h)
    gpu.map(overRoot, n, [w, dw, h, ...numbersOf(rule), rule.rate, delta], dw)
    gpu.map(stepped, n, [w, dw], w)
  },
})
