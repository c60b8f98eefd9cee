import type { Blob } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import type { ChannelAffine, Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { KeptInputLayer } from './parts/kept_input.js'
import { coefficientShape, type Spread, spread } from './parts/spread.js'

/**
 * top = factor·bottom 0 (+ bias), spread from `axis` on. The factor is bottom 1, or learned: `num_axes` axes of bottom
 * 0; the bias of `bias_term` is always learned, and the last blob. May work in place.
 */
export class ScaleLayer extends KeptInputLayer {
  static override readonly param = ['scale_param'] as const
  static override readonly uses = ['copy', 'fill', 'scaleChannels', 'scaleGradient', 'biasGradient'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  private axis = 1
  private hasBias = false
  private sizes: Spread = { outer: 0, channels: 0, inner: 0 }

  override setup(bottom: Blob[]): void {
    const p = withDefaults('ScaleParameter', this.param.scale_param)
    this.axis = p.axis
    this.hasBias = p.bias_term
    const shape = bottom[1]?.shape ?? coefficientShape(this, bottom[0], p.axis, p.num_axes)
    if (bottom.length === 1) this.addBlob(shape, p.filler ?? { type: 'constant', value: 1 })
    if (p.bias_term) this.addBlob(shape, p.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.sizes = spread(this, bottom[0], bottom[1] ?? this.blobs[0], this.axis)
    if (this.hasBias) spread(this, bottom[0], this.blobs[this.blobs.length - 1], this.axis)
    super.reshape(bottom, top)
  }

  override get fuses(): FusingKernel {
    return 'scaleChannels'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { outer, channels, inner } = this.sizes
    const factor = (bottom[1] ?? this.blobs[0]).memory.data
    const bias = this.hasBias ? this.blobs[this.blobs.length - 1].memory.data : null
    this.keepInput(bottom, top)
    this.kernels.scaleChannels(outer, channels, inner, bottom[0].memory.data, factor, bias, top[0].memory.data, after)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { outer, channels, inner } = this.sizes
    const dy = top[0].memory.diff
    const last = this.blobs.length - 1
    const learned = bottom.length === 1
    const factor = (bottom[1] ?? this.blobs[0]).memory
    if (this.hasBias && this.paramPropagateDown[last])
      this.kernels.biasGradient(outer, channels, inner, dy, this.blobs[last].memory.diff)
    if (learned ? this.paramPropagateDown[0] : propagateDown[1]) {
      // gradients of params add up over passes, those of bottoms do not
      if (!learned) this.kernels.fill(channels, 0, factor.diff)
      this.kernels.scaleGradient(outer, channels, inner, this.input(bottom, top), dy, factor.diff)
    }
    if (propagateDown[0])
      this.kernels.scaleChannels(outer, channels, inner, dy, factor.data, null, bottom[0].memory.diff)
  }

  override channelAffine(): ChannelAffine | undefined {
    const [factor, bias] = this.blobs
    const perChannel = this.blobs.length === (this.hasBias ? 2 : 1) && this.axis === 1 && factor.numAxes === 1
    if (!perChannel) return undefined
    return { factor: factor.memory.data.values, shift: bias?.memory.data.values ?? new Float32Array(factor.count) }
  }
}
