import type { Blob } from '../blob.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { BroadcastingLayer } from './parts/broadcasting.js'

const comparisons = ['EQUAL', 'GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL']

/** top = operation(bottom 0, bottom 1), value by value; axes are compared from the last, one of size 1 is repeated. */
export class BroadcastLayer extends BroadcastingLayer {
  static override readonly param = ['broadcast_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  protected override readonly operation = withDefaults('BroadcastParameter', this.param.broadcast_param).operation
  override readonly passesGradient = !comparisons.includes(this.operation)

  override allowsForceBackward(): boolean {
    return this.passesGradient
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!this.passesGradient && propagateDown.includes(true))
      throw this.error(`operation: ${this.operation} has no gradient`)
    super.backward(top, propagateDown, bottom)
  }
}
