import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = lambda·(bottom if bottom > 0, else alpha·(e^bottom − 1)). */
export class SeLULayer extends KeptInputLayer {
  static override readonly param = ['selu_param'] as const
  static override readonly uses = ['copy', 'elu', 'eluGradient', 'axpby'] as const
  private alpha = 0
  private lambda = 0

  override setup(): void {
    const { alpha, lambda } = withDefaults('SeLUParameter', this.param.selu_param)
    this.alpha = alpha
    this.lambda = lambda
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    const y = top[0].memory.data
    this.kernels.elu(bottom[0].count, this.alpha, bottom[0].memory.data, y)
    this.kernels.axpby(bottom[0].count, this.lambda, y, 0, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const dx = bottom[0].memory.diff
    this.kernels.eluGradient(bottom[0].count, this.alpha, this.input(bottom, top), top[0].memory.diff, dx)
    this.kernels.axpby(bottom[0].count, this.lambda, dx, 0, dx)
  }
}
