import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { channelSum } from './channels.js'
import { rowSum } from './sums.js'

/** Σ x over space. */
const sums = rowSum('channelStatistics, sum', ['x'], at => `x${at}`)
/** Σ (x − mean)² over space. */
const squares = rowSum(
  'channelStatistics, squares',
  ['x', 'mean'],
  at => `(x${at} - mean[0][0][c]) * (x${at} - mean[0][0][c])`,
)
/** sum / factor[0], 0 if that is 0. */
const unscaled = gpuKernel('movingStatistics', function (sum: Tensor, factor: Tensor) {
  if (factor[0][0][0] === 0) return 0
  return sum[this.thread.z][this.thread.y][this.thread.x] / factor[0][0][0]
})
const deviation = gpuKernel('deviations', function (variance: Tensor, inside: number, outside: number) {
  return Math.sqrt(variance[this.thread.z][this.thread.y][this.thread.x] + inside) + outside
})
/** (x − mean[c]) / deviation[c]. */
const normalized = gpuKernel('normalizeChannels', function (x: Tensor, mean: Tensor, deviation: Tensor) {
  return (x[this.thread.z][this.thread.y][this.thread.x] - mean[0][0][this.thread.y]) / deviation[0][0][this.thread.y]
})
/** Σ dy·(x − mean) over space. */
const products = rowSum(
  'normalizeChannelsGradient, products',
  ['x', 'dy', 'mean'],
  at => `dy${at} * (x${at} - mean[0][0][c])`,
)
/** (dy − offset[c] − (x − mean[c])·product[c] / deviation[c]²) / deviation[c]. */
const slope = gpuKernel(
  'normalizeChannelsGradient',
  function (x: Tensor, dy: Tensor, mean: Tensor, deviation: Tensor, offset: Tensor, product: Tensor) {
    const c = this.thread.y
    const width = deviation[0][0][c]
    const steep = product[0][0][c] / (width * width)
    const d = dy[this.thread.z][this.thread.y][this.thread.x] - offset[0][0][c]
    return (d - (x[this.thread.z][this.thread.y][this.thread.x] - mean[0][0][c]) * steep) / width
  },
)

export const normalization = (gpu: Gpu): Partial<Kernels> => ({
  channelStatistics(batch, channels, inner, x, mean, variance) {
    const factor = 1 / (batch * inner)
    gpu.set(mean, channelSum(gpu, sums, batch, channels, inner, [x], [], factor))
    gpu.set(variance, channelSum(gpu, squares, batch, channels, inner, [x], [mean], factor))
  },
  movingStatistics(channels, meanSum, varianceSum, factor, mean, variance) {
    const dims = [channels, 1, 1] as const
    gpu.run(unscaled, [meanSum, factor], { memory: mean, dims })
    gpu.run(unscaled, [varianceSum, factor], { memory: variance, dims })
  },
  deviations: (n, inside, outside, variance, deviations) =>
    gpu.map(deviation, n, [variance, inside, outside], deviations),
  normalizeChannels(batch, channels, inner, x, mean, deviation, y) {
    const dims = [inner, channels, batch] as const
    gpu.run(normalized, [{ memory: x, dims }, mean, deviation], { memory: y, dims })
  },
  normalizeChannelsGradient(batch, channels, inner, x, mean, deviation, dy, dx) {
    const dims = [inner, channels, batch] as const
    const factor = 1 / (batch * inner)
    const offset = channelSum(gpu, sums, batch, channels, inner, [dy], [], factor)
    const product = channelSum(gpu, products, batch, channels, inner, [x, dy], [mean], factor)
    gpu.run(slope, [{ memory: x, dims }, { memory: dy, dims }, mean, deviation, offset, product], { memory: dx, dims })
    gpu.release(offset, product)
  },
})
