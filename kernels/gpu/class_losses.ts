import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import type { Memory } from '../../lib/memory.js'
import { times } from './euclidean_loss.js'
import { NO_CLASS, NO_LABEL, normalized, whole } from './labels.js'
import { blocksOf } from './sums.js'

/** Σ of the margins of one item, squared if asked. */
const margins = gpuKernel(
  'hingeLoss',
  function (x: Tensor, label: Tensor) {
    const truth = whole(label[0][0][this.thread.x])
    if (truth < 0 || truth >= this.constants.classes) return this.constants.NO_CLASS * (1 + truth * truth)
    let sum = 0
    for (let b = 0; b < this.constants.blocks; b++) {
      let part = 0
      for (let i = 0; i < this.constants.step; i++) {
        const j = b * this.constants.step + i
        if (j < this.constants.classes) {
          let v = x[0][this.thread.x][j]
          if (j === truth) v = -v
          const margin = Math.max(0, 1 + v)
          if (this.constants.squared > 0) part += margin * margin
          else part += margin
        }
      }
      sum += part
    }
    return sum
  },
  [whole],
)
const marginSlope = gpuKernel(
  'hingeLossGradient',
  function (x: Tensor, label: Tensor, dloss: Tensor, factor: number) {
    let sign = 1
    if (whole(label[0][0][this.thread.y]) === this.thread.x) sign = -1
    const margin = Math.max(0, 1 + sign * x[0][this.thread.y][this.thread.x])
    const scale = sign * factor * dloss[0][0][0]
    if (this.constants.squared > 0) return 2 * scale * margin
    if (margin > 0) return scale
    return 0
  },
  [whole],
)
const surprise = gpuKernel(
  'multinomialLogisticLoss',
  function (p: Tensor, label: Tensor) {
    const truth = whole(label[0][0][this.thread.x])
    if (truth < 0 || truth >= this.constants.classes) return this.constants.NO_CLASS * (1 + truth * truth)
    return -Math.log(Math.max(p[0][this.thread.x][truth], 1e-20))
  },
  [whole],
)
const surpriseSlope = gpuKernel(
  'multinomialLogisticLossGradient',
  function (p: Tensor, label: Tensor, dloss: Tensor, factor: number) {
    if (whole(label[0][0][this.thread.y]) === this.thread.x)
      return (-factor * dloss[0][0][0]) / Math.max(p[0][this.thread.y][this.thread.x], 1e-20)
    return 0
  },
  [whole],
)
const weighedSurprise = gpuKernel(
  'infogainLoss',
  function (p: Tensor, label: Tensor, gains: Tensor, ignored: number) {
    const truth = whole(label[0][this.thread.y][this.thread.x])
    if (truth === ignored) return 0
    if (truth < 0 || truth >= this.constants.classes) return this.constants.NO_CLASS * (1 + truth * truth)
    let sum = 0
    for (let b = 0; b < this.constants.blocks; b++) {
      let part = 0
      for (let j = 0; j < this.constants.step; j++) {
        const l = b * this.constants.step + j
        if (l < this.constants.classes)
          part += gains[0][truth][l] * Math.log(Math.max(p[this.thread.y][l][this.thread.x], 1e-20))
      }
      sum -= part
    }
    return sum
  },
  [whole],
)
const weighedSlope = gpuKernel(
  'infogainLossGradient',
  function (p: Tensor, label: Tensor, gains: Tensor, scale: Tensor, ignored: number) {
    const truth = whole(label[0][this.thread.z][this.thread.x])
    if (truth === ignored) return 0
    let sum = 0
    for (let b = 0; b < this.constants.blocks; b++) {
      let part = 0
      for (let j = 0; j < this.constants.step; j++) {
        const l = b * this.constants.step + j
        if (l < this.constants.classes) part += gains[0][truth][l]
      }
      sum += part
    }
    return (p[this.thread.z][this.thread.y][this.thread.x] * sum - gains[0][truth][this.thread.y]) * scale[0][0][0]
  },
  [whole],
)

/** loss[0] ← mean of N terms. */
function mean(gpu: Gpu, n: number, terms: ReturnType<Gpu['compute']>, loss: Memory): void {
  const total = gpu.total(terms, n)
  gpu.map(times, 1, [total, 1 / n], loss)
  gpu.release(terms, total)
}

export const classLosses = (gpu: Gpu): Partial<Kernels> => ({
  hingeLoss(batch, classes, squared, x, label, loss) {
    const scores = { memory: x, dims: [classes, batch, 1] as const }
    mean(
      gpu,
      batch,
      gpu.compute(margins, [scores, label], [batch, 1, 1], {
        ...blocksOf(classes),
        ...{ classes, NO_CLASS, squared: Number(squared) },
      }),
      loss,
    )
  },
  hingeLossGradient(batch, classes, squared, x, label, dloss, dx) {
    const dims = [classes, batch, 1] as const
    gpu.run(
      marginSlope,
      [{ memory: x, dims }, label, dloss, 1 / batch],
      { memory: dx, dims },
      { squared: Number(squared) },
    )
  },
  multinomialLogisticLoss(batch, classes, p, label, loss) {
    mean(
      gpu,
      batch,
      gpu.compute(surprise, [{ memory: p, dims: [classes, batch, 1] }, label], [batch, 1, 1], { classes, NO_CLASS }),
      loss,
    )
  },
  multinomialLogisticLossGradient(batch, classes, p, label, dloss, dp) {
    const dims = [classes, batch, 1] as const
    gpu.run(surpriseSlope, [{ memory: p, dims }, label, dloss, 1 / batch], { memory: dp, dims })
  },
  infogainLoss(s, p, label, H, loss) {
    const { outer, classes, inner } = s
    const columns = [inner, outer, 1] as const
    const args = [
      { memory: p, dims: [inner, classes, outer] as const },
      { memory: label, dims: columns },
      { memory: H, dims: [classes, classes, 1] as const },
    ]
    const constants = { classes, NO_CLASS, ...blocksOf(classes) }
    const terms = gpu.compute(weighedSurprise, [...args, s.ignoreLabel ?? NO_LABEL], columns, constants)
    gpu.set(loss, normalized(gpu, s, label, gpu.total(terms, outer * inner)))
    gpu.release(terms)
  },
  infogainLossGradient(s, p, label, H, dloss, dx) {
    const { outer, classes, inner } = s
    const dims = [inner, classes, outer] as const
    const scale = normalized(gpu, s, label, gpu.queue.share(gpu.handle(dloss)))
    const args = [
      { memory: p, dims },
      { memory: label, dims: [inner, outer, 1] as const },
      { memory: H, dims: [classes, classes, 1] as const },
      scale,
    ]
    gpu.run(weighedSlope, [...args, s.ignoreLabel ?? NO_LABEL], { memory: dx, dims }, { classes, ...blocksOf(classes) })
    gpu.release(scale)
  },
})
