import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Places along an axis that one output takes, and how much of each. */
type Taps = readonly { readonly from: number; readonly weight: number }[]

/**
 * x (N, C, H, W) → (N, C, h, w), of the size of the second bottom or of the fields: corners stay corners, each value the
 * mean of those within a step, nearer ones more. NaN counts as nothing where others outweigh it. No gradient, as in
 * FlowNet: truth is scaled with it.
 */
export class DownsampleLayer extends Layer {
  static override readonly param = ['downsample_param'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  override readonly topCount: Count = { exactly: 1 }
  override readonly passesGradient = false
  private readonly fields = withDefaults('DownsampleParameter', this.param.downsample_param)
  private rows: Taps[] = []
  private columns: Taps[] = []

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const wrong = bottom.find(blob => blob.numAxes !== 4)
    if (wrong) throw this.error(`'${wrong.name}' (${shapeText(wrong.shape)}) must be N × C × H × W`)
    const [x, like] = bottom
    const [n, c, H, W] = x.shape
    const [h, w] = like ? like.shape.slice(2) : [this.fields.top_height, this.fields.top_width]
    if (h < 1 || w < 1)
      throw this.error(`top_height: ${h} and top_width: ${w} must be at least 1, or a second bottom have the size`)
    if ((h === 1 && H > 1) || (w === 1 && W > 1) || h > H || w > W)
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) cannot be scaled down to ${h}×${w}: to its own size or less, and to 2 at least`,
      )
    top[0].reshape([n, c, h, w])
    this.rows = tapsOf(H, h)
    this.columns = tapsOf(W, w)
  }

  override forward([x]: Blob[], [top]: Blob[]): void {
    const [xs, ys] = [x.dataArray, top.dataArray]
    const [H, W] = x.shape.slice(2)
    let to = 0
    for (let first = 0; first < xs.length; first += H * W)
      for (const row of this.rows) for (const column of this.columns) ys[to++] = mean(xs, first, W, row, column)
  }
}

function mean(xs: Float32Array, first: number, width: number, rows: Taps, columns: Taps): number {
  let [sum, total, missing] = [0, 0, 0]
  for (const row of rows)
    for (const column of columns) {
      const value = xs[first + row.from * width + column.from]
      const weight = row.weight * column.weight
      if (Number.isNaN(value)) missing += weight
      else {
        sum += weight * value
        total += weight
      }
    }
  return missing > 0.5 * total ? Number.NaN : sum / total
}

function tapsOf(size: number, out: number): Taps[] {
  const step = out > 1 ? (size - 1) / (out - 1) : 1
  return Array.from({ length: out }, (_, i) => {
    const at = i * step
    const taps: { from: number; weight: number }[] = []
    for (let from = Math.max(0, Math.ceil(at - step)); from <= Math.min(size - 1, Math.floor(at + step)); from++) {
      const weight = 1 - Math.abs(from - at) / step
      if (weight > 0) taps.push({ from, weight })
    }
    return taps
  })
}
