import type { Blob } from '../blob.js'
import type { Reduction } from '../engine.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** top = coeff · sum, sum of magnitudes, sum of squares or mean over all axes from `axis` on, which disappear. */
export class ReductionLayer extends Layer {
  static override readonly param = ['reduction_param'] as const
  static override readonly uses = ['reduce', 'reduceGradient'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private operation: Reduction = 'SUM'
  private coefficient = 1
  private outer = 0
  private inner = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const p = withDefaults('ReductionParameter', this.param.reduction_param)
    const axis = axisOf(this, bottom[0], p.axis)
    this.outer = bottom[0].size(0, axis)
    this.inner = bottom[0].size(axis)
    this.operation = p.operation === 'MEAN' ? 'SUM' : p.operation
    this.coefficient = p.operation === 'MEAN' ? p.coeff / this.inner : p.coeff
    top[0].reshape(bottom[0].shape.slice(0, axis))
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.reduce(
      this.operation,
      this.outer,
      this.inner,
      this.coefficient,
      bottom[0].memory.data,
      top[0].memory.data,
    )
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { data, diff } = bottom[0].memory
    this.kernels.reduceGradient(
      this.operation,
      this.outer,
      this.inner,
      this.coefficient,
      data,
      top[0].memory.diff,
      diff,
    )
  }
}
