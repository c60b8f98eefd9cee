import type { Blob } from '../blob.js'
import { Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'

/** Tops for the program to fill. */
export class InputLayer extends Layer {
  static override readonly param = ['input_param'] as const
  static override readonly isInput = true
  /** It computes nothing, but naming a kernel says that the values may stay where they are. */
  static override readonly uses = ['copy'] as const
  override readonly bottomCount = { exactly: 0 }
  override readonly topCount = { atLeast: 1 }
  override readonly takesFeed = true

  override setup(_bottom: Blob[], top: Blob[]): void {
    const { shape } = withDefaults('InputParameter', this.param.input_param)
    if (shape.length > 1 && shape.length !== top.length)
      throw this.error(
        `shape is given ${shape.length} times for ${top.length} tops: give it once, once per top, or not at all`,
      )
    if (shape.length) top.forEach((blob, i) => blob.reshape(shape[shape.length === 1 ? 0 : i].dim ?? []))
  }

  override reshape(): void {}
  override forward(): void {}
  override backward(): void {}
}
