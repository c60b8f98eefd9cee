import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { labelsOf, stepsOf } from './parts/ctc.js'

/**
 * Probabilities (T, N, C), indicators (T, N) and perhaps labels (L, N) → what is said, (N, T, 1, 1), ended by −1: the
 * likeliest class of each step without repetitions and blanks. Then, if there are tops for them, how probable that
 * sequence of classes is (N, 1, 1, 1), and with labels 1 − the mean edit distance, as a share. No gradient.
 */
export class CTCDecoderLayer extends Layer {
  static override readonly param = ['ctc_decoder_param'] as const
  override readonly passesGradient = false
  override readonly bottomCount: Count = { atLeast: 2, atMost: 3 }
  override readonly topCount: Count = { atLeast: 1, atMost: 3 }
  protected fields = withDefaults('CTCDecoderParameter', this.param.ctc_decoder_param)
  protected blank = 0

  /** Tops of scores and of the accuracy: two tops are sequences and accuracy where there are labels. */
  private tops(bottom: Blob[], top: Blob[]): { scores?: Blob; accuracy?: Blob } {
    if (bottom.length === 2) return { scores: top[1] }
    return top.length === 3 ? { scores: top[1], accuracy: top[2] } : { accuracy: top[1] }
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores, indicators, labels] = bottom
    const [steps, items, classes] = scores.shape
    if (scores.numAxes < 3 || scores.count !== steps * items * classes)
      throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be T × N × C: steps, items, classes`)
    if (indicators.shape[0] !== steps || indicators.count !== steps * items)
      throw this.error(`'${indicators.name}' (${shapeText(indicators.shape)}) must be ${steps} × ${items}`)
    if (labels && (labels.numAxes < 2 || labels.shape[1] !== items))
      throw this.error(`'${labels.name}' (${shapeText(labels.shape)}) must be L × ${items}`)
    if (!labels && top.length === 3) throw this.error('a third top is the accuracy, which needs the labels as bottom 2')
    this.setBlank(this.fields.blank_index, classes)
    top[0].reshape([items, steps, 1, 1])
    const tops = this.tops(bottom, top)
    tops.scores?.reshape([items, 1, 1, 1])
    tops.accuracy?.reshape([1, 1, 1, 1])
  }

  protected setBlank(index: number, classes: number): void {
    this.blank = index < 0 ? classes - 1 : index
    if (this.blank >= classes) throw this.error(`blank_index: ${index} is none of the ${classes} classes`)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [steps, items] = bottom[0].shape
    const { scores, accuracy } = this.tops(bottom, top)
    const said = top[0].dataArray.fill(-1)
    let missed = 0
    for (let n = 0; n < items; n++) {
      const { sequence, score } = this.decode(bottom, n)
      said.set(sequence, n * steps)
      if (scores) scores.dataArray[n] = score
      if (!accuracy) continue
      const labels = labelsOf(bottom[2].dataArray, n, items)
      missed += editDistance(labels, sequence) / Math.max(1, labels.length, sequence.length)
    }
    if (accuracy) accuracy.dataArray[0] = 1 - missed / items
  }

  override backward(): void {}

  /** Item n, up to where the indicators end it. */
  protected decode([scores, indicators]: readonly Blob[], n: number): { sequence: number[]; score: number } {
    const [steps, items, classes] = scores.shape
    const x = scores.dataArray
    const sequence: number[] = []
    let score = 1
    let before = -1
    const count = indicators ? stepsOf(indicators.dataArray, n, steps, items) : steps
    for (let t = 0; t < count; t++) {
      const at = (t * items + n) * classes
      let best = 0
      for (let c = 1; c < classes; c++) if (x[at + c] > x[at + best]) best = c
      score *= x[at + best]
      if (best !== this.blank && !(this.fields.ctc_merge_repeated && best === before)) sequence.push(best)
      before = best
    }
    return { sequence, score }
  }
}

/** How many places must be put in, taken out or changed to come from one to the other. */
export function editDistance(a: readonly number[], b: readonly number[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  a.forEach((value, i) => {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (value === b[j] ? 0 : 1)))
    row = next
  })
  return row[b.length]
}
