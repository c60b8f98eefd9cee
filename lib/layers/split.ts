import type { Blob } from '../blob.js'
import { type CoordMap, inPlace, Layer } from '../layer.js'

/**
 * Every top is the bottom (shared memory, no copy); the bottom's gradient is the sum of the tops'. Nets insert it where
 * a blob is used twice.
 */
export class SplitLayer extends Layer {
  static override coordinates(): CoordMap {
    return inPlace
  }
  static override readonly uses = ['copy', 'eltwiseSum'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { atLeast: 1 }

  private gradients: readonly Blob['memory']['diff'][] = []
  private ones: readonly number[] = []

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    for (const blob of top) {
      blob.reshapeLike(bottom[0])
      // only the values are shared: a top keeps a gradient of its own, perhaps a loss weight
      blob.shareData(bottom[0])
    }
    this.gradients = top.map(blob => blob.memory.diff)
    this.ones = top.map(() => 1)
  }

  override forward(): void {}

  override backward(_top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { count } = bottom[0]
    if (this.gradients.length === 1) this.kernels.copy(count, this.gradients[0], bottom[0].memory.diff)
    else this.kernels.eltwiseSum(count, this.gradients, this.ones, bottom[0].memory.diff)
  }
}
