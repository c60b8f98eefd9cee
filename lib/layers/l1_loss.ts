import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { LossLayer } from './parts/loss.js'

/**
 * a [, b] (N, C, …) → Σ |a − b| / N, or Σ over places √(Σ over channels (a − b)² + ε) / N. Where a or b is no number
 * there is no loss, and no gradient.
 */
export class L1LossLayer extends LossLayer {
  static override readonly param = ['l1_loss_param'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  private fields = withDefaults('L1LossParameter', this.param.l1_loss_param)
  /** Of the sum, by a. */
  private slope = new Float32Array(0)
  private normalizer = 1

  override setup(): void {
    const { epsilon, plateau } = this.fields
    if (!(epsilon >= 0) || !(plateau >= 0))
      throw this.error(`epsilon: ${epsilon} and plateau: ${plateau} must not be negative`)
  }

  override allowsForceBackward(): boolean {
    return true
  }

  override reshape([a, b]: Blob[], top: Blob[]): void {
    if (a.numAxes < 2) throw this.error(`'${a.name}' (${shapeText(a.shape)}) must have a batch axis and channels`)
    if (b && b.count !== a.count)
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have the same number of values`,
      )
    top[0].reshape([])
    if (this.slope.length !== a.count) this.slope = new Float32Array(a.count)
  }

  override forward([a, b]: Blob[], top: Blob[]): void {
    const { slope } = this
    const [xs, others] = [a.dataArray, b?.dataArray]
    let numbers = 0
    for (let i = 0; i < xs.length; i++) {
      const difference = others ? xs[i] - others[i] : xs[i]
      const isNumber = !Number.isNaN(difference)
      if (isNumber) numbers++
      slope[i] = isNumber ? difference : 0
    }
    const sum = this.fields.l2_per_location ? this.lengths(a) : this.absolutes()
    this.normalizer = (this.fields.normalize_by_num_entries ? numbers / a.dim(1) : a.dim(0)) || 1
    top[0].dataArray[0] = sum / this.normalizer
  }

  /** Σ |d|, and its slope in the place of d. */
  private absolutes(): number {
    const { slope, fields } = this
    let sum = 0
    for (let i = 0; i < slope.length; i++) {
      const size = Math.abs(slope[i])
      if (size < fields.plateau) slope[i] = 0
      else {
        sum += size
        slope[i] = Math.sign(slope[i])
      }
    }
    return sum
  }

  /** Σ √(s + ε), s = Σ over channels d² or their mean; places on the plateau cost √ε. */
  private lengths(a: Blob): number {
    const { slope, fields } = this
    const [items, channels] = a.shape
    const places = a.size(2)
    const share = fields.l2_prescale_by_channels ? 1 / channels : 1
    let sum = 0
    for (let n = 0; n < items; n++)
      for (let place = 0; place < places; place++) {
        const first = n * channels * places + place
        let square = 0
        for (let c = 0; c < channels; c++) square += slope[first + c * places] ** 2 * share
        const isFlat = square < fields.plateau ** 2
        const length = Math.sqrt((isFlat ? 0 : square) + fields.epsilon)
        const factor = isFlat || length === 0 ? 0 : share / length
        for (let c = 0; c < channels; c++) slope[first + c * places] *= factor
        sum += length
      }
    return sum
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const factor = top[0].diffArray[0] / this.normalizer
    bottom.forEach((blob, index) => {
      if (!propagateDown[index]) return
      const { diffArray: diff } = blob
      const signed = index === 0 ? factor : -factor
      for (let i = 0; i < diff.length; i++) diff[i] = signed * this.slope[i]
    })
  }
}
