import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { whole } from './labels.js'
import { blocksOf } from './sums.js'

/** dtable[r] + Σ dy of the rows whose index is r. */
const scattered = gpuKernel(
  'scatterRows',
  function (index: Tensor, dy: Tensor, dtable: Tensor) {
    let sum = dtable[0][this.thread.y][this.thread.x]
    for (let b = 0; b < this.constants.blocks; b++) {
      let part = 0
      for (let j = 0; j < this.constants.step; j++) {
        const r = b * this.constants.step + j
        if (r < this.constants.rows && whole(index[0][0][r]) === this.thread.y) part += dy[0][r][this.thread.x]
      }
      sum += part
    }
    return sum
  },
  [whole],
)

// gatherRows stays on the host: a row that does not exist is NaN there, which shader code may not make

export const gather = (gpu: Gpu): Partial<Kernels> => ({
  scatterRows(rows, width, count, index, dy, dtable) {
    const dims = [width, count, 1] as const
    const args = [index, { memory: dy, dims: [width, rows, 1] as const }, { memory: dtable, dims }]
    gpu.run(scattered, args, { memory: dtable, dims }, { rows, ...blocksOf(rows) })
  },
})
