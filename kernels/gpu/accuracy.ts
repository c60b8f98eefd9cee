import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { NO_LABEL, whole } from './labels.js'
import { columnSums } from './sums.js'

/**
 * 1 for a hit, 0 for a miss, −1 where ignored. A tie counts against the label, and so does a score that is not a
 * number.
 */
const outcome = gpuKernel(
  'accuracy, outcomes',
  function (x: Tensor, label: Tensor, ignored: number) {
    const truth = whole(label[0][this.thread.y][this.thread.x])
    if (truth === ignored) return -1
    const score = x[this.thread.y][truth][this.thread.x]
    let better = -1
    for (let c = 0; c < this.constants.classes; c++) {
      if (x[this.thread.y][c][this.thread.x] < score) better += 0
      else better += 1
    }
    if (better < this.constants.topK) return 1
    return 0
  },
  [whole],
)
const hits = gpuKernel('accuracy, hits', function (outcomes: Tensor) {
  return Math.max(0, outcomes[this.thread.z][this.thread.y][this.thread.x])
})
const counts = gpuKernel('accuracy, counts', function (outcomes: Tensor) {
  if (outcomes[this.thread.z][this.thread.y][this.thread.x] < 0) return 0
  return 1
})
const share = gpuKernel('accuracy', (hit: Tensor, count: Tensor) => hit[0][0][0] / Math.max(1, count[0][0][0]))
/** How many places of item thread.y have the label thread.x, or the hits among them. */
const countOfClass = gpuKernel(
  'accuracy per class, counts',
  function (outcomes: Tensor, label: Tensor) {
    let count = 0
    for (let i = 0; i < this.constants.inner; i++) {
      const v = outcomes[0][this.thread.y][i]
      if (v >= this.constants.least && whole(label[0][this.thread.y][i]) === this.thread.x) count += 1
    }
    return count
  },
  [whole],
)
const shareOfClass = gpuKernel('accuracy per class', function (hit: Tensor, count: Tensor) {
  return hit[0][0][this.thread.x] / Math.max(1, count[0][0][this.thread.x])
})

export const accuracy = (gpu: Gpu): Partial<Kernels> => ({
  accuracy(s, x, label, accuracy, perClass) {
    const { outer, classes, inner, topK } = s
    const n = outer * inner
    const columns = [inner, outer, 1] as const
    const labels = { memory: label, dims: columns }
    const scores = { memory: x, dims: [inner, classes, outer] as const }
    const outcomes = gpu.compute(outcome, [scores, labels, s.ignoreLabel ?? NO_LABEL], columns, { classes, topK })
    const [hit, count] = [gpu.mapped(hits, n, [outcomes]), gpu.mapped(counts, n, [outcomes])]
    const [allHits, allCounts] = [gpu.total(hit, n), gpu.total(count, n)]
    gpu.run(share, [allHits, allCounts], { memory: accuracy, dims: [1, 1, 1] })
    if (perClass) {
      const ofClass = (least: number) => {
        const args = [{ handle: outcomes, dims: columns }, labels]
        const counts = gpu.compute(countOfClass, args, [classes, outer, 1], { inner, least })
        const sum = columnSums(gpu, { handle: counts, dims: [classes, outer, 1] })
        gpu.release(counts)
        return sum
      }
      const [hit, count] = [ofClass(1), ofClass(0)]
      gpu.run(shareOfClass, [hit, count], { memory: perClass, dims: [classes, 1, 1] })
      gpu.release(hit, count)
    }
    gpu.release(outcomes, hit, count, allHits, allCounts)
  },
})
