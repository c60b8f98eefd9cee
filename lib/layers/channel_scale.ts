import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { Memory } from '../memory.js'

/** x (N, C, …), scale (N, …) with one value a place → x·scale, for every channel. */
export class ChannelScaleLayer extends Layer {
  static override readonly uses = ['copyRows', 'multiply', 'sumMiddle'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  /** The scale of each value of x. */
  private readonly factors = new Memory(0, this.engine.heap)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, scale] = bottom
    if (x.numAxes < 2 || scale.shape[0] !== x.shape[0] || scale.count * x.shape[1] !== x.count)
      throw this.error(
        `'${scale.name}' (${shapeText(scale.shape)}) must have one value for each place of each item of '${x.name}' (${shapeText(x.shape)}), whatever the channel`,
      )
    top[0].reshapeLike(x)
    this.factors.resize(x.count)
  }

  override forward([x, scale]: Blob[], [top]: Blob[]): void {
    const { kernels, factors } = this
    const [items, channels] = x.shape
    const plane = x.size(2)
    const from = scale.memory.data
    if (items < channels)
      for (let n = 0; n < items; n++)
        kernels.copyRows(channels, plane, from, n * plane, 0, factors, n * channels * plane, plane)
    else
      for (let c = 0; c < channels; c++)
        kernels.copyRows(items, plane, from, 0, plane, factors, c * plane, channels * plane)
    kernels.multiply(x.count, x.memory.data, factors, top.memory.data)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, scale]: Blob[]): void {
    const { kernels, factors } = this
    const dy = top.memory.diff
    if (propagateDown[0]) kernels.multiply(x.count, dy, factors, x.memory.diff)
    if (!propagateDown[1]) return
    const products = this.engine.scratch(x.count)
    kernels.multiply(x.count, dy, x.memory.data, products)
    kernels.sumMiddle(x.dim(0), x.dim(1), x.size(2), products, scale.memory.diff)
  }

  override dispose(): void {
    this.factors.dispose()
  }
}
