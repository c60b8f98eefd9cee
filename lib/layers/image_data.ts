import { parseImageList } from '../data/image_list.js'
import type { AnyDescription } from '../data/open_source.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * data (N, C, H, W) and label (N) ← the next N images of a list of "path label" lines, planes B, G, R (or grey),
 * brought to new_height × new_width if given, transformed by `transform_param`; from the start again after the last
 * one.
 */
export class ImageDataLayer extends PrefetchingLayer {
  static override readonly param = ['image_data_param'] as const
  override readonly topCount = { exactly: 2 }
  private readonly options = withDefaults('ImageDataParameter', this.param.image_data_param)
  protected override readonly randSkip = this.options.rand_skip

  protected override async describe(): Promise<AnyDescription> {
    const { source, batch_size, new_height, new_width } = this.options
    const { files } = this.context
    if (!source) throw this.error('image_data_param.source is missing: name the list of images')
    if (!batch_size) throw this.error('image_data_param.batch_size must be 1 or more')
    if (new_height > 0 !== new_width > 0)
      throw this.error(
        `image_data_param has new_height ${new_height} and new_width ${new_width}: give both, or neither`,
      )
    const list = parseImageList(await files.text(source), source)
    return {
      kind: 'images',
      ...(await this.listDescription(list, { ...this.options, source, batch_size })),
      transform: await this.transformSpec(),
    }
  }
}
