/** Images, means and arrays on their way into a net and out of it: what pycaffe keeps in caffe.io. */

export { forwardAll, forwardBackwardAll } from '../../net/batches.js'
export type { DenseArray } from './arrays.js'
export {
  type Drawable,
  encodePicture,
  type Image,
  loadImage,
  oversample,
  type PixelPicture,
  resizeImage,
  type ShapedValues,
  saveImage,
} from './image.js'
export { type NpyArray, readNpy, writeNpy } from './npy.js'
export {
  arrayListToBlobProtoVector,
  arrayToBlobProto,
  arrayToDatum,
  blobProtoToArray,
  blobProtoVectorToArrayList,
  datumToArray,
  loadMean,
} from './protos.js'
export { Transformer, type TransformerSteps } from './transformer.js'
