import type { Blob } from '../blob.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'

/** The bottom `tiles` times one behind the other along `axis`. */
export class TileLayer extends Layer {
  static override readonly param = ['tile_param'] as const
  static override readonly uses = ['copyRows', 'sumMiddle'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private tiles = 1
  private outer = 0
  private inner = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const { tiles = 0, axis: written } = withDefaults('TileParameter', this.param.tile_param)
    if (tiles < 1)
      throw this.error(`tile_param needs tiles of at least 1 (it is ${this.param.tile_param?.tiles ?? 'missing'})`)
    const axis = axisOf(this, bottom[0], written)
    const { shape } = bottom[0]
    shape[axis] *= tiles
    top[0].reshape(shape)
    this.tiles = tiles
    this.outer = bottom[0].size(0, axis)
    this.inner = bottom[0].size(axis)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { outer, inner, tiles } = this
    for (let t = 0; t < tiles; t++)
      this.kernels.copyRows(outer, inner, bottom[0].memory.data, 0, inner, top[0].memory.data, t * inner, tiles * inner)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.sumMiddle(this.outer, this.tiles, this.inner, top[0].memory.diff, bottom[0].memory.diff)
  }
}
