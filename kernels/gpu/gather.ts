import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { whole } from './labels.js'

/** dtable[r] + Σ dy of the rows whose index is r. */
const scattered = gpuKernel(
  'scatterRows',
  function (index: Tensor, dy: Tensor, dtable: Tensor) {
    let sum = dtable[0][this.thread.y][this.thread.x]
    for (let r = 0; r < this.constants.rows; r++) {
      if (whole(index[0][0][r]) === this.thread.y) sum += dy[0][r][this.thread.x]
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
    gpu.run(scattered, args, { memory: dtable, dims }, { rows })
  },
})
