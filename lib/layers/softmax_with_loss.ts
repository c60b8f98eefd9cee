import { type Blob, shapeText } from '../blob.js'
import type { ClassLossShape } from '../engine.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { checkLabels, LossLayer, normalizationOf } from './parts/loss.js'

/**
 * loss = −Σ log softmax(x)[label] / normalizer. R-FCN's second and third top: softmax(x), and the loss of each place.
 */
export class SoftmaxWithLossLayer extends LossLayer {
  static override readonly param = ['softmax_param', 'loss_param'] as const
  static override readonly uses = [
    'softmax',
    'softmaxLoss',
    'softmaxLossGradient',
    'labelLosses',
    'copy',
    'power',
  ] as const
  override readonly topCount: Count = { atLeast: 1, atMost: 3 }

  private shape!: ClassLossShape
  private readonly probability = new Memory(0, this.engine.heap)

  override setup(_bottom: Blob[], top: Blob[]): void {
    if (top.length === 2)
      throw this.error(
        'it takes exactly 1 top, or the 3 of R-FCN (loss, softmax, loss of each place): use a Softmax layer for the probabilities',
      )
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const [scores, label] = bottom
    const axis = axisOf(this, scores, withDefaults('SoftmaxParameter', this.param.softmax_param).axis)
    this.shape = {
      outer: scores.size(0, axis),
      classes: scores.dim(axis),
      inner: scores.size(axis + 1),
      ignoreLabel: this.param.loss_param?.ignore_label,
      normalization: normalizationOf(this.param.loss_param, 'VALID'),
    }
    const wanted = this.shape.outer * this.shape.inner
    if (label.count !== wanted)
      throw this.error(
        `label '${label.name}' (${shapeText(label.shape)}) must hold ${wanted} values, one for each place of '${scores.name}' (${shapeText(scores.shape)}) outside axis ${axis}`,
      )
    this.probability.resize(scores.count)
    top[1]?.reshape(scores.shape)
    top[2]?.reshape(label.shape)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { shape, probability } = this
    checkLabels(this, bottom[1], shape.classes, shape.ignoreLabel)
    this.kernels.softmax(shape.outer, shape.classes, shape.inner, bottom[0].memory.data, probability)
    this.kernels.softmaxLoss(shape, probability, bottom[1].memory.data, top[0].memory.data)
    this.divideByFixed(1, top[0].memory.data)
    if (top[1]) this.kernels.copy(top[1].count, probability, top[1].memory.data)
    if (top[2]) this.kernels.labelLosses(shape, probability, bottom[1].memory.data, top[2].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const { diff } = bottom[0].memory
    this.kernels.softmaxLossGradient(this.shape, this.probability, bottom[1].memory.data, top[0].memory.diff, diff)
    this.divideByFixed(bottom[0].count, diff)
  }

  override dispose(): void {
    this.probability.dispose()
  }
}
