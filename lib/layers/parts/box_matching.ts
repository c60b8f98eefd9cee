import { boxOverlap, crossesBorder } from './boxes.js'

/** `matches`: no truth; neither a match nor to be counted among those without. */
export const UNMATCHED = -1
export const IGNORED = -2

/** Overlaps up to this are none. */
const LEAST_OVERLAP = 1e-6

/** How boxes find their truths. */
export interface MatchRule {
  /** A box takes its nearest truth from this overlap on; without it each truth takes only its nearest box. */
  readonly threshold?: number
  /** Boxes that leave the picture are IGNORED. */
  readonly ignoreCrossing: boolean
}

/** For each box the number of its truth, or UNMATCHED or IGNORED, and its largest overlap with any. */
export interface Matches {
  readonly truth: Int32Array
  readonly overlap: Float32Array
}

/** Match boxes and those truths (numbers of boxes in `truthBoxes`) that are given. */
export function matchBoxes(
  boxes: Float32Array,
  truthBoxes: Float32Array,
  truths: readonly number[],
  rule: MatchRule,
): Matches {
  const count = boxes.length / 4
  const truth = new Int32Array(count).fill(UNMATCHED)
  const overlap = new Float32Array(count)
  if (!truths.length) return { truth, overlap }
  const overlaps = new Float32Array(count * truths.length)
  for (let i = 0; i < count; i++) {
    if (rule.ignoreCrossing && crossesBorder(boxes, i)) {
      truth[i] = IGNORED
      continue
    }
    for (let t = 0; t < truths.length; t++) {
      const value = boxOverlap(boxes, i, truthBoxes, truths[t])
      if (!(value > LEAST_OVERLAP)) continue
      overlaps[i * truths.length + t] = value
      if (value > overlap[i]) overlap[i] = value
    }
  }
  takeBest(overlaps, truths, truth)
  if (rule.threshold !== undefined) takeNear(overlaps, truths, truth, Math.fround(rule.threshold))
  return { truth, overlap }
}

/** Again and again the pair that overlaps most, each box and each truth once. */
function takeBest(overlaps: Float32Array, truths: readonly number[], truth: Int32Array): void {
  const width = truths.length
  const left = new Set(truths.keys())
  while (left.size) {
    let most = 0
    let box = -1
    let which = -1
    for (let i = 0; i < truth.length; i++) {
      if (truth[i] !== UNMATCHED) continue
      for (const t of left)
        if (overlaps[i * width + t] > most) {
          most = overlaps[i * width + t]
          box = i
          which = t
        }
    }
    if (box < 0) return
    truth[box] = truths[which]
    left.delete(which)
  }
}

/** Each box that has none yet takes the truth that it overlaps most, the first of equals, from `threshold` on. */
function takeNear(overlaps: Float32Array, truths: readonly number[], truth: Int32Array, threshold: number): void {
  const width = truths.length
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] !== UNMATCHED) continue
    let most = 0
    for (let t = 0; t < width; t++) {
      const value = overlaps[i * width + t]
      if (value < threshold || !(value > most)) continue
      most = value
      truth[i] = truths[t]
    }
  }
}
