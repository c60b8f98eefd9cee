import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

export const square = gpuKernel('square', function (x: Tensor) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  return v * v
})
/** sums, but `value` at `index`. */
const placed = gpuKernel('place a value', function (sums: Tensor, value: Tensor, index: number) {
  if (this.thread.x === index) return value[0][0][0]
  return sums[0][0][this.thread.x]
})

export const reductions = (gpu: Gpu): Partial<Kernels> => ({
  sumOfSquares(n, x, sum, index) {
    const squares = gpu.mapped(square, n, [x])
    const total = gpu.total(squares, n)
    gpu.run(placed, [sum, total, index], sum)
    gpu.release(squares, total)
  },
})
