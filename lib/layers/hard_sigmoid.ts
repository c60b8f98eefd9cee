import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = alpha·bottom + beta, but at least 0 and at most 1. */
export class HardSigmoidLayer extends KeptInputLayer {
  static override readonly param = ['hard_sigmoid_param'] as const
  static override readonly uses = ['copy', 'hardSigmoid', 'hardSigmoidGradient'] as const
  private alpha = 0
  private beta = 0

  override setup(): void {
    const { alpha, beta } = withDefaults('HardSigmoidParameter', this.param.hard_sigmoid_param)
    this.alpha = alpha
    this.beta = beta
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.hardSigmoid(bottom[0].count, this.alpha, this.beta, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const [x, { diff: dy }, { diff: dx }] = [this.input(bottom, top), top[0].memory, bottom[0].memory]
    this.kernels.hardSigmoidGradient(bottom[0].count, this.alpha, this.beta, x, dy, dx)
  }
}
