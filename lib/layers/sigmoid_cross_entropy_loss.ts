import type { Blob } from '../blob.js'
import type { ClassLossShape } from '../engine.js'
import { LossLayer, normalizationOf } from './parts/loss.js'

/**
 * scores x and targets t of the same count → −Σ (t·log σ(x) + (1 − t)·log(1 − σ(x))) / normalizer, computed without
 * overflow.
 */
export class SigmoidCrossEntropyLossLayer extends LossLayer {
  static override readonly atDeploy = { type: 'Sigmoid' } as const
  static override readonly param = ['sigmoid_param', 'loss_param'] as const
  static override readonly uses = ['sigmoidCrossEntropyLoss', 'sigmoidCrossEntropyLossGradient', 'power'] as const
  private sizes!: ClassLossShape

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.requireSameCount(bottom[0], bottom[1])
    this.sizes = {
      outer: bottom[0].dim(0),
      classes: 1,
      inner: bottom[0].size(1),
      ignoreLabel: this.param.loss_param?.ignore_label,
      normalization: normalizationOf(this.param.loss_param, 'BATCH_SIZE'),
    }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.sigmoidCrossEntropyLoss(this.sizes, bottom[0].memory.data, bottom[1].memory.data, top[0].memory.data)
    this.divideByFixed(1, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const { data, diff } = bottom[0].memory
    this.kernels.sigmoidCrossEntropyLossGradient(this.sizes, data, bottom[1].memory.data, top[0].memory.diff, diff)
    this.divideByFixed(bottom[0].count, diff)
  }
}
