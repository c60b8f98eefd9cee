import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { checkLabels, LossLayer } from './parts/loss.js'

/**
 * x (N, …), label (N) → Σ |x − c[label]|² / 2N. The centres c (classes, K) are the layer's blob; what moves them is no
 * gradient of the loss: Σ (c − x) over the items of the class, divided by one more than their number. Plain host code.
 */
export class CenterLossLayer extends LossLayer {
  static override readonly param = ['center_loss_param'] as const
  private readonly p = withDefaults('CenterLossParameter', this.param.center_loss_param)
  private classes = 0
  private size = 0
  private difference = new Float32Array(0)

  override setup([x]: Blob[]): void {
    const { num_output: classes = 0, distance_type } = this.p
    if (classes < 1) throw this.error('num_output: give how many classes there are')
    if (distance_type !== 'L2') throw this.error(`distance_type: ${distance_type} is not there: L2 alone`)
    this.classes = classes
    this.size = x.size(this.axisOf(x))
    this.addBlob([classes, this.size], this.p.center_filler)
  }

  private axisOf(x: Blob): number {
    const { axis } = this.p
    const first = axis < 0 ? axis + x.numAxes : axis
    if (!(first > 0 && first < x.numAxes))
      throw this.error(`axis: ${axis} is none of '${x.name}' (${shapeText(x.shape)}) behind the batch`)
    return first
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [x] = bottom
    if (x.size(this.axisOf(x)) !== this.size || x.size(1) !== this.size)
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) must have ${this.size} values an item: the centres were made for so many`,
      )
    this.requireLabelPerItem(bottom)
    if (this.difference.length !== x.count) this.difference = new Float32Array(x.count)
  }

  override forward([x, label]: Blob[], [top]: Blob[]): void {
    checkLabels(this, label, this.classes, undefined)
    const [xs, labels, centres, { difference, size }] = [x.dataArray, label.dataArray, this.blobs[0].dataArray, this]
    let sum = 0
    for (let i = 0; i < xs.length; i++) {
      const d = xs[i] - centres[Math.trunc(labels[Math.trunc(i / size)]) * size + (i % size)]
      difference[i] = d
      sum += d * d
    }
    top.dataArray[0] = sum / x.dim(0) / 2
  }

  override backward([top]: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    const [x, label] = bottom
    const { difference } = this
    if (this.paramPropagateDown[0]) this.moveCentres(label)
    if (!propagateDown[0]) return
    const dxs = x.diffArray
    const factor = top.diffArray[0] / x.dim(0)
    for (let i = 0; i < dxs.length; i++) dxs[i] = factor * difference[i]
  }

  private moveCentres(label: Blob): void {
    const { difference, size } = this
    const labels = label.dataArray
    const counts = new Float64Array(this.classes).fill(1)
    for (const value of labels) counts[Math.trunc(value)]++
    const diffs = this.blobs[0].diffArray
    for (let i = 0; i < difference.length; i++) {
      const centre = Math.trunc(labels[Math.trunc(i / size)])
      diffs[centre * size + (i % size)] -= difference[i] / counts[centre]
    }
  }
}
