import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/**
 * bottoms (N, …) … and a selector (N) → tops (n, …) …: the items whose selector is not 0, in order.
 * The shape of the tops depends on values, so it is set in forward; until the first forward it is that of the bottoms.
 */
export class FilterLayer extends Layer {
  override readonly bottomCount: Count = { atLeast: 2 }
  override readonly topCount: Count = { atLeast: 1 }
  /** Numbers of the items that pass. */
  private selected = new Int32Array(0)
  private count = -1

  override setup(bottom: Blob[], top: Blob[]): void {
    if (top.length !== bottom.length - 1)
      throw this.error(
        `it has ${bottom.length} bottoms and ${top.length} tops: it makes one top per bottom, except for the last bottom, the selector`,
      )
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const selector = bottom[bottom.length - 1]
    const batch = selector.numAxes ? selector.dim(0) : 0
    if (selector.numAxes === 0 || selector.count !== batch)
      throw this.error(
        `the selector '${selector.name}' (${shapeText(selector.shape)}) must hold one value per item: all axes but the first must be 1`,
      )
    for (const blob of bottom) {
      if (blob.numAxes === 0 || blob.dim(0) !== batch)
        throw this.error(
          `'${blob.name}' (${shapeText(blob.shape)}) and the selector '${selector.name}' (${shapeText(selector.shape)}) must have the same first axis`,
        )
    }
    if (this.selected.length < batch) this.selected = new Int32Array(batch)
    const count = this.count < 0 ? batch : Math.min(this.count, batch)
    top.forEach((blob, k) => {
      blob.reshape([count, ...bottom[k].shape.slice(1)])
    })
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== (this.param.bottom?.length ?? 0) - 1
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const selector = bottom[bottom.length - 1].dataArray
    this.count = 0
    for (let n = 0; n < selector.length; n++) if (selector[n] !== 0) this.selected[this.count++] = n
    top.forEach((blob, k) => {
      if (blob.dim(0) !== this.count) blob.reshape([this.count, ...bottom[k].shape.slice(1)])
      const width = bottom[k].size(1)
      const from = bottom[k].dataArray
      const to = blob.dataArray
      for (let r = 0; r < this.count; r++) {
        const start = this.selected[r] * width
        for (let i = 0; i < width; i++) to[r * width + i] = from[start + i]
      }
    })
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[bottom.length - 1])
      throw this.error(
        `the selector '${bottom[bottom.length - 1].name}' has no gradient: give this layer propagate_down: false for it`,
      )
    top.forEach((blob, k) => {
      if (!propagateDown[k]) return
      const width = bottom[k].size(1)
      const from = blob.diffArray
      const to = bottom[k].diffArray
      to.fill(0)
      for (let r = 0; r < this.count; r++) {
        const start = this.selected[r] * width
        for (let i = 0; i < width; i++) to[start + i] = from[r * width + i]
      }
    })
  }
}
