import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * top (time_step, batch_size) ← 0 in the first step and 1 after it: what recurrent layers take as `cont`. With a bottom
 * of one value an item, those that are 1 go on in the first step, too. Plain host code, no gradient.
 */
export class ContinuationIndicatorLayer extends Layer {
  static override readonly param = ['continuation_indicator_param'] as const
  static override readonly atDeploy = 'stays' as const
  override readonly bottomCount: Count = { atMost: 1 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly p = withDefaults('ContinuationIndicatorParameter', this.param.continuation_indicator_param)

  override setup(): void {
    for (const field of ['time_step', 'batch_size'] as const)
      if (this.p[field] < 1) throw this.error(`${field}: ${this.p[field]} must be 1 or more`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const { time_step, batch_size } = this.p
    if (bottom[0] && bottom[0].count < batch_size)
      throw this.error(
        `'${bottom[0].name}' has ${bottom[0].count} values, one for each of ${batch_size} items is needed`,
      )
    top[0].reshape([time_step, batch_size])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const y = top[0].dataArray.fill(1)
    const goesOn = bottom[0]?.dataArray
    for (let i = 0; i < this.p.batch_size; i++) if (!goesOn || Math.abs(goesOn[i] - 1) > 0.01) y[i] = 0
  }
}
