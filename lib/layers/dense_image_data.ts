import type { AnyDescription } from '../data/open_source.js'
import { parsePairList } from '../data/pair_list.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { withDefaults } from '../proto/message.js'

/**
 * SegNet's data (N, C, H, W) and label (N, 1, H, W) ← the next N pictures of a list of "picture labels" lines, planes B,
 * G, R (or grey), and pictures whose pixels are their labels; resized, cut and mirrored together. The label is what a
 * pixel of its file says, 0 … 255: resizing takes the nearest.
 */
export class DenseImageDataLayer extends PrefetchingLayer {
  static override readonly param = ['dense_image_data_param'] as const
  override readonly topCount = { exactly: 2 }
  private readonly options = withDefaults('DenseImageDataParameter', this.param.dense_image_data_param)
  protected override readonly randSkip = this.options.rand_skip

  protected override async describe(): Promise<AnyDescription> {
    const { source, batch_size, new_height, new_width } = this.options
    const { mirror, crop_height, crop_width, mean_file, multi_scale, label_divide_factor: divisor } = this.options
    const { root_folder, root_folder_image, root_folder_label } = this.options
    const { files } = this.context
    if (!source) throw this.error('dense_image_data_param.source is missing: name the list of pictures and labels')
    if (!batch_size) throw this.error('dense_image_data_param.batch_size must be 1 or more')
    if (mean_file !== undefined)
      this.context.log(
        `${this.name}: dense_image_data_param.mean_file has no effect, as in SegNet; transform_param.mean_file has one`,
      )
    for (const [height, width, names] of [
      [new_height, new_width, 'new_height and new_width'],
      [crop_height, crop_width, 'crop_height and crop_width'],
    ] as const)
      if (height > 0 !== width > 0)
        throw this.error(`dense_image_data_param has ${names} ${height} and ${width}: give both, or neither`)
    if (multi_scale)
      throw this.error(
        'dense_image_data_param.multi_scale: true is not there: leave it out, or let ImageSegData scale with transform_param.scale_factors',
      )
    if (divisor < 1 || (divisor > 1 && (!new_height || new_height % divisor || new_width % divisor)))
      throw this.error(
        `dense_image_data_param.label_divide_factor: ${divisor} must divide new_height and new_width, ${new_height} and ${new_width}`,
      )
    if (root_folder && (root_folder_image || root_folder_label))
      throw this.error(
        'dense_image_data_param has root_folder, and root_folder_image or root_folder_label: give the latter two',
      )
    const transform = await this.transformSpec()
    if (divisor > 1 && (crop_height || transform.cropHeight))
      throw this.error(
        `dense_image_data_param.label_divide_factor: ${divisor} is for whole pictures: cut nothing out of them`,
      )
    if (crop_height && transform.cropHeight)
      throw this.error('dense_image_data_param and transform_param both cut out a part: let one of them')
    const list = parsePairList(await files.text(source), source)
    const folder = root_folder || root_folder_image
    const all = { ...this.options, source, batch_size, root_folder: folder }
    const description = await this.listDescription(list, all)
    const base = description.prefix.slice(0, description.prefix.length - folder.length)
    return {
      kind: 'segmentations',
      ...description,
      ...((root_folder_image || root_folder_label) && { labelPrefix: base + root_folder_label }),
      labelDivisor: divisor,
      scaleFactors: [],
      ignoreLabel: undefined,
      transform: {
        ...transform,
        mirror: mirror || transform.mirror,
        // SegNet's own crop lies anywhere in TEST, too
        ...(crop_height && { cropHeight: crop_height, cropWidth: crop_width, phase: 'TRAIN' as const }),
      },
    }
  }
}
