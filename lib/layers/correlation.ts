import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** A row of the top, and where the values of a and b that add to it begin, both with padding. */
type Visit = (to: number, a: number, b: number, columns: number) => void

/**
 * FlowNet's cost volume: a, b (N, C, H, W) → (N, D², h, w): for each displacement (s2p, s2o) of b the mean over channels
 * and a kernel of a·b, or of |a − b|. Outside the pictures are zeros.
 */
export class CorrelationLayer extends Layer {
  static override readonly param = ['correlation_param'] as const
  override readonly bottomCount = { exactly: 2 }
  override readonly topCount = { exactly: 1 }
  private fields = withDefaults('CorrelationParameter', this.param.correlation_param)
  private kernel = 0
  /** Displacements to each side, in steps of stride_2. */
  private radius = 0

  override setup(): void {
    const { kernel_size, max_displacement, stride_1, stride_2, single_direction } = this.fields
    if (kernel_size === undefined || max_displacement === undefined)
      throw this.error('correlation_param needs kernel_size and max_displacement')
    if (kernel_size % 2 === 0) throw this.error(`kernel_size: ${kernel_size} must be odd`)
    if (stride_1 < 1 || stride_2 < 1)
      throw this.error(`stride_1: ${stride_1} and stride_2: ${stride_2} must be at least 1`)
    if (single_direction !== 0)
      throw this.error(`single_direction: ${single_direction} is of Correlation1D, which is another layer`)
    this.kernel = kernel_size
    this.radius = Math.trunc(max_displacement / stride_2)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [a, b] = bottom
    if (a.numAxes !== 4 || a.shape.some((size, axis) => size !== b.shape[axis]) || b.numAxes !== 4)
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) and '${b.name}' (${shapeText(b.shape)}) must have one shape, N × C × H × W`,
      )
    const { pad, stride_1, max_displacement = 0 } = this.fields
    const border = 2 * max_displacement + this.kernel - 1
    const [height, width] = [a.shape[2], a.shape[3]].map(size => Math.ceil((size + 2 * pad - border) / stride_1))
    if (height < 1 || width < 1)
      throw this.error(
        `max_displacement: ${max_displacement} and kernel_size: ${this.kernel} leave nothing of '${a.name}' (${shapeText(a.shape)}) with pad: ${pad}`,
      )
    top[0].reshape([a.shape[0], (2 * this.radius + 1) ** 2, height, width])
  }

  override work(bottom: Blob[], top: Blob[]): number {
    return top[0].count * bottom[0].dim(1) * this.kernel ** 2
  }

  override forward([a, b]: Blob[], [top]: Blob[]): void {
    const [xs, others, ys] = [this.padded(a), this.padded(b), top.dataArray]
    const stride = this.fields.stride_1
    const subtract = this.fields.correlation_type === 'SUBTRACT'
    ys.fill(0)
    this.eachRow(a, top, (to, from, other, columns) => {
      if (subtract)
        for (let k = 0, i = 0; k < columns; k++, i += stride) ys[to + k] += Math.abs(xs[from + i] - others[other + i])
      else for (let k = 0, i = 0; k < columns; k++, i += stride) ys[to + k] += xs[from + i] * others[other + i]
    })
    const scale = this.scale(a)
    for (let i = 0; i < ys.length; i++) ys[i] *= scale
  }

  override backward([top]: Blob[], propagateDown: boolean[], [a, b]: Blob[]): void {
    const [xs, others, dys] = [this.padded(a), this.padded(b), top.diffArray]
    const stride = this.fields.stride_1
    const subtract = this.fields.correlation_type === 'SUBTRACT'
    const [dxs, dothers] = [new Float64Array(xs.length), new Float64Array(xs.length)]
    this.eachRow(a, top, (to, from, other, columns) => {
      for (let k = 0, i = 0; k < columns; k++, i += stride) {
        const [x, y] = [xs[from + i], others[other + i]]
        const sign = Math.sign(x - y)
        dxs[from + i] += dys[to + k] * (subtract ? sign : y)
        dothers[other + i] += dys[to + k] * (subtract ? -sign : x)
      }
    })
    const scale = this.scale(a)
    if (propagateDown[0]) this.unpad(dxs, scale, a)
    if (propagateDown[1]) this.unpad(dothers, scale, b)
  }

  /** Of the mean over channels and the kernel. */
  private scale(a: Blob): number {
    return 1 / (this.kernel ** 2 * a.dim(1))
  }

  /** The values with zeros around each picture. */
  private padded(blob: Blob): Float64Array {
    const { pad } = this.fields
    const [items, channels, height, width] = blob.shape
    const [values, wide] = [blob.dataArray, width + 2 * pad]
    const padded = new Float64Array(items * channels * (height + 2 * pad) * wide)
    for (let row = 0; row < items * channels * height; row++)
      padded.set(values.subarray(row * width, (row + 1) * width), paddedRow(row, height, pad) * wide + pad)
    return padded
  }

  private unpad(padded: Float64Array, scale: number, blob: Blob): void {
    const { pad } = this.fields
    const [items, channels, height, width] = blob.shape
    const diff = blob.diffArray
    for (let row = 0; row < items * channels * height; row++) {
      const from = paddedRow(row, height, pad) * (width + 2 * pad) + pad
      for (let i = 0; i < width; i++) diff[row * width + i] = padded[from + i] * scale
    }
  }

  /** Every row of the top with what adds to it, a place of the kernel and a channel at a time. */
  private eachRow(a: Blob, top: Blob, visit: Visit): void {
    const { pad, stride_1, stride_2, max_displacement = 0 } = this.fields
    const [items, channels, height, width] = [a.shape[0], a.shape[1], a.shape[2] + 2 * pad, a.shape[3] + 2 * pad]
    const [, displacements, rows, columns] = top.shape
    const side = 2 * this.radius + 1
    for (let n = 0; n < items; n++)
      for (let d = 0; d < displacements; d++) {
        const shift = (Math.trunc(d / side) - this.radius) * stride_2 * width + ((d % side) - this.radius) * stride_2
        for (let row = 0; row < rows; row++) {
          const to = ((n * displacements + d) * rows + row) * columns
          for (let c = 0; c < channels; c++)
            for (let v = 0; v < this.kernel; v++) {
              const y = (n * channels + c) * height + row * stride_1 + max_displacement + v
              for (let u = 0; u < this.kernel; u++) {
                const from = y * width + max_displacement + u
                visit(to, from, from + shift, columns)
              }
            }
        }
      }
  }
}

/** Which row of the padded planes a row of the planes is. */
const paddedRow = (row: number, height: number, pad: number): number =>
  Math.trunc(row / height) * (height + 2 * pad) + pad + (row % height)
