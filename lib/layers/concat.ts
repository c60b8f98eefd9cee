import { type Blob, shapeText } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** The bottoms one after the other along `axis`. A single bottom is shared, not copied. */
export class ConcatLayer extends Layer {
  static override readonly param = ['concat_param'] as const
  static override readonly uses = ['copyRows'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { atLeast: 1 }
  override readonly topCount = { exactly: 1 }

  private outer = 0
  /** Values per outer index: of each bottom, and of the top. */
  private widths: readonly number[] = []
  private width = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const axis = this.axis(bottom[0])
    for (const blob of bottom) {
      if (blob.numAxes !== bottom[0].numAxes || blob.shape.some((size, i) => i !== axis && size !== bottom[0].dim(i)))
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) does not fit behind '${bottom[0].name}' (${shapeText(bottom[0].shape)}): all axes but axis ${axis} must agree`,
        )
    }
    const shape = bottom[0].shape
    shape[axis] = bottom.reduce((sum, blob) => sum + blob.dim(axis), 0)
    top[0].reshape(shape)
    this.outer = top[0].size(0, axis)
    this.widths = bottom.map(blob => blob.size(axis))
    this.width = top[0].size(axis)
    if (bottom.length === 1) {
      top[0].shareData(bottom[0])
      top[0].shareDiff(bottom[0])
    }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    if (bottom.length === 1) return
    let offset = 0
    bottom.forEach((blob, i) => {
      this.kernels.copyRows(
        this.outer,
        this.widths[i],
        blob.memory.data,
        0,
        this.widths[i],
        top[0].memory.data,
        offset,
        this.width,
      )
      offset += this.widths[i]
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (bottom.length === 1) return
    let offset = 0
    bottom.forEach((blob, i) => {
      const width = this.widths[i]
      if (propagateDown[i])
        this.kernels.copyRows(this.outer, width, top[0].memory.diff, offset, this.width, blob.memory.diff, 0, width)
      offset += width
    })
  }

  private axis(bottom: Blob): number {
    const written = this.param.concat_param
    const param = withDefaults('ConcatParameter', written)
    if (written?.concat_dim === undefined) return axisOf(this, bottom, param.axis)
    if (written.axis !== undefined) throw this.error('axis and concat_dim mean the same: write one of them')
    return axisOf(this, bottom, param.concat_dim, 'concat_dim')
  }
}
