import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/**
 * top = a·x + y with one a for each channel of each item: a (N, C) or (N, C, 1, 1), x and y (N, C, …). SENet's; OpenCV
 * computes a·y + x.
 */
export class AxpyLayer extends Layer {
  static override readonly uses = ['scaleChannels', 'scaleGradient', 'axpby', 'fill', 'copy'] as const
  override readonly bottomCount: Count = { exactly: 3 }
  override readonly topCount: Count = { exactly: 1 }
  private planes = 0
  private inner = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    const [a, x, y] = bottom
    this.refuseInPlace(bottom, top)
    const perChannel = a.numAxes >= 2 && x.numAxes >= 2 && a.dim(0) === x.dim(0) && a.dim(1) === x.dim(1)
    if (!perChannel || a.size(2) !== 1)
      throw this.error(
        `'${a.name}' (${shapeText(a.shape)}) must have one value for each channel of each item of '${x.name}' (${shapeText(x.shape)}): N × C or N × C × 1 × 1`,
      )
    if (shapeText(x.shape) !== shapeText(y.shape))
      throw this.error(
        `'${x.name}' (${shapeText(x.shape)}) and '${y.name}' (${shapeText(y.shape)}) must have the same shape`,
      )
    this.planes = a.count
    this.inner = x.size(2)
    top[0].reshapeLike(x)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [a, x, y] = bottom.map(blob => blob.memory.data)
    const { planes, inner, kernels } = this
    kernels.scaleChannels(1, planes, inner, x, a, null, top[0].memory.data)
    kernels.axpby(planes * inner, 1, y, 1, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [a, x, y] = bottom.map(blob => blob.memory)
    const { planes, inner, kernels } = this
    const dy = top[0].memory.diff
    if (propagateDown[0]) {
      kernels.fill(planes, 0, a.diff)
      kernels.scaleGradient(1, planes, inner, x.data, dy, a.diff)
    }
    if (propagateDown[1]) kernels.scaleChannels(1, planes, inner, dy, a.data, null, x.diff)
    if (propagateDown[2]) kernels.copy(planes * inner, dy, y.diff)
  }
}
