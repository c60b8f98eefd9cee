import type { Blob } from '../blob.js'
import type { After } from '../engine.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = bottom, but at least `min` and at most `max`; the gradient passes where min ≤ bottom ≤ max. */
export class ClipLayer extends KeptInputLayer {
  static override readonly param = ['clip_param'] as const
  static override readonly uses = ['copy', 'clip', 'clipGradient'] as const
  private low = 0
  private high = 0

  override setup(): void {
    const { min, max } = this.param.clip_param ?? {}
    if (min === undefined || max === undefined)
      throw this.error(`clip_param needs both min and max (min is ${min ?? 'missing'}, max is ${max ?? 'missing'})`)
    this.low = min
    this.high = max
  }

  /** The gradient needs what came in, which is gone once it is clipped. */
  override get after(): After | undefined {
    return this.needsBackward ? undefined : { clip: [this.low, this.high] }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.clip(bottom[0].count, this.low, this.high, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    this.kernels.clipGradient(
      bottom[0].count,
      this.low,
      this.high,
      this.input(bottom, top),
      top[0].memory.diff,
      bottom[0].memory.diff,
    )
  }
}
