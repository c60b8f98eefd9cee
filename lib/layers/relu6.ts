import { withDefaults } from '../proto/message.js'
import { RectifierLayer } from './parts/rectifier.js'

/** y = x if x > 0, else negative_slope·x, and at most 6. */
export class ReLU6Layer extends RectifierLayer {
  static override readonly param = ['relu6_param'] as const

  protected override settings(): { slope: number; capped: boolean } {
    return { slope: withDefaults('ReLU6Parameter', this.param.relu6_param).negative_slope, capped: true }
  }
}
