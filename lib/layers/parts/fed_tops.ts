import type { Blob, Shape } from '../../blob.js'
import { Layer } from '../../layer.js'

/** A Python layer that read files of its own: its tops are inputs, for `net.forward` and `net.feed` to fill. */
export abstract class FedLayer extends Layer {
  static override readonly isInput = true
  /** It computes nothing, but naming a kernel says that the values may stay where they are. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount: { readonly atLeast: number; readonly atMost?: number } = { atLeast: 1 }
  override readonly takesFeed = true

  /** Shape of top i until values come with another. */
  protected abstract shapeOf(top: number, name: string, tops: number): Shape

  override setup(_bottom: Blob[], top: Blob[]): void {
    top.forEach((blob, i) => blob.reshape(this.shapeOf(i, this.param.top?.[i] ?? '', top.length)))
  }

  override reshape(): void {}
  override forward(): void {}
  override backward(): void {}
}
