import { RistrettoError } from '../errors.js'
import type { ApVersion } from '../generated/caffe.js'
import { mustTake } from '../system/arguments.js'

/** A detection, and whether it is of an object that no better one was of. */
export interface RankedDetection {
  readonly score: number
  readonly hit: boolean
}

/**
 * Average precision of one class, 0 … 1: detections by falling score, recall = hits so far / truths, precision = hits so
 * far / detections so far. 0 without truths or detections.
 */
export function averagePrecision(detections: readonly RankedDetection[], truths: number, version: ApVersion): number {
  mustTake(Array.isArray(detections), 'averagePrecision', 'a list of { score, hit }', detections)
  const ranked = [...detections].sort((a, b) => b.score - a.score)
  const n = ranked.length
  if (!n || !truths) return 0
  const hits = new Uint32Array(n)
  for (let i = 0, sum = 0; i < n; i++) hits[i] = sum += Number(ranked[i].hit)
  // the best precision here and at larger recall
  const best = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) best[i] = Math.max(hits[i] / (i + 1), best[i + 1] ?? 0)
  if (version === '11point') {
    let sum = 0
    // in whole numbers: 7 of 10 truths are a recall of 0.7
    for (let tenth = 0; tenth <= 10; tenth++) sum += best[hits.findIndex(count => 10 * count >= tenth * truths)] ?? 0
    return sum / 11
  }
  let area = 0
  for (let i = 0; i < n; i++) if (ranked[i].hit) area += (version === 'Integral' ? hits[i] / (i + 1) : best[i]) / truths
  return area
}

/** One class in a test of detections. */
export interface ClassPrecision {
  readonly label: number
  /** Objects that there were to find. */
  readonly truths: number
  /** Detections that count: those of difficult objects do not. */
  readonly detections: number
  readonly ap: number
}

/** Average precision of each class, and its mean over all of them, those without detections or truths as 0. */
export interface DetectionScores {
  readonly map: number
  readonly classes: readonly ClassPrecision[]
}

/** Numbers of a row of DetectionEvaluate: image, label, score, true positive, false positive. */
const ROW = 5

/** Gathers what DetectionEvaluate gives, batch by batch. */
export class DetectionTally {
  private readonly found = new Map<number, { truths: number; detections: RankedDetection[] }>()

  /**
   * The rows of a batch, five numbers each: (−1, label, truths, −1, −1) for a class, and (image, label, score, tp, fp)
   * for a detection, which does not count where tp and fp are both 0.
   */
  add(rows: ArrayLike<number>): void {
    if (rows.length % ROW)
      throw new RistrettoError(`rows of DetectionEvaluate have ${ROW} numbers each, not ${rows.length} in all`)
    for (let i = 0; i < rows.length; i += ROW) {
      const [image, label, score, tp, fp] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3], rows[i + 4]]
      const known = this.found.get(label) ?? { truths: 0, detections: [] }
      this.found.set(label, known)
      if (image === -1) known.truths += score
      else if (tp || fp) known.detections.push({ score, hit: tp > 0 })
    }
  }

  /** The average precision of every class so far, and their mean. */
  scores(version: ApVersion): DetectionScores {
    const classes = [...this.found]
      .map(([label, { truths, detections }]) => ({
        label,
        truths,
        detections: detections.length,
        ap: averagePrecision(detections, truths, version),
      }))
      .sort((a, b) => a.label - b.label)
    return { map: classes.reduce((sum, { ap }) => sum + ap, 0) / (classes.length || 1), classes }
  }
}
