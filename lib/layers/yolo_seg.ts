import { type Blob, shapeText } from '../blob.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { LossLayer } from './parts/loss.js'
import { logistic } from './parts/yolo.js'

/**
 * scores x and truth t (N, C, H, W), 0 or 1, and perhaps how many places are of each class (N, C, …) → Σ d² / N, d =
 * scale·(σ(x) − t), MobileNet-YOLO's segmentation beside its boxes. The gradient is the fork's, d / N: that of the cross
 * entropy. Plain host code.
 */
export class YoloSegLayer extends LossLayer {
  static override readonly param = ['yolo_seg_param'] as const
  override readonly bottomCount: Count = { atLeast: 2, atMost: 3 }
  private readonly p = withDefaults('YoloSegParameter', this.param.yolo_seg_param)
  /** d. */
  private off = new Float32Array(0)

  override reshape([scores, truth, places]: Blob[], top: Blob[]): void {
    if (scores.numAxes < 2 || truth.count !== scores.count)
      throw this.error(
        `'${truth.name}' (${shapeText(truth.shape)}) must have a value for each of '${scores.name}' (${shapeText(scores.shape)}), items × classes × places`,
      )
    if (places && places.count !== scores.size(0, 2))
      throw this.error(
        `'${places.name}' (${shapeText(places.shape)}) must have one value for each class of each item of '${scores.name}' (${shapeText(scores.shape)})`,
      )
    top[0].reshape([])
    if (this.off.length !== scores.count) this.off = new Float32Array(scores.count)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward([scores, truth, places]: Blob[], top: Blob[]): void {
    const { off, p } = this
    const [items, classes] = scores.shape
    const plane = scores.size(2)
    const [xs, ts] = [scores.dataArray, truth.dataArray]
    const scales = Float64Array.from({ length: classes }, (_, c) =>
      places ? p.object_scale * (2 - shareOf(places.dataArray, c, items, classes, plane)) : p.object_scale,
    )
    let sum = 0
    for (let i = 0; i < xs.length; i++) {
      const scale = ts[i] > 0.5 ? scales[Math.trunc(i / plane) % classes] : p.object_scale
      off[i] = scale * (logistic(xs[i]) - ts[i])
      sum += off[i] * off[i]
    }
    top[0].dataArray[0] = sum / Math.max(1, items)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    for (let i = 1; i < bottom.length; i++) this.refuseLabelGradient(propagateDown, bottom, i)
    if (!propagateDown[0]) return
    const factor = top[0].diffArray[0] / Math.max(1, bottom[0].dim(0))
    const dx = bottom[0].diffArray
    for (let i = 0; i < dx.length; i++) dx[i] = factor * this.off[i]
  }
}

/** Places of a class over those that are not, of all items. */
function shareOf(places: Float32Array, c: number, items: number, classes: number, plane: number): number {
  let own = 0
  for (let n = 0; n < items; n++) own += places[n * classes + c]
  return own / (items * plane - own)
}
