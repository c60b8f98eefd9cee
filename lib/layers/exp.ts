import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = base^(shift + scale·bottom); base −1 means e. */
export class ExpLayer extends KeptInputLayer {
  static override readonly param = ['exp_param'] as const
  static override readonly uses = ['copy', 'exponential', 'exponentialGradient'] as const
  /** top = factor·e^(scale·bottom). */
  private scale = 1
  private factor = 1

  override setup(): void {
    const { base, scale, shift } = withDefaults('ExpParameter', this.param.exp_param)
    if (base !== -1 && !(base > 0 && base < Number.POSITIVE_INFINITY))
      throw this.error(`base: ${base} must be positive, or -1 for e`)
    const logBase = base === -1 ? 1 : Math.log(base)
    this.scale = logBase * scale
    this.factor = Math.exp(logBase * shift)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.exponential(bottom[0].count, this.scale, this.factor, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { diff } = bottom[0].memory
    this.kernels.exponentialGradient(
      bottom[0].count,
      this.scale,
      this.factor,
      this.input(bottom, top),
      top[0].memory.diff,
      diff,
    )
  }
}
