import { type Blob, shapeText } from '../blob.js'
import { withDefaults } from '../proto/message.js'
import { type NormalizedRows, NormalizedRowsLayer } from './parts/normalized_rows.js'

/** The channels of an item in `group` parts, each normalized over channels and space; scale and shift by channel. */
export class GroupNormLayer extends NormalizedRowsLayer {
  static override readonly param = ['group_norm_param'] as const
  protected readonly p = withDefaults('GroupNormParameter', this.param.group_norm_param)
  protected override readonly eps = this.p.eps

  override setup(bottom: Blob[]): void {
    this.checkAxes(bottom[0])
    if (!this.p.affine) return
    this.addBlob([bottom[0].dim(1)], { type: 'constant', value: 1 })
    this.addBlob([bottom[0].dim(1)])
  }

  /** Into how many parts so many channels are cut. */
  protected groups(channels: number): number {
    const { group } = this.p
    if (group < 1 || channels % group)
      throw this.error(`group: ${group} does not divide ${channels} channels into equal parts`)
    return group
  }

  protected override rowsOf(bottom: Blob): NormalizedRows {
    this.checkAxes(bottom)
    const [batch, channels] = bottom.shape
    if (this.blobs.length && this.blobs[0].count !== channels)
      throw this.error(
        `it was made for ${this.blobs[0].count} channels, but '${bottom.name}' (${shapeText(bottom.shape)}) has ${channels}`,
      )
    const inner = bottom.size(2)
    const groups = this.groups(channels)
    return {
      rows: batch * groups,
      length: (channels / groups) * inner,
      outer: batch,
      factors: channels,
      inner,
    }
  }

  private checkAxes(bottom: Blob): void {
    if (bottom.numAxes < 2)
      throw this.error(`'${bottom.name}' (${shapeText(bottom.shape)}) needs at least 2 axes, batch and channels`)
  }
}
