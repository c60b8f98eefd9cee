import type { Blob } from '../blob.js'
import { isOf, type LayerClass } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { NeuronLayer } from './parts/neuron.js'
import { SoftmaxWithLossLayer } from './softmax_with_loss.js'

/** y = eˣ / Σ eˣ along `axis`. */
export class SoftmaxLayer extends NeuronLayer {
  static override readonly param = ['softmax_param'] as const
  static override hint(readers: readonly LayerClass[]): string | undefined {
    if (readers.some(reader => isOf(reader, SoftmaxWithLossLayer)))
      return 'feeds a SoftmaxWithLoss, which applies softmax itself: give the loss the scores before it'
    // what a Softmax takes the place of, as of InfogainLoss, has one inside
    if (readers.some(({ atDeploy }) => typeof atDeploy === 'object' && atDeploy.type === 'Softmax'))
      return 'feeds a loss that applies softmax itself: give the loss the scores before it'
    return undefined
  }
  static override readonly uses = ['softmax', 'softmaxGradient'] as const

  private outer = 0
  private channels = 0
  private inner = 0

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    const axis = axisOf(this, bottom[0], withDefaults('SoftmaxParameter', this.param.softmax_param).axis)
    this.outer = bottom[0].size(0, axis)
    this.channels = bottom[0].dim(axis)
    this.inner = bottom[0].size(axis + 1)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.softmax(this.outer, this.channels, this.inner, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (!propagateDown[0]) return
    const { data, diff } = top[0].memory
    this.kernels.softmaxGradient(this.outer, this.channels, this.inner, data, diff, bottom[0].memory.diff)
  }
}
