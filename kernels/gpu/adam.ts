import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { squares } from './adagrad.js'
import { stepped } from './sgd.js'
import { decayedGradient, numbersOf } from './update.js'

/** β1·m + (1 − β1)·g. */
const mean = gpuKernel(
  'adamUpdate, m',
  function (w: Tensor, dw: Tensor, m: Tensor, scale: number, decay: number, l1: number, kept: number, share: number) {
    const g = decayedGradient(
      w[this.thread.z][this.thread.y][this.thread.x],
      dw[this.thread.z][this.thread.y][this.thread.x],
      scale,
      decay,
      l1,
    )
    return kept * m[this.thread.z][this.thread.y][this.thread.x] + share * g
  },
  [decayedGradient],
)
/** rate·m / (√v + delta). */
const step = gpuKernel('adamUpdate, dw', function (m: Tensor, v: Tensor, rate: number, delta: number) {
  const root = Math.sqrt(v[this.thread.z][this.thread.y][this.thread.x])
  return (rate * m[this.thread.z][this.thread.y][this.thread.x]) / (root + delta)
})

export const adam = (gpu: Gpu): Partial<Kernels> => ({
  adamUpdate(n, rule, beta1, beta2, delta, correction, w, dw, m, v) {
    gpu.map(mean, n, [w, dw, m, ...numbersOf(rule), beta1, 1 - beta1], m)
    gpu.map(squares, n, [w, dw, v, ...numbersOf(rule), beta2, 1 - beta2], v)
    gpu.map(step, n, [m, v, rule.rate * correction, delta], dw)
    gpu.map(stepped, n, [w, dw], w)
  },
})
