import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { channelSum } from './channels.js'
import { rowSum } from './sums.js'

/** x if x > 0, else slope[c]·x. */
const rectified = gpuKernel('prelu', function (x: Tensor, slope: Tensor) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  if (v > 0) return v
  return slope[0][0][this.thread.y] * v
})
/** dy if x > 0, else slope[c]·dy. */
const passed = gpuKernel('preluGradient', function (x: Tensor, dy: Tensor, slope: Tensor) {
  const d = dy[this.thread.z][this.thread.y][this.thread.x]
  if (x[this.thread.z][this.thread.y][this.thread.x] > 0) return d
  return slope[0][0][this.thread.y] * d
})
/** Σ dy·min(x, 0) over space. */
const negatives = rowSum('preluSlopeGradient', ['x', 'dy'], at => `dy${at} * Math.min(x${at}, 0)`)

export const prelu = (gpu: Gpu): Partial<Kernels> => ({
  prelu(outer, channels, inner, x, slope, y) {
    const dims = [inner, channels, outer] as const
    gpu.run(rectified, [{ memory: x, dims }, slope], { memory: y, dims })
  },
  preluGradient(outer, channels, inner, x, slope, dy, dx) {
    const dims = [inner, channels, outer] as const
    gpu.run(passed, [{ memory: x, dims }, { memory: dy, dims }, slope], { memory: dx, dims })
  },
  preluSlopeGradient(outer, channels, inner, x, dy, dslope) {
    gpu.set(dslope, gpu.plus(channelSum(gpu, negatives, outer, channels, inner, [x, dy]), 1, dslope, channels))
  },
})
