import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/**
 * The bottom cut along `axis` into as many tops as are named: at the slice_points, or evenly. A single top shares the
 * bottom's memory.
 */
export class SliceLayer extends Layer {
  static override readonly param = ['slice_param'] as const
  static override readonly uses = ['copyRows'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { atLeast: 1 }
  private outer = 0
  /** Values of one outer index: in each top, and in the bottom. */
  private widths: readonly number[] = []
  private width = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const axis = this.sliceAxis(bottom[0])
    const { shape } = bottom[0]
    const inner = bottom[0].size(axis + 1)
    const sizes = this.sizes(shape[axis], top.length)
    sizes.forEach((size, i) => {
      shape[axis] = size
      top[i].reshape(shape)
    })
    this.outer = bottom[0].size(0, axis)
    this.widths = sizes.map(size => size * inner)
    this.width = bottom[0].size(axis)
    if (top.length === 1) {
      top[0].shareData(bottom[0])
      top[0].shareDiff(bottom[0])
    }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    if (top.length === 1) return
    let offset = 0
    for (let i = 0; i < top.length; i++) {
      const width = this.widths[i]
      this.kernels.copyRows(this.outer, width, bottom[0].memory.data, offset, this.width, top[i].memory.data, 0, width)
      offset += width
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0] || top.length === 1) return
    let offset = 0
    for (let i = 0; i < top.length; i++) {
      const width = this.widths[i]
      this.kernels.copyRows(this.outer, width, top[i].memory.diff, 0, width, bottom[0].memory.diff, offset, this.width)
      offset += width
    }
  }

  private sliceAxis(bottom: Blob): number {
    const p = this.param.slice_param
    if (p?.slice_dim === undefined) return axisOf(this, bottom, withDefaults('SliceParameter', p).axis)
    if (p.axis !== undefined)
      throw this.error(`axis: ${p.axis} and slice_dim: ${p.slice_dim} say the same thing twice: keep axis`)
    if (p.slice_dim >= bottom.numAxes)
      throw this.error(`slice_dim: ${p.slice_dim} is out of range for '${bottom.name}' (${shapeText(bottom.shape)})`)
    return p.slice_dim
  }

  private sizes(total: number, tops: number): number[] {
    const points = this.param.slice_param?.slice_point ?? []
    if (points.length === 0) {
      if (total % tops !== 0)
        throw this.error(
          `${total} does not divide evenly into ${tops} tops: give ${tops - 1} slice_point, or another number of tops`,
        )
      return Array<number>(tops).fill(total / tops)
    }
    if (points.length !== tops - 1)
      throw this.error(
        `slice_point is given ${points.length} times for ${tops} tops: ${tops} tops need ${tops - 1} of them`,
      )
    const edges = [0, ...points, total]
    const sizes = edges.slice(1).map((edge, i) => edge - edges[i])
    if (sizes.some(size => size <= 0))
      throw this.error(
        `slice_point [${points.join(', ')}] must rise and lie between 0 and ${total}, so that no top is empty`,
      )
    return sizes
  }
}
