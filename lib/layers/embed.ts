import type { Blob } from '../blob.js'
import type { FilledEmbedParameter } from '../generated/caffe.js'
import { type Count, Layer } from '../layer.js'
import { withDefaults } from '../proto/message.js'
import { checkLabels } from './parts/loss.js'

/** bottom (…) of indices below input_dim → top (…, num_output): row `index` of the learned table, plus a bias. */
export class EmbedLayer extends Layer {
  static override readonly param = ['embed_param'] as const
  static override readonly uses = ['gatherRows', 'scatterRows', 'addBias', 'biasGradient'] as const
  override readonly bottomCount: Count = { exactly: 1 }
  override readonly topCount: Count = { exactly: 1 }
  private p!: FilledEmbedParameter
  private rows = 0
  private width = 0

  override setup(): void {
    this.p = withDefaults('EmbedParameter', this.param.embed_param)
    const { num_output = 0, input_dim = 0 } = this.p
    if (num_output < 1 || input_dim < 1)
      throw this.error(
        `embed_param needs num_output and input_dim of at least 1 (they are ${num_output} and ${input_dim})`,
      )
    this.rows = input_dim
    this.width = num_output
    this.addBlob([input_dim, num_output], this.p.weight_filler)
    if (this.p.bias_term) this.addBlob([num_output], this.p.bias_filler)
  }

  override reshape(bottom: Blob[], top: Blob[]): void {
    this.refuseInPlace(bottom, top)
    top[0].reshape([...bottom[0].shape, this.width])
  }

  override allowsForceBackward(): boolean {
    return false
  }

  override forward(bottom: Blob[], top: Blob[]): void {
    checkLabels(this, bottom[0], this.rows, undefined)
    const n = bottom[0].count
    const y = top[0].memory.data
    this.kernels.gatherRows(n, this.width, this.rows, bottom[0].memory.data, this.blobs[0].memory.data, y)
    if (this.p.bias_term) this.kernels.addBias(n, this.width, 1, this.blobs[1].memory.data, y)
  }

  override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
    if (propagateDown[0])
      throw this.error(`the indices '${bottom[0].name}' have no gradient: give this layer propagate_down: false`)
    const n = bottom[0].count
    const dy = top[0].memory.diff
    if (this.paramPropagateDown[0])
      this.kernels.scatterRows(n, this.width, this.rows, bottom[0].memory.data, dy, this.blobs[0].memory.diff)
    if (this.p.bias_term && this.paramPropagateDown[1])
      this.kernels.biasGradient(n, this.width, 1, dy, this.blobs[1].memory.diff)
  }
}
