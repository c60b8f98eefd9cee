import type { Blob } from '../blob.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'

/**
 * TRAIN: y = mask·x, the mask 0 with probability dropout_ratio, else 1/(1 − dropout_ratio). TEST: y = x.
 * Of forks: scale_train: false has a mask of 0 and 1, and y = (1 − dropout_ratio)·x in TEST; sample_weights_test: true
 * drops in TEST as in TRAIN.
 */
export class DropoutLayer extends NeuronLayer {
  static override readonly param = ['dropout_param'] as const
  static override readonly uses = ['dropoutMask', 'multiply', 'copy', 'power'] as const
  static override readonly onlyKernels = true

  private ratio = 0
  private readonly drops = this.phase === 'TRAIN' || this.param.dropout_param?.sample_weights_test === true
  private readonly scalesLater = this.param.dropout_param?.scale_train === false
  private readonly mask = new Memory(0, this.engine.heap)

  override setup(): void {
    this.ratio = withDefaults('DropoutParameter', this.param.dropout_param).dropout_ratio
    if (!(this.ratio >= 0 && this.ratio < 1))
      throw this.error(`dropout_ratio: ${this.ratio} must be at least 0 and less than 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    if (this.drops) this.mask.resize(bottom[0].count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { count } = bottom[0]
    const kept = 1 - this.ratio
    if (this.drops) {
      this.kernels.dropoutMask(count, this.ratio, this.random, this.mask)
      if (this.scalesLater) this.kernels.power(count, 1, kept, 0, this.mask, this.mask)
      this.kernels.multiply(count, bottom[0].memory.data, this.mask, top[0].memory.data)
    } else if (this.scalesLater) {
      this.kernels.power(count, 1, kept, 0, bottom[0].memory.data, top[0].memory.data)
    } else if (bottom[0] !== top[0]) {
      this.kernels.copy(count, bottom[0].memory.data, top[0].memory.data)
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { count } = bottom[0]
    if (this.drops) this.kernels.multiply(count, top[0].memory.diff, this.mask, bottom[0].memory.diff)
    else if (this.scalesLater)
      this.kernels.power(count, 1, 1 - this.ratio, 0, top[0].memory.diff, bottom[0].memory.diff)
    else if (bottom[0] !== top[0]) this.kernels.copy(count, top[0].memory.diff, bottom[0].memory.diff)
  }

  override dispose(): void {
    this.mask.dispose()
  }
}
