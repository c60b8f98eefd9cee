import type { Blob } from '../../blob.js'
import { type CoordMap, type Count, inPlace, Layer } from '../../layer.js'

/** bottom (any shape) → top of the same shape, which may be the bottom itself. */
export abstract class NeuronLayer extends Layer {
  static override coordinates(): CoordMap {
    return inPlace
  }

  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }

  override reshape(bottom: Blob[], top: Blob[]): void {
    top[0].reshapeLike(bottom[0])
  }
}
