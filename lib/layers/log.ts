import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = log_base(shift + scale·bottom); base −1 means e. */
export class LogLayer extends KeptInputLayer {
  static override readonly param = ['log_param'] as const
  static override readonly uses = ['copy', 'logarithm', 'logarithmGradient'] as const
  /** top = factor·log(shift + scale·bottom). */
  private scale = 1
  private shift = 0
  private factor = 1

  override setup(): void {
    const { base, scale, shift } = withDefaults('LogParameter', this.param.log_param)
    if (base !== -1 && !(base > 0 && base !== 1 && base < Number.POSITIVE_INFINITY))
      throw this.error(`base: ${base} must be positive and not 1, or -1 for e`)
    this.scale = scale
    this.shift = shift
    this.factor = base === -1 ? 1 : 1 / Math.log(base)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    const { data } = bottom[0].memory
    this.kernels.logarithm(bottom[0].count, this.scale, this.shift, this.factor, data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const x = this.input(bottom, top)
    this.kernels.logarithmGradient(
      bottom[0].count,
      this.scale,
      this.shift,
      this.factor,
      x,
      top[0].memory.diff,
      bottom[0].memory.diff,
    )
  }
}
