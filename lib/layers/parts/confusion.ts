/** How often each class was taken for which. */
import { RistrettoError } from '../../errors.js'

/** What became of the items of one class. */
export interface ClassScores {
  readonly label: number
  /** Items of this class. */
  readonly items: number
  /** Items taken for this class. */
  readonly predicted: number
  readonly correct: number
  /** Of those taken for it, the share that is of it; NaN where none was taken for it. */
  readonly precision: number
  /** Of its items, the share that was taken for it; NaN where it has none. */
  readonly recall: number
  /** The harmonic mean of both. */
  readonly f1: number
  /** correct / (items + predicted − correct): intersection over union, what segmentation goes by. */
  readonly iou: number
}

/** Counts of (label, prediction) pairs. */
export class Confusion {
  /** Row: label; column: prediction. */
  readonly counts: Float64Array

  /** @throws RistrettoError for more classes than have room for their pairs */
  constructor(readonly classes: number) {
    if (!(Number.isSafeInteger(classes) && classes >= 0 && classes <= 10_000))
      throw new RistrettoError(`a confusion matrix has up to 10,000 classes, not ${String(classes)}`)
    this.counts = new Float64Array(classes * classes)
  }

  /** Count one pair. */
  add(label: number, predicted: number): void {
    this.counts[label * this.classes + predicted]++
  }

  /** Count from zero again. */
  clear(): void {
    this.counts.fill(0)
  }

  /** Of one class: places that have the label, places that are said to have it, and those of both. */
  of(label: number): { labelled: number; predicted: number; hits: number } {
    const { classes, counts } = this
    let [labelled, predicted] = [0, 0]
    for (let k = 0; k < classes; k++) {
      labelled += counts[label * classes + k]
      predicted += counts[k * classes + label]
    }
    return { labelled, predicted, hits: counts[label * classes + label] }
  }

  /** How many pairs were counted. */
  get items(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }

  /** The share of the items whose class was found. */
  get accuracy(): number {
    let correct = 0
    for (let i = 0; i < this.classes; i++) correct += this.counts[i * (this.classes + 1)]
    return correct / this.items
  }

  /** The mean of the classes' recalls, of those that there are; NaN where there is none. */
  get meanRecall(): number {
    return meanOf(this.scores().map(({ recall }) => recall))
  }

  /** The mean of the classes' IoUs, of those that there are or that something was taken for. */
  get meanIou(): number {
    return meanOf(this.scores().map(({ iou }) => iou))
  }

  /** Every class, in order. */
  scores(): ClassScores[] {
    return Array.from({ length: this.classes }, (_, label) => {
      const { labelled: items, predicted, hits: correct } = this.of(label)
      return {
        ...{ label, items, predicted, correct },
        precision: correct / predicted,
        recall: correct / items,
        f1: (2 * correct) / (items + predicted),
        iou: correct / (items + predicted - correct),
      }
    })
  }

  /** Pairs of different classes, the most frequent first. */
  mistakes(): { label: number; prediction: number; count: number }[] {
    const pairs: { label: number; prediction: number; count: number }[] = []
    this.counts.forEach((count, i) => {
      const label = Math.floor(i / this.classes)
      const prediction = i % this.classes
      if (count && label !== prediction) pairs.push({ label, prediction, count })
    })
    return pairs.sort((a, b) => b.count - a.count)
  }

  /** Row by row, for JSON. */
  toRows(): number[][] {
    return Array.from({ length: this.classes }, (_, i) =>
      Array.from(this.counts.subarray(i * this.classes, (i + 1) * this.classes)),
    )
  }
}

function meanOf(values: readonly number[]): number {
  const there = values.filter(value => !Number.isNaN(value))
  return there.reduce((sum, value) => sum + value, 0) / there.length
}

/**
 * The class that has the largest score at place i of all places of scores (N, C, inner), the first of equal ones. One
 * channel is the probability of the second of two classes.
 */
export function bestClass(scores: ArrayLike<number>, channels: number, inner: number, i: number): number {
  if (channels === 1) return scores[i] > 0.5 ? 1 : 0
  const first = Math.floor(i / inner) * channels * inner + (i % inner)
  let best = 0
  for (let c = 1; c < channels; c++) if (scores[first + c * inner] > scores[first + best * inner]) best = c
  return best
}
