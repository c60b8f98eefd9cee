import type { Blob } from '../blob.js'
import { BaseConvolutionLayer } from './base_convolution.js'
import { convolvedSize } from './convolution_window.js'

/** y = w ∗ x + b.  x: (N, C, in…), w: (M, C/group, kernel…), b: (M), y: (N, M, out…). */
export class ConvolutionLayer extends BaseConvolutionLayer {
  static override readonly uses = ['convolution', 'convolutionInputGradient', 'convolutionWeightGradient', 'biasGradient'] as const
  protected override readonly reversed = false

  protected override topSize(bottom: Blob): number[] {
    return convolvedSize(this, bottom, this.window)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const bias = this.hasBias ? this.blobs[1].memory.data : null
    for (let i = 0; i < bottom.length; i++)
      this.kernels.convolution(this.shape, bottom[i].memory.data, this.blobs[0].memory.data, bias, top[i].memory.data)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [{ memory: weight }] = this.blobs
    for (let i = 0; i < bottom.length; i++) {
      const dy = top[i].memory.diff
      this.biasBackward(top[i])
      if (this.paramPropagateDown[0]) this.kernels.convolutionWeightGradient(this.shape, bottom[i].memory.data, dy, weight.diff)
      if (propagateDown[i]) this.kernels.convolutionInputGradient(this.shape, dy, weight.data, bottom[i].memory.diff)
    }
  }
}
