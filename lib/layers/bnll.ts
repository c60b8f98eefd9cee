import type { Blob } from '../blob.js'
import { KeptInputLayer } from './parts/kept_input.js'

/** top = log(1 + e^bottom), the binomial normal log likelihood. */
export class BNLLLayer extends KeptInputLayer {
  static override readonly uses = ['copy', 'bnll', 'bnllGradient'] as const

  override forward(bottom: Blob[], top: Blob[]): void {
    this.keepInput(bottom, top)
    this.kernels.bnll(bottom[0].count, bottom[0].memory.data, top[0].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      this.kernels.bnllGradient(bottom[0].count, this.input(bottom, top), top[0].memory.diff, bottom[0].memory.diff)
  }
}
