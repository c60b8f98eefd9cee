import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * scores (N, T, C), labels (N, L), padded with blanks → the share of items whose likeliest classes, without repetitions
 * and blanks, are their labels. Plain host code, no gradient.
 */
export class LabelsequenceAccuracyLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly param = ['labelsequence_accuracy_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly blank = withDefaults(
    'LabelsequenceAccuracyParameter',
    this.param.labelsequence_accuracy_param,
  ).blank_label

  override reshape([scores, labels]: Blob[], top: Blob[]): void {
    const [items, steps, classes] = scores.shape
    if (scores.numAxes < 3 || scores.count !== items * steps * classes)
      throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be N × T × C: items, steps, classes`)
    if (labels.numAxes < 2 || labels.dim(0) !== items)
      throw this.error(`'${labels.name}' (${shapeText(labels.shape)}) must be ${items} × L: the labels of each item`)
    top[0].reshape([])
  }

  override forward([scores, labels]: Blob[], top: Blob[]): void {
    const [items] = scores.shape
    const length = labels.size(1)
    let hits = 0
    for (let n = 0; n < items; n++) {
      const own = Array.from(labels.dataArray.subarray(n * length, (n + 1) * length), Math.trunc)
      if (this.said(scores, n).join() === own.filter(label => label !== this.blank).join()) hits++
    }
    top[0].dataArray[0] = hits / items
  }

  override backward(): void {}

  private said(scores: Blob, n: number): number[] {
    const [, steps, classes] = scores.shape
    const x = scores.dataArray
    const classesOf = Array.from({ length: steps }, (_, t) => {
      const at = (n * steps + t) * classes
      let best = 0
      for (let c = 1; c < classes; c++) if (x[at + c] > x[at + best]) best = c
      return best
    })
    return classesOf.filter((c, t) => c !== this.blank && c !== classesOf[t - 1])
  }
}
