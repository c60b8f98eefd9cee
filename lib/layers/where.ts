import type { Blob } from '../blob.js'
import type { Count } from '../layer.js'
import { BroadcastingLayer } from './parts/broadcasting.js'

/** top = bottom 1 where bottom 0 is not 0, else bottom 2; axes are compared from the last, one of size 1 is repeated. */
export class WhereLayer extends BroadcastingLayer {
  override readonly bottomCount: Count = { exactly: 3 }
  override readonly topCount: Count = { exactly: 1 }
  protected override readonly operation = 'WHERE'

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex > 0
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      throw this.error(`bottom 0, '${bottom[0].name}', has no gradient: give this layer propagate_down: false for it`)
    super.backward(top, propagateDown, bottom)
  }
}
