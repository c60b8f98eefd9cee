import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import type { GpuKernel } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { columnSums, rowSums } from './sums.js'

/**
 * factor·Σ over batch and space for each channel, in two steps, so that batch·channels threads take part in the longer
 * one. `part` is a rowSum over space; the tensors are (N, C, inner), further memories and handles as they are.
 */
export function channelSum(
  gpu: Gpu,
  part: GpuKernel,
  batch: number,
  channels: number,
  inner: number,
  tensors: readonly Memory[],
  more: readonly (Memory | Handle)[] = [],
  factor = 1,
): Handle {
  const dims = [inner, channels, batch] as const
  const parts = rowSums(gpu, part, [...tensors.map(memory => ({ memory, dims })), ...more], dims)
  const sums = columnSums(gpu, { handle: parts, dims: [channels, batch, 1] }, factor)
  gpu.release(parts)
  return sums
}
