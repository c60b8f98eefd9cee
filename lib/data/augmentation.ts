/** Which messages of a `transform_param` change pictures before they are cropped: what augment.ts does. */
import type { TransformationParameter } from '../generated/caffe.js'

const FIELDS = [
  'augment_param',
  'distort_param',
  'expand_param',
  'random_resize_param',
  'random_aspect_ratio_param',
  'resize_param',
  'noise_param',
] as const

/** What of a transform_param changes pictures before crop, mirror, mean and scale. */
export type Augmentation = Pick<TransformationParameter, (typeof FIELDS)[number] | 'emit_constraint'>

/** What is written of it; undefined where nothing is. */
export function augmentationOf(param: TransformationParameter): Augmentation | undefined {
  const { emit_constraint } = param
  const written = FIELDS.filter(field => (Array.isArray(param[field]) ? param[field].length : param[field]))
  if (!written.length) return undefined
  return {
    ...Object.fromEntries(written.map(field => [field, param[field]])),
    ...(emit_constraint && { emit_constraint }),
  }
}
