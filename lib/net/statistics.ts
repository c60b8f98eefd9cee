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

/** Mean, standard deviation, range and 20-bin histogram of `values`, in two passes. */
export function statisticsOf(values: Float32Array): Statistics {
  let finite = 0
  let mean = 0
  let squares = 0
  let min = Number.POSITIVE_INFINITY
  let max = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (!Number.isFinite(value)) continue
    // Welford's update keeps the variance exact where the mean is large
    const delta = value - mean
    mean += delta / ++finite
    squares += delta * (value - mean)
    if (value < min) min = value
    if (value > max) max = value
  }
  const histogram = new Array<number>(BINS).fill(0)
  if (finite === 0)
    return {
      count: values.length,
      mean: Number.NaN,
      std: Number.NaN,
      min: Number.NaN,
      max: Number.NaN,
      notFinite: values.length,
      histogram,
    }
  const scale = max > min ? BINS / (max - min) : 0
  for (const value of values)
    if (Number.isFinite(value)) histogram[Math.min(BINS - 1, Math.floor((value - min) * scale))]++
  return {
    count: values.length,
    mean,
    std: Math.sqrt(squares / finite),
    min,
    max,
    notFinite: values.length - finite,
    histogram,
  }
}

/** Index of the first value that is NaN or infinite, −1 if all are finite. */
export function firstNotFinite(values: Float32Array): number {
  // x − x is 0 for every finite x and NaN for the others; one comparison a value
  for (let i = 0; i < values.length; i++) if (values[i] - values[i] !== 0) return i
  return -1
}
