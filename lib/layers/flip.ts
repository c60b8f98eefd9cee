import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Pictures (N, C, H, W) mirrored: left and right, top and bottom, or both. */
export class FlipLayer extends Layer {
  static override readonly param = ['flip_param'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private fields = withDefaults('FlipParameter', this.param.flip_param)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    if (bottom[0].numAxes !== 4)
      throw this.error(`'${bottom[0].name}' (${shapeText(bottom[0].shape)}) must be N × C × H × W`)
    top[0].reshapeLike(bottom[0])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.mirror(bottom[0].shape, bottom[0].dataArray, top[0].dataArray)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0]) this.mirror(top[0].shape, top[0].diffArray, bottom[0].diffArray)
  }

  private mirror([n, c, height, width]: readonly number[], from: Float32Array, to: Float32Array): void {
    const { flip_width, flip_height } = this.fields
    for (let row = 0; row < n * c * height; row++) {
      const y = row % height
      const values = from.subarray(row * width, (row + 1) * width)
      to.set(flip_width ? values.toReversed() : values, (flip_height ? row - y + height - 1 - y : row) * width)
    }
  }
}
