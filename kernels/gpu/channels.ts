import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { type Constants, type GpuKernel, gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'

/** Σₙ x[n,c] · factor.  x: (N, C). */
const overBatch = gpuKernel('sum over the batch', function (x: Tensor, factor: number) {
  let sum = 0
  for (let n = 0; n < this.constants.batch; n++) sum += x[0][n][this.thread.x]
  return factor * sum
})

/**
 * factor·Σ over batch and space for each channel, in two steps, so that batch·channels threads take part in the longer
 * one. `part` computes Σᵢ of something at channel thread.x, image thread.y; the tensors are (N, C, inner), numbers and
 * further handles as they are.
 */
export function channelSum(
  gpu: Gpu,
  part: GpuKernel,
  batch: number,
  channels: number,
  inner: number,
  tensors: readonly Memory[],
  more: readonly (Memory | Handle | number)[] = [],
  factor = 1,
  constants: Constants = {},
): Handle {
  const views = tensors.map(memory => ({ memory, dims: [inner, channels, batch] as const }))
  const parts = gpu.compute(part, [...views, ...more], [channels, batch, 1], { inner, ...constants })
  const sums = gpu.compute(overBatch, [{ handle: parts, dims: [channels, batch, 1] }, factor], [channels, 1, 1], {
    batch,
  })
  gpu.release(parts)
  return sums
}
