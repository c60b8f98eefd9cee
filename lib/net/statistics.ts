import { mustTake } from '../system/arguments.js'

/** A blob's values in a few numbers. */
export interface Statistics {
  readonly count: number
  readonly mean: number
  /** Standard deviation of the population. */
  readonly std: number
  readonly min: number
  readonly max: number
  /** Values that are NaN or infinite; they take no part in the rest. */
  readonly notFinite: number
  /** How many values fall into each of 20 equal bins from min to max. */
  readonly histogram: number[]
}

const BINS = 20

/** Mean, standard deviation, range and 20-bin histogram of `values`: two passes, no division a value. */
export function statisticsOf(values: ArrayLike<number>): Statistics {
  mustTake(typeof values === 'object' && typeof values?.length === 'number', 'statisticsOf', 'an array', values)
  const count = values.length
  let finite = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) {
    const value = values[i]
    // x − x is 0 for every finite x and NaN for the others
    if (value - value !== 0) continue
    finite++
    sum += value
    if (value < min) min = value
    if (value > max) max = value
  }
  const histogram = new Array<number>(BINS).fill(0)
  if (finite === 0) {
    const none = Number.NaN
    return { count, mean: none, std: none, min: none, max: none, notFinite: count, histogram }
  }
  const mean = sum / finite
  const scale = max > min ? BINS / (max - min) : 0
  let squares = 0
  // what rounding left of Σ (x − mean), which the variance is put right by
  let rest = 0
  for (let i = 0; i < count; i++) {
    const value = values[i]
    if (value - value !== 0) continue
    const delta = value - mean
    rest += delta
    squares += delta * delta
    histogram[Math.min(BINS - 1, ((value - min) * scale) | 0)]++
  }
  const std = Math.sqrt(Math.max(0, squares - (rest * rest) / finite) / finite)
  return { count, mean, std, min, max, notFinite: count - finite, histogram }
}

/** Index of the first value that is NaN or infinite, −1 if all are finite. */
export function firstNotFinite(values: Readonly<Float32Array>): number {
  // x − x is 0 for every finite x and NaN for the others; one comparison a value
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return i
  return -1
}
