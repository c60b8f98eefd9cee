import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Axes of the picture, (N, C/s², H, s, W, s), in the order that the parts have, (N, s, s, C/s², H, W), and back. */
const APART = [0, 3, 5, 1, 2, 4]
const TOGETHER = [0, 3, 4, 1, 5, 2]

/**
 * Darknet's reorg: (N, C, H, W) → (N, C·s², H/s, W/s), with `reverse` (N, C/s², H·s, W·s). The values are taken for
 * (N, C/s², H·s, W·s) whatever the bottom's shape says.
 */
export class ReorgLayer extends Layer {
  static override readonly param = ['reorg_param'] as const
  static override readonly uses = ['permute'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private stride = 0
  private reverse = false

  override setup(): void {
    const { stride, reverse } = withDefaults('ReorgParameter', this.param.reorg_param)
    if (!stride) throw this.error(`reorg_param needs a stride of at least 1 (stride is ${stride ?? 'missing'})`)
    this.stride = stride
    this.reverse = reverse
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { stride: s } = this
    const [{ name, shape }] = bottom
    if (shape.length !== 4) throw this.error(`'${name}' (${shapeText(shape)}) must have the four axes N × C × H × W`)
    const [n, c, h, w] = shape
    if (c % (s * s))
      throw this.error(
        `${c} channels of '${name}' (${shapeText(shape)}) must divide by the square of stride: ${s}, by ${s * s}`,
      )
    if (!this.reverse && (h % s || w % s))
      throw this.error(`height and width of '${name}' (${shapeText(shape)}) must divide by stride: ${s}`)
    top[0].reshape(this.reverse ? [n, c / s / s, h * s, w * s] : [n, c * s * s, h / s, w / s])
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [shape, order] = this.reverse ? this.parts(bottom[0]) : this.picture(bottom[0])
    this.kernels.permute(shape, order, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const [shape, order] = this.reverse ? this.picture(bottom[0]) : this.parts(bottom[0])
    this.kernels.permute(shape, order, top[0].memory.diff, bottom[0].memory.diff)
  }

  private picture({ shape: [n, c, h, w] }: Blob): [shape: number[], order: number[]] {
    const { stride: s } = this
    return [[n, c / s / s, h, s, w, s], APART]
  }
  private parts({ shape: [n, c, h, w] }: Blob): [shape: number[], order: number[]] {
    const { stride: s } = this
    return [[n, s, s, c / s / s, h, w], TOGETHER]
  }
}
