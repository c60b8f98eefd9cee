import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { bestClass, Confusion } from './parts/confusion.js'

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
  private confusion = new Confusion(0)

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
    if (classes !== this.confusion.classes) this.confusion = new Confusion(classes)
    top[0].reshape([1, 1, 1, 3])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { confusion, ignored } = this
    const { classes } = confusion
    const [, C, H, W] = bottom[0].shape
    const [scores, labels] = [bottom[0].dataArray, bottom[1].dataArray]
    if (this.p.reset) confusion.clear()
    for (let i = 0; i < labels.length; i++) {
      const label = Math.trunc(labels[i])
      if (ignored.has(label)) continue
      if (!(label >= 0 && label < classes))
        throw this.error(
          `label ${i} of '${bottom[1].name}' is ${labels[i]}: labels count from 0 to ${classes - 1}, ignore_label leaves others out`,
        )
      confusion.add(label, bestClass(scores, C, H * W, i))
    }
    top[0].dataArray.set(this.shares())
  }

  private shares(): [number, number, number] {
    const { confusion } = this
    const { classes } = confusion
    const sum = { all: 0, hits: 0, recalls: 0, present: 0, overlaps: 0 }
    for (let c = 0; c < classes; c++) {
      const { labelled, predicted, hits } = confusion.of(c)
      const union = labelled + predicted - hits
      sum.all += labelled
      sum.hits += hits
      if (labelled > 0) {
        sum.recalls += hits / labelled
        sum.present++
      }
      // a class that is nowhere counts as right
      sum.overlaps += union === 0 ? 1 : hits / union
    }
    return [sum.all && sum.hits / sum.all, sum.present && sum.recalls / sum.present, sum.overlaps / classes]
  }
}
