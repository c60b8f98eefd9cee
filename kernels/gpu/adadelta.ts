import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { squares } from './adagrad.js'
import { stepped } from './sgd.js'
import { decayedGradient, numbersOf } from './update.js'

/** u = g·√((u2 + delta) / (g2 + delta)). */
const step = gpuKernel(
  'adadeltaUpdate, u',
  function (w: Tensor, dw: Tensor, g2: Tensor, u2: Tensor, scale: number, decay: number, l1: number, delta: number) {
    const g = decayedGradient(
      w[this.thread.z][this.thread.y][this.thread.x],
      dw[this.thread.z][this.thread.y][this.thread.x],
      scale,
      decay,
      l1,
    )
    const top = u2[this.thread.z][this.thread.y][this.thread.x] + delta
    return g * Math.sqrt(top / (g2[this.thread.z][this.thread.y][this.thread.x] + delta))
  },
  [decayedGradient],
)
/** momentum·u2 + (1 − momentum)·u². */
const squaredSteps = gpuKernel('adadeltaUpdate, u2', function (u: Tensor, u2: Tensor, momentum: number, rest: number) {
  const v = u[this.thread.z][this.thread.y][this.thread.x]
  return momentum * u2[this.thread.z][this.thread.y][this.thread.x] + rest * v * v
})
const times = gpuKernel('adadeltaUpdate, dw', function (u: Tensor, rate: number) {
  return rate * u[this.thread.z][this.thread.y][this.thread.x]
})

export const adadelta = (gpu: Gpu): Partial<Kernels> => ({
  adadeltaUpdate(n, rule, momentum, delta, w, dw, g2, u2) {
    gpu.map(squares, n, [w, dw, g2, ...numbersOf(rule), momentum, 1 - momentum], g2)
    const u = gpu.mapped(step, n, [w, dw, g2, u2, ...numbersOf(rule), delta])
    gpu.map(squaredSteps, n, [u, u2, momentum, 1 - momentum], u2)
    gpu.map(times, n, [u, rule.rate], dw)
    gpu.release(u)
    gpu.map(stepped, n, [w, dw], w)
  },
})
