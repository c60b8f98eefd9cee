import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** The axes in another order: axis i of the top is axis order[i] of the bottom, axes not named follow as they stand. */
export class PermuteLayer extends Layer {
  static override readonly param: readonly ['permute_param'] | readonly ['transpose_param'] = ['permute_param']
  static override readonly uses = ['permute'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private order: readonly number[] = []
  private inverse: readonly number[] = []
  private stays = false

  /** The bottom's axes that come first, in this order. */
  protected axesOf(_bottom: Blob): readonly number[] {
    return withDefaults('PermuteParameter', this.param.permute_param).order
  }

  override setup(bottom: Blob[]): void {
    const order = this.axesOf(bottom[0])
    const axes = bottom[0].shape.map((_, axis) => axis)
    order.forEach((axis, i) => {
      if (!axes.includes(axis))
        throw this.error(`order ${axis} is no axis of '${bottom[0].name}', whose axes are ${axes.join(', ')}`)
      if (order.indexOf(axis) < i) throw this.error(`order names axis ${axis} twice: a permutation has each axis once`)
    })
    this.order = [...order, ...axes.filter(axis => !order.includes(axis))]
    this.inverse = axes.map(axis => this.order.indexOf(axis))
    this.stays = this.order.every((axis, i) => axis === i)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { shape } = bottom[0]
    if (shape.length !== this.order.length)
      throw this.error(
        `'${bottom[0].name}' has ${shape.length} axes now, and had ${this.order.length} when it was made`,
      )
    top[0].reshape(this.order.map(axis => shape[axis]))
    if (!this.stays) return
    top[0].shareData(bottom[0])
    top[0].shareDiff(bottom[0])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    if (!this.stays) this.kernels.permute(bottom[0].shape, this.order, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0] && !this.stays)
      this.kernels.permute(top[0].shape, this.inverse, top[0].memory.diff, bottom[0].memory.diff)
  }
}
