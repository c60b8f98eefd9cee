import { boxArea, suppress } from './boxes.js'
import { sortByScore } from './ranking.js'

/** Boxes smaller than this are nobody's example. */
const LEAST_AREA = 1e-5

/** Examples are taken one of those that overlap. */
export interface ExampleSuppression {
  readonly boxes: Float32Array
  readonly threshold: number
  /** How many of the worst are looked at; −1: all. */
  readonly topK: number
}

/** Of `items` the `count` with the largest losses (one value a box); with `nms` fewer where they overlap. */
export function hardest(items: Int32Array, losses: Float32Array, count: number, nms?: ExampleSuppression): Int32Array {
  sortByScore(items, items.length, losses)
  if (!nms) return items.subarray(0, Math.min(count, items.length))
  const tried = (nms.topK > -1 ? items.subarray(0, nms.topK) : items).filter(i => boxArea(nms.boxes, i) >= LEAST_AREA)
  const kept = suppress(nms.boxes, tried, tried.length, nms.threshold)
  return tried.subarray(0, Math.min(count, kept))
}
