import type { Blob } from '../blob.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = bottom·tanh(log(1 + e^bottom)). */
export class MishLayer extends KeptInputLayer {
  static override readonly uses = ['copy', 'mish', 'mishGradient'] as const

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.mish(bottom[0].count, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.mishGradient(bottom[0].count, this.input(bottom, top), top[0].memory.diff, bottom[0].memory.diff)
  }
}
