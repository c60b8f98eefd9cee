import type { Blob } from '../blob.js'
import { NeuronLayer } from './parts/neuron.js'

/** y = tanh x. */
export class TanHLayer extends NeuronLayer {
  static override readonly param = ['tanh_param'] as const
  static override readonly uses = ['tanh', 'tanhGradient'] as const

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.tanh(bottom[0].count, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.tanhGradient(bottom[0].count, top[0].memory.data, top[0].memory.diff, bottom[0].memory.diff)
  }
}
