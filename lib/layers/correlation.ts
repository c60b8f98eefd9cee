import { type Blob, shapeText } from '../blob.js'
import type { CostVolumeShape } from '../engine.js'
import type { FilledCorrelationParameter } from '../generated/caffe.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * FlowNet's cost volume: a, b (N, C, H, W) → (N, D², h, w): for each displacement (s2p, s2o) of b the mean over channels
 * and a kernel of a·b, or of |a − b|. Outside the pictures are zeros.
 */
export class CorrelationLayer extends Layer {
  static override readonly param = ['correlation_param'] as const
  static override readonly uses = ['costVolume', 'costVolumeGradient'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }
  protected fields = withDefaults('CorrelationParameter', this.param.correlation_param)
  private shape!: CostVolumeShape

  override setup(): void {
    const { kernel_size, max_displacement, stride_1, stride_2 } = this.fields
    if (kernel_size === undefined || max_displacement === undefined)
      throw this.error('correlation_param needs kernel_size and max_displacement')
    if (kernel_size % 2 === 0) throw this.error(`kernel_size: ${kernel_size} must be odd`)
    if (stride_1 < 1 || stride_2 < 1)
      throw this.error(`stride_1: ${stride_1} and stride_2: ${stride_2} must be at least 1`)
    this.checkDirection(this.fields)
  }

  protected checkDirection({ single_direction }: FilledCorrelationParameter): void {
    if (single_direction !== 0)
      throw this.error(`single_direction: ${single_direction} is of Correlation1D, which is another layer`)
  }

  /** Displacements down and across, from the first on, and where pictures are padded and patches keep away from edges. */
  protected displacements(): Pick<CostVolumeShape, 'shift' | 'shifts' | 'start'> {
    const { max_displacement = 0, stride_2, pad } = this.fields
    const radius = Math.trunc(max_displacement / stride_2)
    const side = 2 * radius + 1
    const start = max_displacement - pad
    return { shift: [-radius * stride_2, -radius * stride_2], shifts: [side, side], start: [start, start] }
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [a, b] = bottom
    if (a.numAxes !== 4 || a.shape.some((size, axis) => size !== b.shape[axis]) || b.numAxes !== 4)
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have one shape, N × C × H × W`,
      )
    const { kernel_size: kernel = 1, stride_1: stride, stride_2: step, pad, max_displacement } = this.fields
    const places = this.displacements()
    const [batch, channels, height, width] = a.shape
    const [h, w] = [height, width].map((size, i) => Math.ceil((size - 2 * places.start[i] - kernel + 1) / stride))
    if (h < 1 || w < 1)
      throw this.error(
        `max_displacement: ${max_displacement} and kernel_size: ${kernel} leave nothing of '${a.name}' (${shapeText(a.shape)}) with pad: ${pad}`,
      )
    const subtract = this.fields.correlation_type === 'SUBTRACT'
    this.shape = { ...places, batch, channels, input: [height, width], output: [h, w], kernel, stride, step, subtract }
    top[0].reshape([batch, places.shifts[0] * places.shifts[1], h, w])
  }

  override work(bottom: Blob[], top: Blob[]): number {
    return top[0].count * bottom[0].dim(1) * this.shape.kernel ** 2
  }

  override forward([a, b]: Blob[], [top]: Blob[]): void {
    this.kernels.costVolume(this.shape, a.memory.data, b.memory.data, top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    for (const second of [false, true]) {
      const [x, other] = second ? [bottom[1], bottom[0]] : bottom
      if (!propagateDown[Number(second)]) continue
      this.kernels.costVolumeGradient(
        this.shape,
        second,
        x.memory.data,
        other.memory.data,
        top.memory.diff,
        x.memory.diff,
      )
    }
  }
}
