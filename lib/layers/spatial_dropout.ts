import { type Blob, shapeText } from '../blob.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'

/**
 * x (N, C, …). TRAIN: y = mask·x, the mask one number for each channel of each item, 0 with probability dropout_ratio, else
 * 1/(1 − dropout_ratio). TEST: y = x.
 */
export class SpatialDropoutLayer extends NeuronLayer {
  static override readonly param: readonly ['spatial_dropout_param'] | readonly [] = ['spatial_dropout_param']
  static override readonly uses = ['dropoutMask', 'scaleChannels', 'copy'] as const
  private ratio = 0
  private readonly mask = new Memory(0, this.engine.heap)

  /** The share of channels that are dropped. */
  protected readRatio(): number {
    return withDefaults('SpatialDropoutParameter', this.param.spatial_dropout_param).dropout_ratio
  }

  override setup(): void {
    this.ratio = this.readRatio()
    if (!(this.ratio >= 0 && this.ratio < 1))
      throw this.error(`dropout_ratio: ${this.ratio} must be at least 0 and less than 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    if (bottom[0].numAxes < 2)
      throw this.error(`'${bottom[0].name}' (${shapeText(bottom[0].shape)}) has no channels: they are axis 1`)
    super.reshape(bottom, top)
    if (this.phase === 'TRAIN') this.mask.resize(bottom[0].size(0, 2))
  }

  override forward([x]: Blob[], [y]: Blob[]): void {
    if (this.phase === 'TRAIN') this.kernels.dropoutMask(this.mask.length, this.ratio, this.random, this.mask)
    this.apply(x, x.memory.data, y.memory.data)
  }

  override backward([y]: Blob[], propagateDown: boolean[], [x]: Blob[]): void {
    if (propagateDown[0]) this.apply(x, y.memory.diff, x.memory.diff)
  }

  private apply(x: Blob, from: Memory, to: Memory): void {
    if (this.phase === 'TRAIN') this.kernels.scaleChannels(1, this.mask.length, x.size(2), from, this.mask, null, to)
    else if (from !== to) this.kernels.copy(x.count, from, to)
  }

  override dispose(): void {
    this.mask.dispose()
  }
}
