import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { gpuKernel, type Tensor } from '../../lib/gpu_kernel.js'
import { NO_LABEL, whole } from './labels.js'

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
/** The share of hits among the labels of class thread.x. */
const shareOfClass = gpuKernel(
  'accuracy per class',
  function (outcomes: Tensor, label: Tensor) {
    let hit = 0
    let count = 0
    for (let o = 0; o < this.constants.outer; o++) {
      for (let i = 0; i < this.constants.inner; i++) {
        const v = outcomes[0][o][i]
        if (v >= 0 && whole(label[0][o][i]) === this.thread.x) {
          hit += v
          count += 1
        }
      }
    }
    return hit / Math.max(1, count)
  },
  [whole],
)

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
      const out = { memory: perClass, dims: [classes, 1, 1] as const }
      gpu.run(shareOfClass, [{ handle: outcomes, dims: columns }, labels], out, { outer, inner })
    }
    gpu.release(outcomes, hit, count, allHits, allCounts)
  },
})
