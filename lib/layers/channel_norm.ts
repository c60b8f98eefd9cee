import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/** Beside a length that something is divided by. */
const EPS = 1e-9

/** x (N, C, …) → (N, 1, …): √(Σ over channels x²). */
export class ChannelNormLayer extends Layer {
  static override readonly uses = ['multiply', 'sumMiddle', 'power', 'copyRows'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }

  override reshape([x]: Blob[], top: Blob[]): void {
    this.refuseInPlace([x], top)
    if (x.numAxes < 2) throw this.error(`'${x.name}' (${shapeText(x.shape)}) must have a batch axis and channels`)
    top[0].reshape([x.dim(0), 1, ...x.shape.slice(2)])
  }

  override forward([x]: Blob[], [top]: Blob[]): void {
    const { kernels } = this
    const squares = this.engine.scratch(x.count)
    const y = top.memory.data
    kernels.multiply(x.count, x.memory.data, x.memory.data, squares)
    kernels.sumMiddle(x.dim(0), x.dim(1), x.size(2), squares, y)
    kernels.power(top.count, 0.5, 1, 0, y, y)
  }

  /** dx = x·dy / (y + 10⁻⁹) */
  override backward([top]: Blob[], propagateDown: boolean[], [x]: Blob[]): void {
    if (!propagateDown[0]) return
    const { kernels } = this
    const [channels, places] = [x.dim(1), x.size(2)]
    const ratio = this.engine.scratch(top.count)
    const dx = x.memory.diff
    kernels.power(top.count, -1, 1, EPS, top.memory.data, ratio)
    kernels.multiply(top.count, ratio, top.memory.diff, ratio)
    for (let c = 0; c < channels; c++)
      kernels.copyRows(x.dim(0), places, ratio, 0, places, dx, c * places, channels * places)
    kernels.multiply(x.count, dx, x.memory.data, dx)
  }
}
