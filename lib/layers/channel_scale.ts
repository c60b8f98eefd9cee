import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/** x (N, C, …), scale (N, …) with one value a place → x·scale, for every channel. */
export class ChannelScaleLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x, scale] = bottom
    if (x.numAxes < 2 || scale.shape[0] !== x.shape[0] || scale.count * x.shape[1] !== x.count)
      throw this.error(
        `'${scale.name}' (${shapeText(scale.shape)}) must have one value for each place of each item of '${x.name}' (${shapeText(x.shape)}), whatever the channel`,
      )
    top[0].reshapeLike(x)
  }

  override forward([x, scale]: Blob[], [top]: Blob[]): void {
    const [xs, ys, factors] = [x.dataArray, top.dataArray, scale.dataArray]
    this.each(x, (i, place) => {
      ys[i] = xs[i] * factors[place]
    })
  }

  override backward([top]: Blob[], propagateDown: boolean[], [x, scale]: Blob[]): void {
    const [dys, xs, factors] = [top.diffArray, x.dataArray, scale.dataArray]
    if (propagateDown[0]) {
      const dxs = x.diffArray
      this.each(x, (i, place) => {
        dxs[i] = dys[i] * factors[place]
      })
    }
    if (!propagateDown[1]) return
    const dfactors = scale.diffArray.fill(0)
    this.each(x, (i, place) => {
      dfactors[place] += dys[i] * xs[i]
    })
  }

  /** Every value of x with the place of its factor. */
  private each(x: Blob, visit: (i: number, place: number) => void): void {
    const [items, channels] = x.shape
    const plane = x.size(2)
    for (let n = 0, i = 0; n < items; n++)
      for (let c = 0; c < channels; c++) for (let p = 0; p < plane; p++) visit(i++, n * plane + p)
  }
}
