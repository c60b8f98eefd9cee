import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Channels (axis 1) as group × C/group are turned to C/group × group: channel i·group + g of y is g·C/group + i of x. */
export class ShuffleChannelLayer extends Layer {
  static override readonly param = ['shuffle_channel_param'] as const
  static override readonly uses = ['permute'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private group = 1

  override setup(): void {
    this.group = withDefaults('ShuffleChannelParameter', this.param.shuffle_channel_param).group
    if (this.group < 1) throw this.error(`group: ${this.group} must be at least 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [{ name, shape }] = bottom
    if (shape.length < 2) throw this.error(`'${name}' (${shapeText(shape)}) has no channels: they are axis 1`)
    if (shape[1] % this.group)
      throw this.error(
        `${shape[1]} channels of '${name}' (${shapeText(shape)}) do not divide into group: ${this.group}`,
      )
    top[0].reshapeLike(bottom[0])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [batch, channels] = bottom[0].shape
    const shape = [batch, this.group, channels / this.group, bottom[0].size(2)]
    this.kernels.permute(shape, [0, 2, 1, 3], bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const [batch, channels] = bottom[0].shape
    const shape = [batch, channels / this.group, this.group, bottom[0].size(2)]
    this.kernels.permute(shape, [0, 2, 1, 3], top[0].memory.diff, bottom[0].memory.diff)
  }
}
