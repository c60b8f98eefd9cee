import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * scores (N, C, H, W), labels (N, 1, H, W) → (1, 1, 1, 3): share of places that are right, mean over classes of that
 * share, mean over classes of intersection over union. DeepLab's and PSPNet's; plain host code, no gradient.
 */
export class SegAccuracyLayer extends Layer {
  static override readonly atDeploy = 'metric' as const
  static override readonly param = ['seg_accuracy_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly p = withDefaults('SegAccuracyParameter', this.param.seg_accuracy_param)
  private readonly ignored = new Set(this.p.ignore_label)
  private classes = 0
  /** Places by label and by what the scores say. */
  private confusion = new Float64Array(0)

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [scores, label] = bottom
    if (scores.numAxes !== 4) throw this.error(`'${scores.name}' (${shapeText(scores.shape)}) must be N×C×H×W`)
    const [N, C, H, W] = scores.shape
    if (label.count !== N * H * W)
      throw this.error(
        `label '${label.name}' (${shapeText(label.shape)}) must hold ${N * H * W} values, one for each place of '${scores.name}' (${shapeText(scores.shape)})`,
      )
    // one channel is the probability of the second of two classes
    const classes = C === 1 ? 2 : C
    if (classes !== this.classes) this.confusion = new Float64Array(classes * classes)
    this.classes = classes
    top[0].reshape([1, 1, 1, 3])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { classes, confusion, ignored } = this
    const labels = bottom[1].dataArray
    if (this.p.reset) confusion.fill(0)
    for (let i = 0; i < labels.length; i++) {
      const label = Math.trunc(labels[i])
      if (ignored.has(label)) continue
      if (!(label >= 0 && label < classes))
        throw this.error(
          `label ${i} of '${bottom[1].name}' is ${labels[i]}: labels count from 0 to ${classes - 1}, ignore_label leaves others out`,
        )
      confusion[label * classes + this.predicted(bottom[0], i)]++
    }
    top[0].dataArray.set(this.shares())
  }

  /** The class that has the largest score at place i of all places, the first of equal ones. */
  private predicted(scores: Blob, i: number): number {
    const x = scores.dataArray
    const [, C, H, W] = scores.shape
    const inner = H * W
    if (C === 1) return x[i] > 0.5 ? 1 : 0
    const first = Math.floor(i / inner) * C * inner + (i % inner)
    let best = 0
    for (let c = 1; c < C; c++) if (x[first + c * inner] > x[first + best * inner]) best = c
    return best
  }

  private shares(): [number, number, number] {
    const { classes, confusion } = this
    const sum = { all: 0, hits: 0, recalls: 0, present: 0, overlaps: 0 }
    for (let c = 0; c < classes; c++) {
      const hit = confusion[c * classes + c]
      let [labelled, predicted] = [0, 0]
      for (let k = 0; k < classes; k++) {
        labelled += confusion[c * classes + k]
        predicted += confusion[k * classes + c]
      }
      const union = labelled + predicted - hit
      sum.all += labelled
      sum.hits += hit
      if (labelled > 0) {
        sum.recalls += hit / labelled
        sum.present++
      }
      // a class that is nowhere counts as right
      sum.overlaps += union === 0 ? 1 : hit / union
    }
    return [sum.all && sum.hits / sum.all, sum.present && sum.recalls / sum.present, sum.overlaps / classes]
  }
}
