/** How often each class was taken for which. */
import { RistrettoError } from '../errors.js'
import { Confusion as Counts } from '../layers/parts/confusion.js'

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
export class Confusion extends Counts {
  /** @throws RistrettoError unless there is a class or more, and their pairs fit into memory */
  constructor(classes: number) {
    if (!(Number.isSafeInteger(classes) && classes >= 1 && classes <= 10_000))
      throw new RistrettoError(`a confusion matrix has 1 to 10,000 classes, not ${classes}`)
    super(classes)
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
