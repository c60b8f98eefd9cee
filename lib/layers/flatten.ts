import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** Axes `axis` … `end_axis` become one. Values and gradients are the bottom's own: nothing is copied. */
export class FlattenLayer extends Layer {
  static override readonly param = ['flatten_param'] as const
  /** It computes nothing, but naming a kernel says that the values may stay where they are. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const param = withDefaults('FlattenParameter', this.param.flatten_param)
    const first = axisOf(this, bottom[0], param.axis)
    const last = axisOf(this, bottom[0], param.end_axis, 'end_axis')
    // one before `axis` flattens no axis at all: Caffe then inserts one of size 1
    if (last < first - 1) throw this.error(`end_axis: ${param.end_axis} comes before axis: ${param.axis}`)
    const { shape } = bottom[0]
    top[0].reshape([...shape.slice(0, first), bottom[0].size(first, last + 1), ...shape.slice(last + 1)])
    top[0].shareData(bottom[0])
    top[0].shareDiff(bottom[0])
  }

  override forward(): void {}
  override backward(): void {}
}
