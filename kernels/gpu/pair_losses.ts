import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { logOnePlus } from './activations.js'
import { minus, times } from './euclidean_loss.js'
import { NO_LABEL, normalized, whole } from './labels.js'
import { rowSum, rowSums } from './sums.js'

/** −t·log σ(x) − (1 − t)·log(1 − σ(x)), 0 where ignored. */
const crossEntropy = gpuKernel(
  'sigmoidCrossEntropyLoss',
  function (x: Tensor, target: Tensor, ignored: number) {
    const t = target[this.thread.z][this.thread.y][this.thread.x]
    if (whole(t) === ignored) return 0
    const v = x[this.thread.z][this.thread.y][this.thread.x]
    let side = 0
    if (v >= 0) side = 1
    return logOnePlus(Math.exp(-Math.abs(v))) - v * (t - side)
  },
  [whole, logOnePlus],
)
const crossEntropySlope = gpuKernel(
  'sigmoidCrossEntropyLossGradient',
  function (x: Tensor, target: Tensor, scale: Tensor, ignored: number) {
    const t = target[this.thread.z][this.thread.y][this.thread.x]
    if (whole(t) === ignored) return 0
    return (1 / (1 + Math.exp(-x[this.thread.z][this.thread.y][this.thread.x])) - t) * scale[0][0][0]
  },
  [whole],
)
/** Σ difference² of one pair. */
const distanceOf = rowSum('contrastiveLoss, distance', ['difference'], at => `difference${at} * difference${at}`)
const pairLoss = gpuKernel(
  'contrastiveLoss',
  function (distance: Tensor, similar: Tensor, margin: number) {
    const squares = distance[0][0][this.thread.x]
    if (whole(similar[0][0][this.thread.x]) !== 0) return squares
    if (this.constants.legacy > 0) return Math.max(0, margin - squares)
    const inside = Math.max(0, margin - Math.sqrt(squares))
    return inside * inside
  },
  [whole],
)
const pairSlope = gpuKernel(
  'contrastiveLossGradient',
  function (difference: Tensor, distance: Tensor, similar: Tensor, dloss: Tensor, factor: number, margin: number) {
    const alpha = factor * dloss[0][0][0]
    const d = difference[0][this.thread.y][this.thread.x]
    if (whole(similar[0][0][this.thread.y]) !== 0) return alpha * d
    const squares = distance[0][0][this.thread.y]
    const length = Math.sqrt(squares)
    if (this.constants.legacy > 0) {
      if (margin - squares > 0) return -alpha * d
      return 0
    }
    if (margin - length > 0) return ((-alpha * (margin - length)) / (length + 1e-4)) * d
    return 0
  },
  [whole],
)

export const pairLosses = (gpu: Gpu): Partial<Kernels> => ({
  sigmoidCrossEntropyLoss(s, x, target, loss) {
    const n = s.outer * s.inner
    const terms = gpu.mapped(crossEntropy, n, [x, target, s.ignoreLabel ?? NO_LABEL])
    gpu.set(loss, normalized(gpu, s, target, gpu.total(terms, n)))
    gpu.release(terms)
  },
  sigmoidCrossEntropyLossGradient(s, x, target, dloss, dx) {
    const dims = gpu.flat(s.outer * s.inner)
    const scale = normalized(gpu, s, target, gpu.queue.share(gpu.handle(dloss)))
    const args = [{ memory: x, dims }, { memory: target, dims }, scale, s.ignoreLabel ?? NO_LABEL]
    gpu.run(crossEntropySlope, args, { memory: dx, dims })
    gpu.release(scale)
  },
  contrastiveLoss(s, a, b, similar, difference, distance, loss) {
    const { batch, size, margin } = s
    gpu.map(minus, batch * size, [a, b], difference)
    const pairs = { memory: distance, dims: [batch, 1, 1] as const }
    const differences = { memory: difference, dims: [size, batch, 1] as const }
    gpu.set(distance, rowSums(gpu, distanceOf, [differences], differences.dims))
    const terms = gpu.compute(pairLoss, [pairs, similar, margin], [batch, 1, 1], { legacy: Number(s.legacy) })
    const total = gpu.total(terms, batch)
    gpu.map(times, 1, [total, 1 / (2 * batch)], loss)
    gpu.release(terms, total)
  },
  contrastiveLossGradient(s, sign, difference, distance, similar, dloss, dx) {
    const { batch, size, margin } = s
    const dims = [size, batch, 1] as const
    const args = [{ memory: difference, dims }, distance, similar, dloss, sign / batch, margin]
    gpu.run(pairSlope, args, { memory: dx, dims }, { legacy: Number(s.legacy) })
  },
})
