import type { Blob } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { NeuronLayer } from './parts/neuron.js'

/** top = 1 where bottom > threshold, else 0. Has no gradient. */
export class ThresholdLayer extends NeuronLayer {
  static override readonly param = ['threshold_param'] as const
  static override readonly uses = ['threshold'] as const
  private limit = 0

  override setup(): void {
    this.limit = withDefaults('ThresholdParameter', this.param.threshold_param).threshold
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.threshold(bottom[0].count, this.limit, bottom[0].memory.data, top[0].memory.data)
  }
}
