import type { Blob } from '../blob.js'
import { Memory } from '../memory.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'

/** TRAIN: y = mask·x, the mask 0 with probability dropout_ratio, else 1/(1 − dropout_ratio). TEST: y = x. */
export class DropoutLayer extends NeuronLayer {
  static override readonly param = ['dropout_param'] as const
  static override readonly uses = ['dropoutMask', 'multiply', 'copy'] as const

  private ratio = 0
  private readonly mask = new Memory(0, this.engine.heap)

  override setup(): void {
    this.ratio = withDefaults('DropoutParameter', this.param.dropout_param).dropout_ratio
    if (!(this.ratio >= 0 && this.ratio < 1))
      throw this.error(`dropout_ratio: ${this.ratio} must be at least 0 and less than 1`)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    if (this.phase === 'TRAIN') this.mask.resize(bottom[0].count)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { count } = bottom[0]
    if (this.phase === 'TRAIN') {
      this.kernels.dropoutMask(count, this.ratio, this.random, this.mask)
      this.kernels.multiply(count, bottom[0].memory.data, this.mask, top[0].memory.data)
    } else if (bottom[0] !== top[0]) {
      this.kernels.copy(count, bottom[0].memory.data, top[0].memory.data)
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { count } = bottom[0]
    if (this.phase === 'TRAIN') this.kernels.multiply(count, top[0].memory.diff, this.mask, bottom[0].memory.diff)
    else if (bottom[0] !== top[0]) this.kernels.copy(count, top[0].memory.diff, bottom[0].memory.diff)
  }

  override dispose(): void {
    this.mask.dispose()
  }
}
