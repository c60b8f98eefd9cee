import type { Moving } from '../../layer.js'
import type { Memory } from '../../memory.js'

/** A float32 holds whole numbers up to 2²⁴ alone: the count of samples goes in two. */
const HALF = 2 ** 20

/** Means and variances of a pass, C each, and of how many samples they are. */
export function movingStatistics(
  mean: Memory,
  variance: Memory,
  layer: {
    /** Values a channel that the last pass measured. */
    samples(): number
    /** Take in what stands in `mean` and `variance`. */
    take(samples: number): void
  },
): Moving {
  const C = mean.length
  return {
    length: 2 * C + 2,
    async note() {
      await mean.pull()
      await variance.pull()
      const measured = new Float32Array(2 * C + 2)
      measured.set(mean.values)
      measured.set(variance.values, C)
      const samples = layer.samples()
      measured.set([Math.floor(samples / HALF), samples % HALF], 2 * C)
      return measured
    },
    take(measured) {
      mean.claim()
      mean.write(values => values.set(measured.subarray(0, C)))
      variance.claim()
      variance.write(values => values.set(measured.subarray(C, 2 * C)))
      layer.take(measured[2 * C] * HALF + measured[2 * C + 1])
    },
  }
}
