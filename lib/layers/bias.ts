import type { Blob } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import type { Count } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'
import { coefficientShape, type Spread, spread } from './parts/spread.js'

/**
 * top = bottom 0 + bias, spread from `axis` on. The bias is bottom 1, or learned: `num_axes` axes of bottom 0. May work
 * in place.
 */
export class BiasLayer extends NeuronLayer {
  static override readonly param = ['bias_param'] as const
  static override readonly uses = ['copy', 'fill', 'addBias', 'biasGradient'] as const
  override readonly bottomCount: Count = { atLeast: 1, atMost: 2 }
  private axis = 1
  private sizes: Spread = { outer: 0, channels: 0, inner: 0 }

  override setup(bottom: Blob[]): void {
    const p = withDefaults('BiasParameter', this.param.bias_param)
    this.axis = p.axis
    if (bottom.length === 1) this.addBlob(coefficientShape(this, bottom[0], p.axis, p.num_axes), p.filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.sizes = spread(this, bottom[0], bottom[1] ?? this.blobs[0], this.axis)
    super.reshape(bottom, top)
  }

  override get fuses(): FusingKernel {
    return 'addBias'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { outer, channels, inner } = this.sizes
    const y = top[0].memory.data
    if (top[0] !== bottom[0]) this.kernels.copy(bottom[0].count, bottom[0].memory.data, y)
    this.kernels.addBias(outer, channels, inner, (bottom[1] ?? this.blobs[0]).memory.data, y, after)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { outer, channels, inner } = this.sizes
    const dy = top[0].memory.diff
    if (propagateDown[0] && top[0] !== bottom[0]) this.kernels.copy(bottom[0].count, dy, bottom[0].memory.diff)
    const learned = bottom.length === 1
    if (!(learned ? this.paramPropagateDown[0] : propagateDown[1])) return
    const { diff } = (bottom[1] ?? this.blobs[0]).memory
    // gradients of params add up over passes, those of bottoms do not
    if (!learned) this.kernels.fill(channels, 0, diff)
    this.kernels.biasGradient(outer, channels, inner, dy, diff)
  }
}
