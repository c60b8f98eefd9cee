import type { TransformationParameter } from '../generated/caffe.js'
import { aCount, anObject, aText, type OptionRules } from '../system/check_options.js'

/** How a net is made ready for use. */
export interface DeployOptions {
  /** What is known of the preparation of pictures, instead of the data layer's `transform_param`: crop, grey or colour. */
  transform?: TransformationParameter
  /**
   * Shapes of items of inputs, by blob name: C × H × W, without the batch. Needed where the data layer's text says no
   * size, as that of an LMDB without a crop.
   */
  shapes?: Readonly<Record<string, readonly number[]>>
  /** Items of a batch; default 1, and as it is in an Input layer. */
  batch?: number
  /** The stage of nets that are one for training, testing and deploying; default 'deploy'. */
  stage?: string
}

export const DEPLOY_RULES: OptionRules<DeployOptions> = {
  transform: anObject,
  shapes: anObject,
  batch: aCount,
  stage: aText,
}
