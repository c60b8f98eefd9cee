import type { Blob } from '../blob.js'
import { isOf, type LayerClass } from '../layer.js'
import { NeuronLayer } from './parts/neuron.js'
import { SigmoidCrossEntropyLossLayer } from './sigmoid_cross_entropy_loss.js'

/** y = 1 / (1 + e⁻ˣ). */
export class SigmoidLayer extends NeuronLayer {
  static override readonly param = ['sigmoid_param'] as const
  static override hint(readers: readonly LayerClass[]): string | undefined {
    if (!readers.some(reader => isOf(reader, SigmoidCrossEntropyLossLayer))) return undefined
    return 'feeds a SigmoidCrossEntropyLoss, which applies the sigmoid itself: give the loss the scores before it'
  }
  static override readonly uses = ['sigmoid', 'sigmoidGradient'] as const

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.sigmoid(bottom[0].count, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.sigmoidGradient(bottom[0].count, top[0].memory.data, top[0].memory.diff, bottom[0].memory.diff)
  }
}
