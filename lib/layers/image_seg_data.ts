import type { AnyDescription } from '../data/open_source.js'
import { parsePairList } from '../data/pair_list.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * DeepLab's and PSPNet's data (N, C, H, W), label (N, 1, H, W) and sizes (N, 1, 1, 2) ← the next N pictures of a list,
 * planes B, G, R (or grey), and the label of each pixel: from a picture (label_type PIXEL), the same for all (IMAGE), or
 * ignore_label (NONE). Scaled, padded, cut and mirrored together.
 */
export class ImageSegDataLayer extends PrefetchingLayer {
  static override readonly param = ['image_data_param'] as const
  override readonly topCount = { atLeast: 1, atMost: 3 }
  private readonly options = withDefaults('ImageDataParameter', this.param.image_data_param)
  protected override readonly randSkip = this.options.rand_skip

  protected override async describe(): Promise<AnyDescription> {
    const { source, batch_size, new_height, new_width } = this.options
    const { label_type, ignore_label } = this.options
    const { files } = this.context
    if (!source) throw this.error('image_data_param.source is missing: name the list of pictures')
    if (!batch_size) throw this.error('image_data_param.batch_size must be 1 or more')
    if (new_height > 0 !== new_width > 0)
      throw this.error(
        `image_data_param has new_height ${new_height} and new_width ${new_width}: give both, or neither`,
      )
    if (ignore_label < 0 || ignore_label > 255)
      throw this.error(`image_data_param.ignore_label ${ignore_label} is no label of a pixel: those are 0 to 255`)
    const { scale_factors = [], mean_file } = this.param.transform_param ?? {}
    if (mean_file !== undefined)
      throw this.error('transform_param.mean_file goes with pictures of one size: give mean_value')
    const unfit = scale_factors.find(factor => !(factor > 0 && Number.isFinite(factor)))
    if (unfit !== undefined) throw this.error(`transform_param.scale_factors: ${unfit} is no factor of a size`)
    const list = parsePairList(await files.text(source), source, label_type, ignore_label)
    return {
      kind: 'segmentations',
      ...(await this.listDescription(list, { ...this.options, source, batch_size })),
      scaleFactors: scale_factors.map(Math.fround),
      ignoreLabel: ignore_label,
      transform: await this.transformSpec(),
    }
  }
}
