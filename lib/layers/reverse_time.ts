import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * x (T, N, …), lengths (N) → x with the first lengths[n] steps of stream n in reverse; the steps behind them stay with
 * copy_remaining, else they are 0. Plain host code.
 */
export class ReverseTimeLayer extends Layer {
  static override readonly param = ['reverse_time_param'] as const
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('ReverseTimeParameter', this.param.reverse_time_param)

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, lengths] = bottom
    if (x.numAxes < 2 || lengths.count !== x.dim(1))
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) must be steps × streams, and '${lengths.name}' (${shapeText(lengths.shape)}) have one length for each stream`,
      )
    top[0].reshapeLike(x)
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex === 0
  }

  override forward([x, lengths]: Blob[], [top]: Blob[]): void {
    this.turn(x, lengths, x.dataArray, top.dataArray)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, lengths]: Blob[]): void {
    if (propagateDown[1])
      throw this.error(`bottom 1, '${lengths.name}', has no gradient: give this layer propagate_down: false for it`)
    // a step that changed places goes back to where it was from
    if (propagateDown[0]) this.turn(x, lengths, top.diffArray, x.diffArray)
  }

  private turn(x: Blob, lengths: Blob, from: Float32Array, to: Float32Array): void {
    const [steps, streams] = x.shape
    const width = x.size(2)
    const ends = lengths.dataArray
    for (let n = 0; n < streams; n++) {
      const end = Math.trunc(ends[n])
      if (!(end >= 0 && end <= steps))
        throw this.error(`length ${n} of '${lengths.name}' is ${ends[n]}: '${x.name}' has ${steps} steps`)
      for (let t = 0; t < steps; t++) {
        const at = (t * streams + n) * width
        const source = ((t < end ? end - 1 - t : t) * streams + n) * width
        if (t < end || this.p.copy_remaining) to.set(from.subarray(source, source + width), at)
        else to.fill(0, at, at + width)
      }
    }
  }
}
