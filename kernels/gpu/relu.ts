import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

/** x if x > 0, else slope·x. */
const rectified = gpuKernel('relu', function (x: Tensor, slope: number) {
  const v = x[this.thread.z][this.thread.y][this.thread.x]
  if (v > 0) return v
  return slope * v
})
/** dy if x > 0, else slope·dy. */
const passed = gpuKernel('reluGradient', function (x: Tensor, dy: Tensor, slope: number) {
  const d = dy[this.thread.z][this.thread.y][this.thread.x]
  if (x[this.thread.z][this.thread.y][this.thread.x] > 0) return d
  return slope * d
})

export const relu = (gpu: Gpu): Partial<Kernels> => ({
  relu: (n, slope, x, y) => gpu.map(rectified, n, [x, slope], y),
  reluGradient: (n, slope, x, dy, dx) => gpu.map(passed, n, [x, dy, slope], dx),
})
