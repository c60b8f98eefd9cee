/** How sequences are cut into chunks: by their sizes alone, never by the number of threads. */

/** Units and streams of a chunk of a step. */
export interface Cut {
  readonly units: number
  readonly streams: number
}

/** Streams from which a second chunk is worth its while, and more of them: such chunks wait for nobody. */
export const TWO_GROUPS = 8
const FOUR_GROUPS = 24

const groupsOf = (batch: number): number => (batch < TWO_GROUPS ? 1 : batch < FOUR_GROUPS ? 2 : 4)

/** Streams of a chunk with all units. */
export const streamsOf = (batch: number): number => Math.ceil(batch / groupsOf(batch))

/**
 * Fewer streams are cut by units: weights of a chunk stay in the cache of its core, of which half a megabyte is there on
 * most. More than so many chunks wait for each other longer than they help.
 */
const WEIGHTS = 2 ** 19
const MOST_CHUNKS = 16
/** Units of a chunk fill vectors. */
const UNITS = 16

/** An LSTM's. */
export function cutOf(batch: number, hidden: number): Cut {
  const streams = streamsOf(batch)
  if (streams < batch) return { units: hidden, streams }
  const chunks = Math.min(MOST_CHUNKS, Math.ceil((4 * 4 * hidden * hidden) / WEIGHTS))
  return { units: Math.min(hidden, Math.ceil(hidden / chunks / UNITS) * UNITS), streams }
}

/** Multiplications that are worth a chunk of their own, and how many there are at most. */
const WORK = 4e6
/** Rows of a chunk come in so many at a time. */
const ROWS = 8

/** Rows of a chunk of a product of many. */
export function rowsOf(rows: number, each: number): number {
  const chunks = Math.max(1, Math.min(MOST_CHUNKS, Math.round((rows * each) / WORK)))
  return Math.min(rows, Math.ceil(rows / chunks / ROWS) * ROWS)
}

/** Multiplications of a chunk of an inner product, and from how many on there are two. */
const PRODUCT = 3.2e6
const TWO_PRODUCTS = 4e5
/** Rows that a primitive multiplies at the speed of many. */
const FEW_ROWS = 4

/** Rows of a chunk of an inner product: with twice as many the same weights are read half as often. */
export function productRowsOf(rows: number, each: number): number {
  const work = rows * each
  const chunks = work < TWO_PRODUCTS ? 1 : Math.max(2, Math.min(MOST_CHUNKS, Math.round(work / PRODUCT)))
  return Math.min(rows, Math.ceil(rows / chunks / FEW_ROWS) * FEW_ROWS)
}
