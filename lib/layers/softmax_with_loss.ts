import { type Blob, shapeText } from '../blob.js'
import type { ClassLossShape, Kernels } from '../engine.js'
import { fetchKernels } from '../engines/late_kernels.js'
import type { Count } from '../layer.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { checkLabels, LossLayer, normalizationOf } from './parts/loss.js'

/**
 * loss = −Σ log softmax(x)[label] / normalizer. R-FCN's second and third top: softmax(x), and the loss of each place.
 */
export class SoftmaxWithLossLayer extends LossLayer {
  static override readonly atDeploy = { type: 'Softmax', param: 'softmax_param' } as const
  static override readonly compares = 'scores'
  static override readonly param = ['softmax_param', 'loss_param'] as const
  static override readonly uses: readonly (keyof Kernels)[] = [
    'softmax',
    'softmaxLoss',
    'softmaxLossGradient',
    'labelLosses',
    'copy',
    'power',
  ]
  override readonly topCount: Count = { atLeast: 1, atMost: 3 }

  private shape!: ClassLossShape
  private readonly probability = new Memory(0, this.engine.heap)
  /** The weights of the classes as a diagonal matrix, where they are weighed. */
  private readonly weights = new Memory(0, this.engine.heap)

  override setup(_bottom: Blob[], top: Blob[]): void | Promise<void> {
    if (top.length === 2)
      throw this.error(
        'it takes exactly 1 top, or the 3 of R-FCN (loss, softmax, loss of each place): use a Softmax layer for the probabilities',
      )
    const { weight_by_label_freqs, class_weighting } = this.param.loss_param ?? {}
    if (class_weighting?.length && !weight_by_label_freqs)
      this.context.log(
        `${this.name}: loss_param.class_weighting has no effect, as in SegNet, without weight_by_label_freqs: true`,
      )
    // not named above: most nets weigh nothing, and need not load them
    if (weight_by_label_freqs) return fetchKernels(this.engine, ['infogainLoss', 'infogainLossGradient'])
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
    this.weigh(scores.dim(axis))
    top[1]?.reshape(scores.shape)
    top[2]?.reshape(label.shape)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { shape, probability } = this
    checkLabels(this, bottom[1], shape.classes, shape.ignoreLabel)
    this.kernels.softmax(shape.outer, shape.classes, shape.inner, bottom[0].memory.data, probability)
    const label = bottom[1].memory.data
    const loss = top[0].memory.data
    if (this.weights.length) this.kernels.infogainLoss(shape, probability, label, this.weights, loss)
    else this.kernels.softmaxLoss(shape, probability, label, loss)
    this.divideByFixed(1, top[0].memory.data)
    if (top[1]) this.kernels.copy(top[1].count, probability, top[1].memory.data)
    if (top[2]) this.kernels.labelLosses(shape, probability, bottom[1].memory.data, top[2].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const { diff } = bottom[0].memory
    const { shape, probability, weights } = this
    const label = bottom[1].memory.data
    const dloss = top[0].memory.diff
    if (weights.length) this.kernels.infogainLossGradient(shape, probability, label, weights, dloss, diff)
    else this.kernels.softmaxLossGradient(shape, probability, label, dloss, diff)
    this.divideByFixed(bottom[0].count, diff)
  }

  private weigh(classes: number): void {
    const { weight_by_label_freqs, class_weighting = [] } = this.param.loss_param ?? {}
    if (!weight_by_label_freqs) return
    if (class_weighting.length !== classes)
      throw this.error(
        `loss_param.class_weighting has ${class_weighting.length} values for ${classes} classes: weight_by_label_freqs takes one for each`,
      )
    this.weights.resize(classes * classes)
    this.weights.array.fill(0)
    class_weighting.forEach((weight, i) => {
      this.weights.array[i * classes + i] = weight
    })
  }

  override dispose(): void {
    this.weights.dispose()
    this.probability.dispose()
  }
}
