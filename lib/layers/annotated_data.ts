import type { AnyDescription } from '../data/open_source.js'
import { withDefaults } from '../proto/message.js'
import { DataLayer } from './data.js'

/**
 * SSD's data (N, C, H, W) and label (1, 1, truths, 8) ← the next N records of a database of AnnotatedDatum messages:
 * pictures distorted, expanded, cut by batch samplers, resized, cropped, mirrored, and their boxes with them. A row of
 * the label is (item, label, instance, xmin, ymin, xmax, ymax, difficult), 0 … 1; one row of −1 where a batch has none.
 */
export class AnnotatedDataLayer extends DataLayer {
  static override readonly param = ['data_param', 'annotated_data_param'] as const

  protected override async describe(): Promise<AnyDescription> {
    const description = await super.describe()
    const {
      batch_sampler = [],
      anno_type,
      yolo_data_type,
    } = withDefaults('AnnotatedDataParameter', this.param.annotated_data_param)
    if (anno_type !== undefined && anno_type !== 'BBOX')
      throw this.error(`annotated_data_param.anno_type ${anno_type} is not there; BBOX is`)
    if (yolo_data_type)
      throw this.error(
        `annotated_data_param.yolo_data_type ${yolo_data_type}, MobileNet-YOLO's, is not there: leave it out`,
      )
    const { augment } = description.transform
    const missing = (['augment_param', 'random_aspect_ratio_param'] as const).find(name => augment?.[name])
    if (missing) throw this.error(`transform_param.${missing} does not move boxes along: Data and ImageData take it`)
    return {
      ...description,
      kind: 'annotated',
      samplers: batch_sampler,
      emitConstraint: this.param.transform_param?.emit_constraint,
      annotated: anno_type === undefined ? undefined : true,
    } as AnyDescription
  }
}
