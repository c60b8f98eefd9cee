import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { NO_CLASS, NO_LABEL, normalized, whole } from './labels.js'

/** −log max(p[label], FLT_MIN) of one column, 0 where ignored, infinite where the label is no class. */
const term = gpuKernel(
  'softmaxLoss',
  function (p: Tensor, label: Tensor, ignored: number) {
    const truth = whole(label[0][this.thread.y][this.thread.x])
    if (truth === ignored) return 0
    if (truth < 0 || truth >= this.constants.classes) return this.constants.NO_CLASS * (1 + truth * truth)
    return -Math.log(Math.max(p[this.thread.y][truth][this.thread.x], 1.17549435e-38))
  },
  [whole],
)
/** (p − onehot(label))·scale, 0 where ignored. */
const slope = gpuKernel(
  'softmaxLossGradient',
  function (p: Tensor, label: Tensor, scale: Tensor, ignored: number) {
    const truth = whole(label[0][this.thread.z][this.thread.x])
    let g = p[this.thread.z][this.thread.y][this.thread.x]
    if (truth === this.thread.y) g -= 1
    if (truth === ignored) g = 0
    return g * scale[0][0][0]
  },
  [whole],
)

export const softmaxLoss = (gpu: Gpu): Partial<Kernels> => ({
  softmaxLoss(s, p, label, loss) {
    const columns = [s.inner, s.outer, 1] as const
    const args = [
      { memory: p, dims: [s.inner, s.classes, s.outer] as const },
      { memory: label, dims: columns },
    ]
    const terms = gpu.compute(term, [...args, s.ignoreLabel ?? NO_LABEL], columns, { classes: s.classes, NO_CLASS })
    gpu.set(loss, normalized(gpu, s, label, gpu.total(terms, s.outer * s.inner)))
    gpu.release(terms)
  },
  labelLosses(s, p, label, losses) {
    const dims = [s.inner, s.outer, 1] as const
    const args = [
      { memory: p, dims: [s.inner, s.classes, s.outer] as const },
      { memory: label, dims },
      s.ignoreLabel ?? NO_LABEL,
    ]
    gpu.run(term, args, { memory: losses, dims }, { classes: s.classes, NO_CLASS })
  },
  softmaxLossGradient(s, p, label, dloss, dx) {
    const dims = [s.inner, s.classes, s.outer] as const
    const scale = normalized(gpu, s, label, gpu.queue.share(gpu.handle(dloss)))
    const args = [
      { memory: p, dims },
      { memory: label, dims: [s.inner, s.outer, 1] as const },
      scale,
      s.ignoreLabel ?? NO_LABEL,
    ]
    gpu.run(slope, args, { memory: dx, dims })
    gpu.release(scale)
  },
})
