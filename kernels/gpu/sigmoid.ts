import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

/** 1 / (1 + e⁻ˣ). */
const logistic = gpuKernel('sigmoid', function (x: Tensor) {
  return 1 / (1 + Math.exp(-x[this.thread.z][this.thread.y][this.thread.x]))
})
/** dy·y·(1 − y). */
const slope = gpuKernel('sigmoidGradient', function (y: Tensor, dy: Tensor) {
  const v = y[this.thread.z][this.thread.y][this.thread.x]
  return dy[this.thread.z][this.thread.y][this.thread.x] * v * (1 - v)
})

export const sigmoid = (gpu: Gpu): Partial<Kernels> => ({
  sigmoid: (n, x, y) => gpu.map(logistic, n, [x], y),
  sigmoidGradient: (n, y, dy, dx) => gpu.map(slope, n, [y, dy], dx),
})
