import { type Blob, shapeText } from '../blob.js'
import { interpolate } from '../data/picture_resize.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * probabilities (N, C, H, W), truth (N, C, h, w), 0 or 1 → (1, 1, 1, C), the intersection over union of each class:
 * places above the threshold in both, over those in either. Of another size than the truth, probabilities are brought to
 * it as pictures of 256 shades, and a class that neither has counts −1. Plain host code, no gradient.
 */
export class SegmentationEvaluateLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly param = ['segmentation_evaluate_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly p = withDefaults('SegmentationEvaluateParameter', this.param.segmentation_evaluate_param)

  override reshape([seen, truth]: Blob[], top: Blob[]): void {
    const wrong = [seen, truth].find(blob => blob.numAxes !== 4)
    if (wrong) throw this.error(`'${wrong.name}' (${shapeText(wrong.shape)}) must be N × C × H × W`)
    const classes = seen.dim(1)
    if (truth.dim(0) !== seen.dim(0) || truth.dim(1) !== classes)
      throw this.error(
        `'${truth.name}' (${shapeText(truth.shape)}) must have the items and classes of '${seen.name}' (${shapeText(seen.shape)})`,
      )
    top[0].reshape([1, 1, 1, classes])
  }

  override forward([seen, truth]: Blob[], top: Blob[]): void {
    const [items, classes] = truth.shape
    const isResized = truth.dim(2) !== seen.dim(2) || truth.dim(3) !== seen.dim(3)
    for (let c = 0; c < classes; c++) {
      const count = { both: 0, seen: 0, truth: 0 }
      for (let n = 0; n < items; n++) this.count(seen, truth, n * classes + c, isResized, count)
      const either = count.seen + count.truth - count.both
      top[0].dataArray[c] = count.both ? count.both / either : isResized && !count.truth ? -1 : 0
    }
  }

  override backward(): void {}

  /** Adds what plane k has. */
  private count(
    seen: Blob,
    truth: Blob,
    k: number,
    isResized: boolean,
    count: { both: number; seen: number; truth: number },
  ): void {
    const least = Math.fround(this.p.threshold)
    const size = truth.size(2)
    const wanted = truth.dataArray.subarray(k * size, (k + 1) * size)
    const own = seen.dataArray.subarray(k * seen.size(2), (k + 1) * seen.size(2))
    const given = isResized ? shadesOf(own, seen, truth) : own
    const from = isResized ? Math.trunc(least * 255) : least
    for (let i = 0; i < size; i++) {
      const [is, should] = [given[i] > from, wanted[i] > least]
      if (is) count.seen++
      if (should) count.truth++
      if (is && should) count.both++
    }
  }
}

/** A plane of `from` as a picture of 256 shades, in the size of `to`. */
function shadesOf(values: Float32Array, from: Blob, to: Blob): Uint8Array | Uint8ClampedArray {
  const [height, width] = from.shape.slice(2)
  const data = Uint8Array.from(values, value => Math.max(0, Math.min(255, Math.trunc(value * 255))))
  return interpolate({ channels: 1, height, width, data }, to.dim(2), to.dim(3), 'AREA').data
}
