import { type Blob, shapeText } from '../blob.js'
import { type Count, Layer } from '../layer.js'

/**
 * bottom 0 (N, …), bottom 1 (M) of indices → top (M, …): item m is item bottom 1[m] of bottom 0. Plain host code, as
 * indices are checked.
 */
export class BatchReindexLayer extends Layer {
  override readonly bottomCount: Count = { exactly: 2 }
  override readonly topCount: Count = { exactly: 1 }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [items, indices] = bottom
    if (items.numAxes === 0) throw this.error(`'${items.name}' is a single value: it needs a batch axis`)
    if (indices.numAxes !== 1)
      throw this.error(`the indices '${indices.name}' (${shapeText(indices.shape)}) must have exactly one axis`)
    top[0].reshape([indices.count, ...items.shape.slice(1)])
  }

  override allowsForceBackward(bottomIndex: number): boolean {
    return bottomIndex !== 1
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const [items, indices] = bottom
    const width = items.size(1)
    const from = items.dataArray
    const to = top[0].dataArray
    for (let m = 0; m < indices.count; m++) {
      const start = this.item(items, indices, m) * width
      for (let i = 0; i < width; i++) to[m * width + i] = from[start + i]
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [items, indices] = bottom
    if (propagateDown[1])
      throw this.error(`the indices '${indices.name}' have no gradient: give this layer propagate_down: false for them`)
    if (!propagateDown[0]) return
    const width = items.size(1)
    const from = top[0].diffArray
    const to = items.diffArray
    to.fill(0)
    for (let m = 0; m < indices.count; m++) {
      const start = this.item(items, indices, m) * width
      for (let i = 0; i < width; i++) to[start + i] += from[m * width + i]
    }
  }

  private item(items: Blob, indices: Blob, m: number): number {
    const index = indices.dataArray[m]
    if (!(index >= 0 && index < items.dim(0)))
      throw this.error(
        `index ${m} of '${indices.name}' is ${index}, but '${items.name}' has the items 0 to ${items.dim(0) - 1}`,
      )
    return Math.trunc(index)
  }
}
