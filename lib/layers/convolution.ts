import type { Blob } from '../blob.js'
import type { ChannelAffine } from '../layer.js'
import type { Memory } from '../memory.js'
import { BaseConvolutionLayer } from './base_convolution.js'
import { convolvedSize } from './convolution_window.js'
import { FoldedWeights } from './folded_weights.js'

/** y = w ∗ x + b.  x: (N, C, in…), w: (M, C/group, kernel…), b: (M), y: (N, M, out…). */
export class ConvolutionLayer extends BaseConvolutionLayer {
  static override readonly uses = ['convolution', 'convolutionInputGradient', 'convolutionWeightGradient', 'biasGradient'] as const
  protected override readonly reversed = false

  protected override topSize(bottom: Blob): number[] {
    return convolvedSize(this, bottom, this.window)
  }

  private folded: FoldedWeights | undefined

  private get weight(): Memory {
    return this.folded?.weight ?? this.blobs[0].memory.data
  }
  private get bias(): Memory | null {
    return this.folded?.bias ?? (this.hasBias ? this.blobs[1].memory.data : null)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    const { weight, bias } = this
    for (let i = 0; i < bottom.length; i++) this.kernels.convolution(this.shape, bottom[i].memory.data, weight, bias, top[i].memory.data)
  }

  /** Forward with the ReLU that follows in place: one pass over the top less. */
  forwardRectified(bottom: Blob[], top: Blob[], slope: number): void {
    this.kernels.convolutionRelu(this.shape, bottom[0].memory.data, this.weight, this.bias, top[0].memory.data, slope)
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

  override absorbAffine(affine: ChannelAffine, bottom: Blob[]): boolean {
    // the channels of the top must be axis 1; several bottoms would share the folded weights
    if (this.window.axis !== 1 || bottom.length !== 1) return false
    this.folded ??= new FoldedWeights(this.blobs[0], this.blobs[1])
    this.folded.absorb(affine)
    return true
  }

  override dropAbsorbed(): void {
    this.folded?.dispose()
    this.folded = undefined
  }

  override dispose(): void {
    this.dropAbsorbed()
  }
}
