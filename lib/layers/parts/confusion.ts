/** Places of a segmentation by what their label is and by what is predicted. */
export class Confusion {
  /** Row: label; column: prediction. */
  readonly counts: Float64Array

  constructor(readonly classes: number) {
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
