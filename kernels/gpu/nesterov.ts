import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { stepped } from './sgd.js'
import { decayedGradient, numbersOf } from './update.js'

/** h' = rate·g + momentum·h. */
const velocity = gpuKernel(
  'nesterovUpdate, h',
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
/** (1 + momentum)·h' − momentum·h. */
const ahead = gpuKernel('nesterovUpdate, dw', function (after: Tensor, before: Tensor, momentum: number) {
  const next = after[this.thread.z][this.thread.y][this.thread.x]
  return (1 + momentum) * next - momentum * before[this.thread.z][this.thread.y][this.thread.x]
})

export const nesterov = (gpu: Gpu): Partial<Kernels> => ({
  nesterovUpdate(n, rule, momentum, w, dw, h) {
    const after = gpu.mapped(velocity, n, [w, dw, h, ...numbersOf(rule), rule.rate, momentum])
    gpu.map(ahead, n, [after, h, momentum], dw)
    gpu.set(h, after)
    gpu.map(stepped, n, [w, dw], w)
  },
})
