import { type Blob, shapeText, sizeOf } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { resizeTaps, type Taps } from './parts/taps.js'

/** What happens along one axis of a blob that is (outer, size, inner). */
interface Stage {
  readonly outer: number
  readonly size: number
  readonly inner: number
  readonly taps: readonly Taps[]
}

/** The bottom at other sizes: nearest, linear or cubic along each axis from `axis` on, one after the other. */
export class ResizeLayer extends Layer {
  static override readonly param = ['resize_param'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private readonly p = withDefaults('ResizeLayerParameter', this.param.resize_param)
  private stages: Stage[] = []

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    const { size: sizes, scale: scales } = this.p
    const first = axisOf(this, x, this.p.axis)
    const many = sizes.length || scales.length
    if ((sizes.length > 0 && scales.length > 0 && sizes.length !== scales.length) || !many || first + many > x.numAxes)
      throw this.error(
        `size is given ${sizes.length} times, scale ${scales.length} times: one of them is needed, once for each axis from axis ${first} of '${x.name}' (${shapeText(x.shape)}) on, or for some of them`,
      )
    const shape = x.shape
    this.stages = []
    for (let i = 0; i < many; i++) {
      const axis = first + i
      const size = shape[axis]
      const out = sizes[i] ?? Math.floor(size * scales[i])
      if (out < 1 || size < 1)
        throw this.error(`axis ${axis} of '${x.name}' (${shapeText(x.shape)}) would have ${out} places`)
      shape[axis] = out
      const scale = scales[i] ?? out / size
      if (out === size && scale === 1) continue
      const [outer, inner] = [sizeOf(shape, 0, axis), sizeOf(shape, axis + 1)]
      this.stages.push({ outer, size, inner, taps: resizeTaps(size, out, scale, this.p) })
    }
    top[0].reshape(shape)
  }

  override forward([bottom]: Blob[], [top]: Blob[]): void {
    let xs = bottom.dataArray
    this.stages.forEach((stage, i) => {
      const ys =
        i === this.stages.length - 1 ? top.dataArray : new Float32Array(stage.outer * stage.taps.length * stage.inner)
      eachTap(stage, (from, to, weight, first) => {
        if (first) for (let k = 0; k < stage.inner; k++) ys[to + k] = weight * xs[from + k]
        else for (let k = 0; k < stage.inner; k++) ys[to + k] += weight * xs[from + k]
      })
      xs = ys
    })
    if (!this.stages.length) top.dataArray.set(xs)
  }

  override backward([top]: Blob[], propagateDown: boolean[], [bottom]: Blob[]): void {
    if (!propagateDown[0]) return
    let dys = top.diffArray
    for (let i = this.stages.length - 1; i >= 0; i--) {
      const stage = this.stages[i]
      const dxs = i === 0 ? bottom.diffArray : new Float32Array(stage.outer * stage.size * stage.inner)
      dxs.fill(0)
      eachTap(stage, (from, to, weight) => {
        for (let k = 0; k < stage.inner; k++) dxs[from + k] += weight * dys[to + k]
      })
      dys = dxs
    }
    if (!this.stages.length) bottom.diffArray.set(dys)
  }
}

function eachTap(
  { outer, size, inner, taps }: Stage,
  visit: (from: number, to: number, weight: number, first: boolean) => void,
): void {
  for (let o = 0; o < outer; o++)
    for (let j = 0; j < taps.length; j++)
      taps[j].forEach(({ from, weight }, k) => {
        visit((o * size + from) * inner, (o * taps.length + j) * inner, weight, k === 0)
      })
}
