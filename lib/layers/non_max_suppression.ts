import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { sortByScore } from './parts/ranking.js'

const { fround, min, max } = Math

/** Sides and areas of boxes, as float32 has them. */
class Boxes {
  private readonly sides: Float32Array
  private readonly areas: Float32Array

  /** @param isCentred centre x, centre y, width, height; else two corners, y before x, in any order */
  constructor(values: Float32Array, count: number, isCentred: boolean) {
    this.sides = new Float32Array(4 * count)
    this.areas = new Float32Array(count)
    const { sides, areas } = this
    for (let i = 0, k = 0; i < count; i++, k += 4) {
      const [a, b, c, d] = [values[k], values[k + 1], values[k + 2], values[k + 3]]
      sides[k] = isCentred ? a - fround(c / 2) : min(b, d)
      sides[k + 1] = isCentred ? b - fround(d / 2) : min(a, c)
      sides[k + 2] = isCentred ? a + fround(c / 2) : max(b, d)
      sides[k + 3] = isCentred ? b + fround(d / 2) : max(a, c)
      areas[i] = fround(sides[k + 2] - sides[k]) * fround(sides[k + 3] - sides[k + 1])
    }
  }

  /** Whether two overlap by more than this share of what both cover. */
  overlap(i: number, j: number, threshold: number): boolean {
    const { sides, areas } = this
    const [k, l] = [4 * i, 4 * j]
    const width = fround(min(sides[k + 2], sides[l + 2]) - max(sides[k], sides[l]))
    const height = fround(min(sides[k + 3], sides[l + 3]) - max(sides[k + 1], sides[l + 1]))
    if (!(width > 0 && height > 0)) return false
    const both = fround(width * height)
    const either = fround(fround(areas[i] + areas[j]) - both)
    return both > 0 && either > 0 && fround(both / either) > threshold
  }
}

/**
 * boxes (N, P, 4), scores (N, C, P) → (K, 3): the number of the image, of the class and of the box of what is found,
 * image by image and class by class, best first; of equal scores the first. A box goes where one that is better, of the
 * same class, overlaps it by more than iou_threshold. K depends on values and may be 0, so the shape is set in forward;
 * until the first forward it is one.
 */
export class NonMaxSuppressionLayer extends Layer {
  static override readonly param = ['non_max_suppression_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly p = withDefaults('NonMaxSuppressionParameter', this.param.non_max_suppression_param)
  private rows = 1

  override setup(): void {
    const { iou_threshold } = this.p
    if (!(iou_threshold >= 0 && iou_threshold <= 1))
      throw this.error(`iou_threshold: ${iou_threshold} must be 0 to 1: a share of what two boxes cover`)
  }

  override reshape([boxes, scores]: Blob[], top: Blob[]): void {
    const isFitting =
      boxes.numAxes === 3 &&
      scores.numAxes === 3 &&
      boxes.dim(2) === 4 &&
      boxes.dim(0) === scores.dim(0) &&
      boxes.dim(1) === scores.dim(2)
    if (!isFitting)
      throw this.error(
        `'${boxes.name}' (${shapeText(boxes.shape)}) and '${scores.name}' (${shapeText(scores.shape)}) must be images × boxes × 4 and images × classes × boxes`,
      )
    top[0].reshape([this.rows, 3])
  }

  override forward([boxes, scores]: Blob[], top: Blob[]): void {
    const [images, classes, count] = scores.shape
    const found: number[] = []
    for (let image = 0; image < images; image++) {
      const own = boxes.dataArray.subarray(4 * count * image, 4 * count * (image + 1))
      const all = new Boxes(own, count, this.p.center_point_box)
      for (let label = 0; label < classes; label++) {
        const first = (image * classes + label) * count
        const kept = this.kept(all, scores.dataArray.subarray(first, first + count))
        for (const box of kept) found.push(image, label, box)
      }
    }
    this.rows = found.length / 3
    top[0].reshape([this.rows, 3])
    if (found.length) top[0].dataArray.set(found)
  }

  /** The boxes of one class that stay, best first. */
  private kept(boxes: Boxes, scores: Float32Array): number[] {
    const { max_output_boxes_per_class: most = Infinity, iou_threshold, score_threshold = -Infinity } = this.p
    if (!most) return []
    const [overlap, least] = [fround(iou_threshold), fround(score_threshold)]
    const candidates = new Int32Array(scores.length)
    let count = 0
    for (let i = 0; i < scores.length; i++) if (scores[i] > least || least === -Infinity) candidates[count++] = i
    sortByScore(candidates, count, scores)
    const kept: number[] = []
    for (let k = 0; k < count && kept.length < most; k++) {
      const box = candidates[k]
      if (!kept.some(other => boxes.overlap(box, other, overlap))) kept.push(box)
    }
    return kept
  }

  /** Each box may be compared with every other of its class. */
  override work([boxes, scores]: Blob[], top: Blob[]): number {
    const tried = Math.min(boxes.dim(1), this.p.max_output_boxes_per_class ?? Infinity)
    return super.work([boxes, scores], top) + scores.count * tried
  }
}
