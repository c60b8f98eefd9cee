import { commonBase } from '../data/image_list.js'
import type { AnyDescription } from '../data/open_source.js'
import { PrefetchingLayer } from '../data/prefetching_layer.js'
import { parseWindowList } from '../data/window_list.js'
import { withDefaults } from '../proto/message.js'

/**
 * data (N, 3, crop, crop) and label (N) ← windows drawn at random from the images of a window file (R-CNN): first
 * background ones with label 0, then N·fg_fraction foreground ones, each warped to crop_size with context_pad pixels of
 * its surroundings.
 */
export class WindowDataLayer extends PrefetchingLayer {
  static override readonly param = ['window_data_param'] as const
  override readonly topCount = { exactly: 2 }
  private readonly options = withDefaults('WindowDataParameter', this.param.window_data_param)
  protected override readonly randSkip = 0

  protected override async describe(): Promise<AnyDescription> {
    const {
      source,
      batch_size,
      fg_threshold,
      bg_threshold,
      fg_fraction,
      context_pad,
      crop_mode,
      cache_images,
      root_folder,
    } = this.options
    const { files, seed } = this.context
    if (!source) throw this.error('window_data_param.source is missing: name the window file')
    if (!batch_size) throw this.error('window_data_param.batch_size must be 1 or more')
    if (crop_mode !== 'warp' && crop_mode !== 'square')
      throw this.error(`crop_mode '${crop_mode}' is unknown; it is 'warp' or 'square'`)
    const transform = await this.transformSpec()
    const { cropHeight: cropSize, cropWidth, mean, meanValues } = transform
    if (!cropSize) throw this.error('transform_param.crop_size is missing: windows are warped to it')
    if (cropWidth !== cropSize)
      throw this.error(`transform_param cuts out ${cropSize}×${cropWidth}: windows are warped to a square, crop_size`)
    if (2 * context_pad >= cropSize)
      throw this.error(`context_pad ${context_pad} on both sides leaves nothing of crop_size ${cropSize}`)

    const list = parseWindowList(await files.text(source), source, fg_threshold, bg_threshold)
    const channels = list.images[0].shape[0]
    if (channels !== 3)
      throw this.error(`${source} says that images have other than 3 channels; they are read in colour`)
    if (mean && (mean.shape[0] !== channels || mean.shape[1] < cropSize || mean.shape[2] < cropSize))
      throw this.error(
        `the mean image is ${mean.shape.join('×')}; it must have ${channels} channels and be ${cropSize}×${cropSize} or larger`,
      )
    if (meanValues.length > 1 && meanValues.length !== channels)
      throw this.error(
        `mean_value is given ${meanValues.length} times for ${channels} channels: give it once, or once per channel`,
      )
    const base = await commonBase(root_folder + list.images[0].path, files)
    return {
      kind: 'windows',
      layer: `layer '${this.name}' (${this.type})`,
      name: source,
      list,
      prefix: (base ?? '') + root_folder,
      inFiles: base !== undefined,
      batchSize: batch_size,
      seed,
      transform,
      foreground: Math.trunc(Math.fround(batch_size * Math.fround(fg_fraction))),
      contextPad: context_pad,
      square: crop_mode === 'square',
      cache: cache_images,
    }
  }
}
