import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Each value becomes a block of stride × stride: (N, C, H, W) → (N, C, H·stride, W·stride). Synopsys' YOLO nets. */
export class UpsampleDarknetLayer extends Layer {
  static override readonly param = ['upsample_darknet_param'] as const
  static override readonly uses = ['enlarge', 'enlargeGradient'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private factor = 1

  override setup(): void {
    this.factor = withDefaults('UpsampleDarknetParameter', this.param.upsample_darknet_param).stride
    if (this.factor < 1) throw this.error(`stride: ${this.factor} must be at least 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    if (x.numAxes !== 4) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must have four axes: N, C, H, W`)
    top[0].reshape([x.dim(0), x.dim(1), x.dim(2) * this.factor, x.dim(3) * this.factor])
  }

  override forward([x]: Blob[], [y]: Blob[]): void {
    this.kernels.enlarge(x.size(0, 2), x.dim(2), x.dim(3), this.factor, x.memory.data, y.memory.data)
  }

  override backward([y]: Blob[], propagateDown: boolean[], [x]: Blob[]): void {
    if (propagateDown[0])
      this.kernels.enlargeGradient(x.size(0, 2), x.dim(2), x.dim(3), this.factor, y.memory.diff, x.memory.diff)
  }
}
