import type { Blob } from '../blob.js'
import { NeuronLayer } from './parts/neuron.js'

/** top = |bottom|; its gradient at 0 is 0. Refuses to work in place. */
export class AbsValLayer extends NeuronLayer {
  static override readonly uses = ['absolute', 'absoluteGradient'] as const

  override setup(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    this.kernels.absolute(bottom[0].count, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.absoluteGradient(bottom[0].count, bottom[0].memory.data, top[0].memory.diff, bottom[0].memory.diff)
  }
}
