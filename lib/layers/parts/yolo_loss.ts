import type { Blob } from '../../blob.js'
import { LossLayer } from './loss.js'
import { type BoxMap, boxMap, type Truth, truthsOf } from './yolo.js'

/**
 * x (N, boxes·(5 + classes), H, W), label (N, rows·5) → Σ δ² / N, where δ says how far what each box says is from what
 * it should say. As in Darknet δ, not the derivative of this value, is what goes back: dx = δ·dy / N.
 */
export abstract class YoloLossLayer extends LossLayer {
  /** How far off every value is: δ of the last forward pass. */
  protected delta = new Float32Array(0)
  protected boxes = 0
  protected classes = 0

  /** What the boxes of one item are off. */
  protected abstract compare(map: BoxMap, item: number, truths: readonly Truth[]): void

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    boxMap(this, bottom[0], this.boxes, 5 + this.classes, 'num')
    if (bottom[1].size(1) % 5)
      throw this.error(
        `'${bottom[1].name}' has ${bottom[1].size(1)} values an item, and must have five a box: class, x, y, w, h`,
      )
    if (this.delta.length !== bottom[0].count) this.delta = new Float32Array(bottom[0].count)
  }

  /** Each box is compared with each truth. */
  override work(bottom: Blob[], top: Blob[]): number {
    const boxes = bottom[0].count / (5 + this.classes)
    return super.work(bottom, top) + (boxes * bottom[1].size(1)) / 5
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const map = boxMap(this, bottom[0], this.boxes, 5 + this.classes, 'num')
    const items = bottom[0].dim(0)
    this.delta.fill(0)
    for (let item = 0; item < items; item++) this.compare(map, item, truthsOf(this, bottom[1], item, this.classes))
    top[0].dataArray[0] = this.delta.reduce((sum, d) => sum + d * d, 0) / items
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const factor = top[0].diffArray[0] / bottom[0].dim(0)
    const dx = bottom[0].diffArray
    for (let i = 0; i < dx.length; i++) dx[i] = factor * this.delta[i]
  }
}
