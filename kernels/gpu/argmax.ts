import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'

/**
 * Index or value of number `k` in the order (value down, index down) of a column; thread.y counts the indices, then the
 * values if both are asked for.
 */
const ranked = gpuKernel('argMax', function (x: Tensor) {
  let k = this.thread.y
  let wantsValue = this.constants.values
  if (k >= this.constants.topK) {
    k -= this.constants.topK
    wantsValue = 1
  }
  let value = 0
  let index = this.constants.size
  for (let r = 0; r < this.constants.topK; r++) {
    const before = index
    const previous = value
    if (r <= k) {
      index = -1
      value = 0
      for (let i = 0; i < this.constants.size; i++) {
        const j = this.constants.size - 1 - i
        const candidate = x[this.thread.z][j][this.thread.x]
        if (r < 1 || candidate < previous || (candidate === previous && j < before)) {
          if (index < 0 || candidate > value) {
            value = candidate
            index = j
          }
        }
      }
    }
  }
  if (wantsValue > 0) return value
  return index
})

export const argmax = (gpu: Gpu): Partial<Kernels> => ({
  argMax(s, x, y) {
    const { outer, size, inner, topK, output } = s
    const depth = output === 'both' ? 2 * topK : topK
    const constants = { size, topK, values: Number(output === 'value') }
    gpu.run(ranked, [{ memory: x, dims: [inner, size, outer] }], { memory: y, dims: [inner, depth, outer] }, constants)
  },
})
