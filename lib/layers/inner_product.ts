import { type Blob, shapeText } from '../blob.js'
import type { After, FusingKernel } from '../engine.js'
import { type ChannelAffine, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { FoldedWeights } from './parts/folded_weights.js'

/** y = x·wᵀ + b.  x: (M, K) after flattening from `axis`, w: (N, K), or (K, N) with `transpose`, b: (N), y: (M, N). */
export class InnerProductLayer extends Layer {
  static override readonly param = ['inner_product_param'] as const
  static override readonly needsWeights = true
  static override readonly uses = ['gemm', 'addBias', 'biasGradient'] as const
  static override readonly onlyKernels = true
  override readonly bottomCount = { exactly: 1 }
  override readonly topCount = { exactly: 1 }

  private axis = 0
  private transpose = false
  private hasBias = false
  private M = 0
  private N = 0
  private K = 0
  private folded: FoldedWeights | undefined

  override setup(bottom: Blob[]): void {
    const param = withDefaults('InnerProductParameter', this.param.inner_product_param)
    this.axis = axisOf(this, bottom[0], param.axis)
    this.transpose = param.transpose
    this.hasBias = param.bias_term
    this.N = param.num_output ?? 0
    this.K = bottom[0].size(this.axis)
    if (this.N < 1) throw this.error('num_output must be written and at least 1')
    this.addBlob(this.transpose ? [this.K, this.N] : [this.N, this.K], param.weight_filler)
    if (this.hasBias) this.addBlob([this.N], param.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    const [x] = bottom
    if (x.numAxes <= this.axis || x.size(this.axis) !== this.K)
      throw this.error(
        `'${x.name}' is ${shapeText(x.shape)} now, but the weights were made for ${this.K} values from axis ${this.axis} on; a Convolution with the same weights takes any size`,
      )
    this.M = x.size(0, this.axis)
    top[0].reshape([...x.shape.slice(0, this.axis), this.N])
  }

  override get fuses(): FusingKernel | undefined {
    return this.hasBias ? 'addBias' : undefined
  }

  override forward(bottom: Blob[], top: Blob[], after?: After): void {
    const { M, N, K, kernels } = this
    const y = top[0].memory.data
    const weight = this.folded?.weight ?? this.blobs[0].memory.data
    const bias = this.folded?.bias ?? (this.hasBias ? this.blobs[1].memory.data : null)
    kernels.gemm(false, !this.transpose, M, N, K, 1, bottom[0].memory.data, weight, 0, y)
    if (bias) kernels.addBias(M, N, 1, bias, y, after)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    const { M, N, K, kernels } = this
    const x = bottom[0].memory
    const dy = top[0].memory.diff
    const w = this.blobs[0].memory
    if (this.paramPropagateDown[0]) {
      if (this.transpose) kernels.gemm(true, false, K, N, M, 1, x.data, dy, 1, w.diff)
      else kernels.gemm(true, false, N, K, M, 1, dy, x.data, 1, w.diff)
    }
    if (this.hasBias && this.paramPropagateDown[1]) kernels.biasGradient(M, N, 1, dy, this.blobs[1].memory.diff)
    if (propagateDown[0]) kernels.gemm(false, this.transpose, M, K, N, 1, dy, w.data, 0, x.diff)
  }

  override absorbAffine(affine: ChannelAffine): boolean {
    // outputs must be axis 1 of the top and rows of the weight
    if (this.axis !== 1 || this.transpose) return false
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
