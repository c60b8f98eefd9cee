import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'
import type { Spread } from './parts/spread.js'

/**
 * top = bottom where positive, else slope·bottom, with one learned slope a channel (axis 1) or, `channel_shared`, a
 * single one.
 */
export class PReLULayer extends KeptInputLayer {
  static override readonly param = ['prelu_param'] as const
  static override readonly uses = ['copy', 'prelu', 'preluGradient', 'preluSlopeGradient'] as const
  private shared = false
  private sizes: Spread = { outer: 0, channels: 0, inner: 0 }

  override setup(bottom: Blob[]): void {
    const p = withDefaults('PReLUParameter', this.param.prelu_param)
    this.shared = p.channel_shared
    this.requireChannels(bottom)
    this.addBlob(this.shared ? [] : [bottom[0].dim(1)], p.filler ?? { type: 'constant', value: 0.25 })
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.requireChannels(bottom)
    if (!this.shared && this.blobs[0].count !== bottom[0].dim(1))
      throw this.error(
        `it has ${this.blobs[0].count} slopes, but '${bottom[0].name}' (${shapeText(bottom[0].shape)}) has ${bottom[0].dim(1)} channels`,
      )
    super.reshape(bottom, top)
    this.sizes = this.shared
      ? { outer: 1, channels: 1, inner: bottom[0].count }
      : { outer: bottom[0].dim(0), channels: bottom[0].dim(1), inner: bottom[0].size(2) }
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { outer, channels, inner } = this.sizes
    this.keepInput(bottom, top)
    this.kernels.prelu(outer, channels, inner, bottom[0].memory.data, this.blobs[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { outer, channels, inner } = this.sizes
    const x = this.input(bottom, top)
    const dy = top[0].memory.diff
    const slope = this.blobs[0].memory
    // slopes first: in place, the bottom's gradient overwrites the top's
    if (this.paramPropagateDown[0]) this.kernels.preluSlopeGradient(outer, channels, inner, x, dy, slope.diff)
    if (propagateDown[0]) this.kernels.preluGradient(outer, channels, inner, x, slope.data, dy, bottom[0].memory.diff)
  }

  private requireChannels(bottom: Blob[]): void {
    if (bottom[0].numAxes < 2)
      throw this.error(
        `'${bottom[0].name}' (${shapeText(bottom[0].shape)}) needs at least 2 axes, the second one being the channels`,
      )
  }
}
