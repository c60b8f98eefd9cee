import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

/** tanh x. The built-in one is NaN for large x on some devices; near 0 the quotient would lose digits. */
export function tangent(x: number): number {
  if (Math.abs(x) < 0.1) {
    const s = x * x
    return x * (1 - s * (0.3333333333 - s * (0.1333333333 - s * 0.05396825397)))
  }
  return 1 - 2 / (Math.exp(2 * x) + 1)
}

const hyperbolic = gpuKernel(
  'tanh',
  function (x: Tensor) {
    return tangent(x[this.thread.z][this.thread.y][this.thread.x])
  },
  [tangent],
)
/** dy·(1 − y²). */
const slope = gpuKernel('tanhGradient', function (y: Tensor, dy: Tensor) {
  const v = y[this.thread.z][this.thread.y][this.thread.x]
  return dy[this.thread.z][this.thread.y][this.thread.x] * (1 - v * v)
})

export const tanh = (gpu: Gpu): Partial<Kernels> => ({
  tanh: (n, x, y) => gpu.map(hyperbolic, n, [x], y),
  tanhGradient: (n, y, dy, dx) => gpu.map(slope, n, [y, dy], dx),
})
