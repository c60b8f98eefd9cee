/** How a training goes through its set. */
export interface Epochs {
  /** Updates of an epoch: it is rounded up to a whole one, so that tests and snapshots of every epoch are evenly apart. */
  readonly updates: number
  readonly maxIter: number
  readonly testInterval: number
  readonly snapshotInterval: number
  /** Passes of a test, so many that every item is seen. */
  readonly testIter: number
}

/** What max_iter, an int32, can say. */
export const MOST_ITERATIONS = 2 ** 31 - 1

/**
 * Iterations from epochs. An update takes `batch` · `accumulate` items of the `records` of the training set.
 * @param testEvery epochs between tests, and between snapshots; parts of an epoch, too
 */
export function epochsOf(options: {
  readonly epochs: number
  readonly records: number
  readonly batch: number
  readonly accumulate?: number
  readonly testEvery?: number
  readonly snapshotEvery?: number
  readonly testRecords?: number
  readonly testBatch?: number
}): Epochs {
  const { epochs, records, batch, accumulate = 1, testEvery = 1, snapshotEvery = 1 } = options
  const { testRecords = 0, testBatch = 1 } = options
  const updates = Math.max(1, Math.ceil(records / (batch * accumulate)))
  const whole = (value: number) => Math.max(1, Math.round(value * updates))
  return {
    updates,
    maxIter: Math.max(1, Math.ceil(round(epochs * updates))),
    testInterval: whole(testEvery),
    snapshotInterval: whole(snapshotEvery),
    testIter: Math.ceil(testRecords / testBatch),
  }
}

/** Passes over the set after so many updates: exact, so that the first epochs end a little after a whole number. */
export const epochAt = (iter: number, records: number, batch: number, accumulate = 1): number =>
  (iter * batch * accumulate) / records

/** 0.1 · 30 is not 3. */
const round = (value: number): number => Number(value.toPrecision(12))
