import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { axisOf } from './parts/axis.js'
import { type NormalizedRows, NormalizedRowsLayer } from './parts/normalized_rows.js'

/** The values from `axis` on normalized together, with a learned scale and shift for each of them. */
export class LayerNormLayer extends NormalizedRowsLayer {
  static override readonly param = ['layer_norm_param'] as const
  private readonly p = withDefaults('LayerNormParameter', this.param.layer_norm_param)
  protected override readonly eps = this.p.eps

  override setup(bottom: Blob[]): void {
    const shape = bottom[0].shape.slice(axisOf(this, bottom[0], this.p.axis))
    // those who write neither field get both
    const { bias_term, scale_term } = this.p
    if (!scale_term && this.param.layer_norm_param?.bias_term)
      throw this.error('bias_term: true needs scale_term: true: a shift alone is a Bias layer')
    if (scale_term) this.addBlob(shape, { type: 'constant', value: 1 })
    if (scale_term && bias_term) this.addBlob(shape)
  }

  protected override rowsOf(bottom: Blob): NormalizedRows {
    const axis = axisOf(this, bottom, this.p.axis)
    const [rows, length] = [bottom.size(0, axis), bottom.size(axis)]
    const [scale] = this.blobs
    if (scale && scale.shape.join() !== bottom.shape.slice(axis).join())
      throw this.error(
        `its scale is ${shapeText(scale.shape)}, but '${bottom.name}' (${shapeText(bottom.shape)}) has other sizes from axis ${axis} on`,
      )
    return { rows, length, outer: rows, factors: length, inner: 1 }
  }
}
