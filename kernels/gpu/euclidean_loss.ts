import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { square } from './reductions.js'

export const minus = gpuKernel('euclideanLoss, difference', function (a: Tensor, b: Tensor) {
  return a[this.thread.z][this.thread.y][this.thread.x] - b[this.thread.z][this.thread.y][this.thread.x]
})
export const times = gpuKernel('euclideanLoss', function (x: Tensor, factor: number) {
  return factor * x[this.thread.z][this.thread.y][this.thread.x]
})
/** factor·dloss[0]·difference. */
const slope = gpuKernel('euclideanLossGradient', function (difference: Tensor, dloss: Tensor, factor: number) {
  return factor * dloss[0][0][0] * difference[this.thread.z][this.thread.y][this.thread.x]
})

export const euclideanLoss = (gpu: Gpu): Partial<Kernels> => ({
  euclideanLoss(n, batch, a, b, difference, loss) {
    gpu.map(minus, n, [a, b], difference)
    const squares = gpu.mapped(square, n, [difference])
    const total = gpu.total(squares, n)
    gpu.map(times, 1, [total, 1 / (2 * batch)], loss)
    gpu.release(squares, total)
  },
  euclideanLossGradient(n, factor, difference, dloss, dx) {
    const dims = gpu.flat(n)
    gpu.run(slope, [{ memory: difference, dims }, dloss, factor], { memory: dx, dims })
  },
})
