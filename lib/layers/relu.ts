import { withDefaults } from '../proto/message.js'
import { RectifierLayer } from './parts/rectifier.js'

/** y = x if x > 0, else negative_slope·x; with `relu6` at most 6. */
export class ReLULayer extends RectifierLayer {
  static override readonly param = ['relu_param'] as const

  protected override settings(): { slope: number; capped: boolean } {
    const { negative_slope, relu6 } = withDefaults('ReLUParameter', this.param.relu_param)
    return { slope: negative_slope, capped: relu6 }
  }
}
