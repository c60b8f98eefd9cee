import type { Blob } from '../blob.js'
import type { LayerParameter } from '../generated/caffe.js'
import type { CoordMap } from '../layer.js'
import { BaseConvolutionLayer } from './parts/base_convolution.js'
import { deconvolvedSize } from './parts/convolution_window.js'
import { spread } from './parts/coordinates.js'

/** The adjoint of a convolution plus a bias.  x: (N, C, in…), w: (C, M/group, kernel…), b: (M), y: (N, M, out…). */
export class DeconvolutionLayer extends BaseConvolutionLayer {
  static override readonly param = ['convolution_param'] as const
  static override coordinates({ convolution_param = {} }: LayerParameter): CoordMap {
    return spread(convolution_param, 'Deconvolution')
  }
  static override readonly needsWeights = true
  static override readonly uses = [
    'convolution',
    'convolutionInputGradient',
    'convolutionWeightGradient',
    'addBias',
    'biasGradient',
  ] as const
  protected override readonly reversed = true

  protected override topSize(bottom: Blob): number[] {
    return deconvolvedSize(this, bottom, this.window)
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    for (let i = 0; i < bottom.length; i++) {
      const y = top[i].memory.data
      this.kernels.convolutionInputGradient(this.shape, bottom[i].memory.data, this.blobs[0].memory.data, y)
      if (this.hasBias)
        this.kernels.addBias(this.shape.batch, this.outputs, this.topPlane, this.blobs[1].memory.data, y)
    }
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const [{ memory: weight }] = this.blobs
    for (let i = 0; i < bottom.length; i++) {
      const dy = top[i].memory.diff
      this.biasBackward(top[i])
      if (this.paramPropagateDown[0])
        this.kernels.convolutionWeightGradient(this.shape, dy, bottom[i].memory.data, weight.diff)
      if (propagateDown[i]) this.kernels.convolution(this.shape, dy, weight.data, null, bottom[i].memory.diff)
    }
  }
}
