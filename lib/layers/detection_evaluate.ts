import { type Blob, shapeText } from '../blob.js'
import type { FilledDetectionEvaluateParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { boxOverlap } from './parts/boxes.js'
import { checkTruths, readTruths, type Truths } from './parts/truths.js'

/** Values of a row of detections: image, label, score, xmin, ymin, xmax, ymax. */
const FOUND = 7
/** Values of a row of the top: image, label, score, true positive, false positive. */
const ROW = 5
/** Each class has a row in the top. */
const MOST_CLASSES = 1 << 20

/**
 * detections (1, 1, n, 7) and truths (1, 1, g, 8) → (1, 1, k, 5): a row −1, label, number of truths, −1, −1 for each
 * class but the background, then a row image, label, score, true, false for each detection. Until the first forward k is
 * for all detections; no gradient.
 */
export class DetectionEvaluateLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly param = ['detection_evaluate_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private p!: FilledDetectionEvaluateParameter
  private classes = 0

  override setup(): void {
    this.p = withDefaults('DetectionEvaluateParameter', this.param.detection_evaluate_param)
    this.classes = this.p.num_classes ?? 0
    if (this.classes < 1) throw this.error('num_classes: give how many classes there are, the background being one')
    if (this.classes > MOST_CLASSES)
      throw this.error(`num_classes: ${this.classes} is more than the ${MOST_CLASSES} that can be counted`)
    if (!(this.p.overlap_threshold > 0)) throw this.error('overlap_threshold: must be larger than 0')
    if (this.p.name_size_file)
      this.context.log(
        `${this.name}: name_size_file is not read: boxes are compared in shares of the picture, not in its pixels`,
      )
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [found, truth] = bottom
    if (found.numAxes !== 4 || found.dim(0) !== 1 || found.dim(1) !== 1 || found.dim(3) !== FOUND)
      throw this.error(
        `'${found.name}' (${shapeText(found.shape)}) must be 1×1×n×7, as DetectionOutput makes it: a row image, label, score, xmin, ymin, xmax, ymax for each box`,
      )
    checkTruths(this, truth)
    top[0].reshape([1, 1, this.ownClasses().length + found.dim(2), ROW])
  }

  /** All labels but the background. */
  private ownClasses(): number[] {
    return Array.from({ length: this.classes }, (_, label) => label).filter(
      label => label !== this.p.background_label_id,
    )
  }

  /** Each box that was found may be compared with every truth. */
  override work(bottom: Blob[], top: Blob[]): number {
    return super.work(bottom, top) + bottom[0].dim(2) * bottom[1].dim(2)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const truths = readTruths(this, bottom[1], {
      classes: this.classes,
      background: this.p.background_label_id,
      endsAtPadding: true,
    })
    const rows = this.ownClasses().flatMap(label => [-1, label, this.truthsOf(truths, label), -1, -1])
    const found = bottom[0].dataArray
    for (const group of groupsOf(found)) rows.push(...this.judge(group, found, truths))
    top[0].reshape([1, 1, rows.length / ROW, ROW])
    top[0].dataArray.set(rows)
  }

  /** How many boxes of a class there are to be found. */
  private truthsOf({ labels, difficult, ofImage }: Truths, label: number): number {
    const all = [...ofImage.values()].flat().filter(g => labels[g] === label)
    return (this.p.evaluate_difficult_gt ? all : all.filter(g => !difficult[g])).length
  }

  /** The rows of the detections of one image and label. */
  private judge({ image, label, rows }: Group, found: Float32Array, truths: Truths): number[] {
    const wanted = (truths.ofImage.get(image) ?? []).filter(g => truths.labels[g] === label)
    const score = (row: number) => found[row * FOUND + 2]
    if (!wanted.length) return rows.flatMap(row => [image, label, score(row), 0, 1])
    const taken = new Set<number>()
    return [...rows]
      .sort((a, b) => score(b) - score(a))
      .flatMap(row => {
        const box = found.slice(row * FOUND + 3, row * FOUND + 7)
        let best = -1
        let most = -1
        for (const g of wanted) {
          const overlap = boxOverlap(box, 0, truths.boxes, g)
          if (overlap > most) {
            most = overlap
            best = g
          }
        }
        let verdict = [0, 1]
        if (most >= Math.fround(this.p.overlap_threshold)) {
          if (truths.difficult[best] && !this.p.evaluate_difficult_gt) verdict = [0, 0]
          else if (!taken.has(best)) verdict = [1, 0]
          taken.add(best)
        }
        return [image, label, score(row), ...verdict]
      })
  }
}

/** Detections of one image and label, by their rows. */
interface Group {
  readonly image: number
  readonly label: number
  readonly rows: number[]
}

/** By image and label, both rising; rows of label −1 are none. */
function groupsOf(found: Float32Array): Group[] {
  const groups = new Map<string, Group>()
  for (let row = 0; row * FOUND < found.length; row++) {
    const image = Math.trunc(found[row * FOUND])
    const label = Math.trunc(found[row * FOUND + 1])
    if (label === -1) continue
    const key = `${image} ${label}`
    const group = groups.get(key) ?? { image, label, rows: [] }
    group.rows.push(row)
    groups.set(key, group)
  }
  return [...groups.values()].sort((a, b) => a.image - b.image || a.label - b.label)
}
