import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { ctc, labelsOf, stepsOf } from './parts/ctc.js'
import { LossLayer } from './parts/loss.js'

/**
 * Scores (T, N, C) of which the softmax is taken, and labels → −log of the probability that they say them, over N. Two
 * bottoms: labels (N, L), padded with blanks (warp-ctc). Three: indicators (T, N) of what goes on, labels (L, N), ended
 * by one below 0.
 */
export class CTCLossLayer extends LossLayer {
  static override readonly param = ['ctc_loss_param'] as const
  override readonly bottomCount: Count = { atLeast: 2, atMost: 3 }
  protected fields = withDefaults('CTCLossParameter', this.param.ctc_loss_param)
  /** d loss·N / d scores. */
  private slope = new Float32Array(0)
  protected blank = 0

  /** Which class stands for nothing. */
  protected blankOf(bottom: Blob[], classes: number): number {
    const { blank_label, blank_index } = this.fields
    return bottom.length === 2 ? blank_label : blank_index < 0 ? classes - 1 : blank_index
  }

  protected checkOthers(bottom: Blob[]): void {
    const [scores, ...others] = bottom
    const [steps, items] = scores.shape
    others.forEach((blob, i) => {
      const itemsFirst = bottom.length === 2
      const ofSteps = !itemsFirst && i === 0 && (blob.shape[0] !== steps || blob.count !== steps * items)
      if (ofSteps || blob.numAxes < 2 || blob.shape[itemsFirst ? 0 : 1] !== items)
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) must be ${itemsFirst ? `${items} × L` : i === 0 ? `${steps} × ${items}` : `L × ${items}`} for '${scores.name}' (${shapeText(scores.shape)})`,
        )
    })
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores] = bottom
    const [steps, items, classes] = scores.shape
    if (scores.numAxes < 3 || scores.count !== steps * items * classes)
      throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be T × N × C: steps, items, classes`)
    this.checkOthers(bottom)
    const { alphabet_size, time_step, output_delay } = this.fields
    this.blank = this.blankOf(bottom, classes)
    if (this.blank < 0 || this.blank >= classes)
      throw this.error(`the blank, ${this.blank}, is none of the ${classes} classes of '${scores.name}'`)
    if (bottom.length === 2 && alphabet_size && alphabet_size !== classes)
      throw this.error(`alphabet_size: ${alphabet_size} is not the number of classes of '${scores.name}', ${classes}`)
    if (bottom.length === 2 && time_step > steps)
      throw this.error(`time_step: ${time_step} is more than the ${steps} steps of '${scores.name}'`)
    if (output_delay < 0 || output_delay >= steps)
      throw this.error(`output_delay: ${output_delay} must be 0 or more and below the number of steps, ${steps}`)
    if (this.slope.length !== scores.count) this.slope = new Float32Array(scores.count)
    top[0].reshape([])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [, items] = bottom[0].shape
    this.slope.fill(0)
    let loss = 0
    for (let n = 0; n < items; n++) loss += this.item(bottom, n)
    top[0].dataArray[0] = loss / items
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    for (let i = 1; i < bottom.length; i++) this.refuseLabelGradient(propagateDown, bottom, i)
    if (!propagateDown[0]) return
    const factor = top[0].diffArray[0] / bottom[0].dim(1)
    const dx = bottom[0].diffArray
    for (let i = 0; i < dx.length; i++) dx[i] = factor * this.slope[i]
  }

  /** Loss of an item; fills its slope. */
  private item(bottom: Blob[], n: number): number {
    const [, items, classes] = bottom[0].shape
    const x = bottom[0].dataArray
    const two = bottom.length === 2
    const { output_delay, ctc_merge_repeated } = this.fields
    const labels = this.labels(bottom, n, classes)
    if (!two && labels.length === 0) return 0
    const first = two ? 0 : output_delay
    const count = this.end(bottom, n) - first
    if (!two && labels.length > count)
      throw this.error(
        `item ${n} has ${labels.length} labels in '${bottom[bottom.length - 1].name}', and only ${count} steps to say them`,
      )
    const at = (t: number) => ((first + t) * items + n) * classes
    const norms = Float64Array.from({ length: count }, (_, t) => {
      const row = x.subarray(at(t), at(t) + classes)
      const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
      return largest + Math.log(row.reduce((sum, v) => sum + Math.exp(v - largest), 0))
    })
    const log = (t: number, c: number) => x[at(t) + c] - norms[t]
    const result = ctc({
      steps: count,
      classes,
      log,
      labels,
      blank: this.blank,
      mergeRepeated: two || ctc_merge_repeated,
    })
    // repeated labels need a blank between them, for which there may be no step
    if (!result) return 0
    for (let t = 0; t < count; t++)
      for (let c = 0; c < classes; c++) this.slope[at(t) + c] = Math.exp(log(t, c)) - result.share[t * classes + c]
    return result.loss
  }

  /** How many steps item n has. */
  protected end(bottom: Blob[], n: number): number {
    const [steps, items] = bottom[0].shape
    return bottom.length === 2 ? this.fields.time_step || steps : stepsOf(bottom[1].dataArray, n, steps, items)
  }

  /** What stands in the last bottom for item n. */
  protected written(bottom: Blob[], n: number): number[] {
    const label = bottom[bottom.length - 1]
    if (bottom.length !== 2) return labelsOf(label.dataArray, n, bottom[0].dim(1))
    const length = label.size(1)
    return Array.from(label.dataArray.subarray(n * length, (n + 1) * length), Math.trunc)
  }

  private labels(bottom: Blob[], n: number, classes: number): number[] {
    const label = bottom[bottom.length - 1]
    const two = bottom.length === 2
    const all = this.written(bottom, n)
    const wrong = all.find(c => !(c >= 0 && c < classes) || (!two && c === this.blank))
    if (wrong !== undefined)
      throw this.error(
        `item ${n} of '${label.name}' has the label ${wrong}: labels count from 0 to ${classes - 1}${two ? '' : `, without ${this.blank}, the blank; one below 0 ends them`}`,
      )
    if (two) return all.filter(c => c !== this.blank)
    return this.fields.preprocess_collapse_repeated ? all.filter((c, i) => i === 0 || c !== all[i - 1]) : all
  }
}
