import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = bottom where positive, else alpha·(e^bottom − 1). */
export class ELULayer extends KeptInputLayer {
  static override readonly param = ['elu_param'] as const
  static override readonly uses = ['copy', 'elu', 'eluGradient'] as const
  private alpha = 1

  override setup(): void {
    this.alpha = withDefaults('ELUParameter', this.param.elu_param).alpha
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.elu(bottom[0].count, this.alpha, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    this.kernels.eluGradient(
      bottom[0].count,
      this.alpha,
      this.input(bottom, top),
      top[0].memory.diff,
      bottom[0].memory.diff,
    )
  }
}
