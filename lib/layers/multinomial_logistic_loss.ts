import type { Blob } from '../blob.js'
import { checkLabels, LossLayer } from './parts/loss.js'

/**
 * probabilities (N, classes …), labels (N) → −Σ log p[label] / N, with p at least 10⁻²⁰. SoftmaxWithLoss is the stable
 * way from scores.
 */
export class MultinomialLogisticLossLayer extends LossLayer {
  static override readonly compares = 'probabilities'
  static override readonly param = ['loss_param'] as const
  static override readonly uses = ['multinomialLogisticLoss', 'multinomialLogisticLossGradient'] as const

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.requireLabelPerItem(bottom)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [p, label] = bottom
    const classes = p.size(1)
    checkLabels(this, label, classes, undefined)
    this.kernels.multinomialLogisticLoss(p.dim(0), classes, p.memory.data, label.memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const [p, label] = bottom
    const { data, diff } = p.memory
    this.kernels.multinomialLogisticLossGradient(p.dim(0), p.size(1), data, label.memory.data, top[0].memory.diff, diff)
  }
}
