import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = bottom / (1 + e^(−beta·bottom)). */
export class SwishLayer extends KeptInputLayer {
  static override readonly param = ['swish_param'] as const
  static override readonly uses = ['copy', 'swish', 'swishGradient'] as const
  private beta = 1

  override setup(): void {
    this.beta = withDefaults('SwishParameter', this.param.swish_param).beta
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.swish(bottom[0].count, this.beta, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    this.kernels.swishGradient(
      bottom[0].count,
      this.beta,
      this.input(bottom, top),
      top[0].memory.diff,
      bottom[0].memory.diff,
    )
  }
}
