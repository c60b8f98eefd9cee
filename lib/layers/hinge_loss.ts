import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { checkLabels, LossLayer } from './parts/loss.js'

/**
 * scores (N, classes …), labels (N) → Σ max(0, 1 − score of the label) + Σ max(0, 1 + other scores), over N; `norm: L2`
 * squares the terms.
 */
export class HingeLossLayer extends LossLayer {
  static override readonly param = ['hinge_loss_param', 'loss_param'] as const
  static override readonly uses = ['hingeLoss', 'hingeLossGradient'] as const
  private squared = false

  override setup(): void {
    this.squared = withDefaults('HingeLossParameter', this.param.hinge_loss_param).norm === 'L2'
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.requireLabelPerItem(bottom)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [x, label] = bottom
    const classes = x.size(1)
    checkLabels(this, label, classes, undefined)
    this.kernels.hingeLoss(x.dim(0), classes, this.squared, x.memory.data, label.memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    this.refuseLabelGradient(propagateDown, bottom)
    if (!propagateDown[0]) return
    const [x, label] = bottom
    const { data, diff } = x.memory
    this.kernels.hingeLossGradient(x.dim(0), x.size(1), this.squared, data, label.memory.data, top[0].memory.diff, diff)
  }
}
