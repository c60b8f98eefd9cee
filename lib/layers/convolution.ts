import type { Blob } from '../blob.js'
import type { After, DryRun, FusingKernel } from '../engine.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { ChannelAffine, CoordMap } from '../layer.js'
import type { Memory } from '../memory.js'
import { BaseConvolutionLayer } from './parts/base_convolution.js'
import { convolvedSize } from './parts/convolution_window.js'
import { windowed } from './parts/coordinates.js'
import { FoldedWeights } from './parts/folded_weights.js'
import { PreparedWeights } from './parts/prepared_weights.js'

/** y = w ∗ x + b.  x: (N, C, in…), w: (M, C/group, kernel…), b: (M), y: (N, M, out…). */
export class ConvolutionLayer extends BaseConvolutionLayer {
  static override readonly param = ['convolution_param'] as const
  static override coordinates({ convolution_param = {} }: LayerParameter): CoordMap {
    return windowed(convolution_param, 'Convolution')
  }
  static override readonly needsWeights = true
  static override readonly uses = [
    'convolution',
    'convolutionInputGradient',
    'convolutionWeightGradient',
    'biasGradient',
  ] as const
  protected override readonly reversed = false

  protected override topSize(bottom: Blob): number[] {
    if (this.window.outputPad.some(pad => pad > 0)) throw this.error('output_pad is for Deconvolution: leave it out')
    return convolvedSize(this, bottom, this.window)
  }

  private folded: FoldedWeights | undefined
  private prepared: PreparedWeights | undefined

  private get weight(): Memory {
    return this.folded?.weight ?? this.blobs[0].memory.data
  }
  private get bias(): Memory | null {
    return this.folded?.bias ?? (this.hasBias ? this.blobs[1].memory.data : null)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    super.reshape(bottom, top)
    this.prepared?.reshape(this.shape)
  }

  override get fuses(): FusingKernel {
    return 'convolution'
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { weight, bias, shape } = this
    const prepared = this.prepared?.of(weight)
    for (let i = 0; i < bottom.length; i++) {
      const [x, y] = [bottom[i].memory.data, top[i].memory.data]
      if (prepared) this.engine.prepared!.convolution(shape, x, prepared, bias, y, after)
      else this.kernels.convolution(shape, x, weight, bias, y, after)
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [{ memory: weight }] = this.blobs
    for (let i = 0; i < bottom.length; i++) {
      const dy = top[i].memory.diff
      this.biasBackward(top[i])
      if (this.paramPropagateDown[0])
        this.kernels.convolutionWeightGradient(this.shape, bottom[i].memory.data, dy, weight.diff)
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

  override dryRun(dry: DryRun, bottom: Blob[], top: Blob[], propagateDown?: boolean[]): void {
    // nets that prepare weights run no backward pass
    const [{ memory: x }, { memory: y }] = [bottom[0], top[0]]
    if (this.prepared?.isUsed) dry.prepared.convolution(this.shape, x.data, this.weight, this.bias, y.data)
    else super.dryRun(dry, bottom, top, propagateDown)
  }

  override keepPrepared(room: number): number {
    const { prepared, heap } = this.engine
    if (!prepared) return 0
    if (!this.prepared) {
      this.prepared = new PreparedWeights(prepared, heap)
      this.prepared.reshape(this.shape)
    }
    return this.prepared.limit(room)
  }

  override dispose(): void {
    this.dropAbsorbed()
    this.prepared?.dispose()
  }
}
