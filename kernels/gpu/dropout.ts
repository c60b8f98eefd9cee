import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'

export const dropout = (gpu: Gpu): Partial<Kernels> => ({
  // random streams are computed on the host, so that a mask is the same on every engine; its first reader uploads it
  dropoutMask(n, ratio, stream, mask) {
    mask.claim()
    gpu.host.kernels.dropoutMask(n, ratio, stream, mask)
  },
})
