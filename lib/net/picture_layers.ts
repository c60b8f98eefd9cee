import type { LayerParameter } from '../generated/caffe.js'

/** Messages of the layers that read pictures. */
const READERS = [
  'data_param',
  'image_data_param',
  'dense_image_data_param',
  'window_data_param',
  'annotated_data_param',
] as const

/** Layers that say how pictures become a net's input: Caffe stores those of the training in every model. */
export const pictureLayers = (layers: readonly LayerParameter[] = []): LayerParameter[] =>
  layers.filter(layer => !layer.bottom?.length && (layer.transform_param || READERS.some(field => layer[field])))
