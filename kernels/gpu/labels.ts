import type { ClassLossShape } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'

/** The whole part of a label, as a C cast makes it. */
export function whole(label: number): number {
  if (label < 0) return -Math.floor(-label)
  return Math.floor(label)
}

/**
 * What the loss of a label that is no class is multiplied with. Labels are on the device, so nobody can throw: the loss
 * becomes infinite instead, which solvers look for when they display it. The product overflows; infinity itself cannot
 * be written in shaders.
 */
export const NO_CLASS = 3e38

/** 1 where the label counts. */
const counted = gpuKernel(
  'labels that count',
  function (label: Tensor, ignored: number) {
    if (whole(label[this.thread.z][this.thread.y][this.thread.x]) === ignored) return 0
    return 1
  },
  [whole],
)
/** factor·sum / max(1, count). */
const perCount = gpuKernel(
  'loss per count',
  (sum: Tensor, count: Tensor, factor: number) => (factor * sum[0][0][0]) / Math.max(1, count[0][0][0]),
)
const times = gpuKernel('times', function (x: Tensor, factor: number) {
  return factor * x[this.thread.z][this.thread.y][this.thread.x]
})

/** No label is this one: what `ignoreLabel` is where none is ignored. */
export const NO_LABEL = -16777216

/**
 * x / normalizer as a handle of one value, in place of x: what every normalized loss ends with, and every gradient
 * begins with.
 */
export function normalized(gpu: Gpu, s: ClassLossShape, label: Memory, x: Handle, factor = 1): Handle {
  const n = s.outer * s.inner
  let result: Handle
  if (s.normalization === 'VALID' && s.ignoreLabel !== undefined) {
    const flags = gpu.mapped(counted, n, [label, s.ignoreLabel])
    const count = gpu.total(flags, n)
    result = gpu.compute(perCount, [x, count, factor], [1, 1, 1])
    gpu.release(flags, count)
  } else {
    const count = s.normalization === 'NONE' ? 1 : s.normalization === 'BATCH_SIZE' ? s.outer : n
    result = gpu.compute(times, [x, factor / Math.max(1, count)], [1, 1, 1])
  }
  gpu.release(x)
  return result
}
