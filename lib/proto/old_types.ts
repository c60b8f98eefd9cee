/** The types of older forms of layers, and what is said to whoever mixes them up. */
import type { V1LayerParameter_LayerType } from '../generated/caffe.js'

/** V1's words for types, as today's. */
export const V1_TYPES: Record<V1LayerParameter_LayerType, string> = {
  NONE: '',
  ABSVAL: 'AbsVal',
  ACCURACY: 'Accuracy',
  ARGMAX: 'ArgMax',
  BNLL: 'BNLL',
  CONCAT: 'Concat',
  CONTRASTIVE_LOSS: 'ContrastiveLoss',
  CONVOLUTION: 'Convolution',
  DATA: 'Data',
  DECONVOLUTION: 'Deconvolution',
  DROPOUT: 'Dropout',
  DUMMY_DATA: 'DummyData',
  EUCLIDEAN_LOSS: 'EuclideanLoss',
  ELTWISE: 'Eltwise',
  EXP: 'Exp',
  FLATTEN: 'Flatten',
  HDF5_DATA: 'HDF5Data',
  HDF5_OUTPUT: 'HDF5Output',
  HINGE_LOSS: 'HingeLoss',
  IM2COL: 'Im2col',
  IMAGE_DATA: 'ImageData',
  INFOGAIN_LOSS: 'InfogainLoss',
  INNER_PRODUCT: 'InnerProduct',
  LRN: 'LRN',
  MEMORY_DATA: 'MemoryData',
  MULTINOMIAL_LOGISTIC_LOSS: 'MultinomialLogisticLoss',
  MVN: 'MVN',
  POOLING: 'Pooling',
  POWER: 'Power',
  RELU: 'ReLU',
  SIGMOID: 'Sigmoid',
  SIGMOID_CROSS_ENTROPY_LOSS: 'SigmoidCrossEntropyLoss',
  SILENCE: 'Silence',
  SLICE: 'Slice',
  SOFTMAX: 'Softmax',
  SOFTMAX_LOSS: 'SoftmaxWithLoss',
  SPLIT: 'Split',
  TANH: 'TanH',
  THRESHOLD: 'Threshold',
  WINDOW_DATA: 'WindowData',
  LOCAL: 'Local',
  BN: 'BN',
  NORMALIZE: 'Normalize',
  INSANITY: 'Insanity',
  TRIPLET_LOSS: 'TripletLoss',
  ROIPOOLING: 'ROIPooling',
  BATCH_NORM: 'BatchNorm',
  ELTWISE_AFFINE: 'EltwiseAffine',
  RELU6: 'ReLU6',
  UPSAMPLE: 'Upsample',
  DENSE_IMAGE_DATA: 'DenseImageData',
  INTERP: 'Interp',
  PERMUTE: 'Permute',
  PRELU: 'PReLU',
  RESHAPE: 'Reshape',
  SEG_ACCURACY: 'SegAccuracy',
}

/** What to say of a `type` in `layers { … }` that is none of V1's: how today's form is written. */
export function newerType(text: string): string {
  const name = text.replace(/^["']|["']$/g, '')
  const old = Object.entries(V1_TYPES).find(([older, type]) => name && (type === name || older === name))
  const form = 'layers { … } is the older form of a layer'
  if (old) return `${form}, where it is type: ${old[0]}; in layer { … } it is type: "${old[1]}"`
  return /^["']/.test(text)
    ? `${form}, which has names without quotes for its types; write layer { type: "${name}" … }`
    : ''
}

/** What to say of a `type` in `layer { … }` that is not in quotes. */
export function olderType(text: string): string {
  if (Object.hasOwn(V1_TYPES, text) && text !== 'NONE')
    return `: that is the form of the older layers { … }; in layer { … } it is type: "${V1_TYPES[text as V1LayerParameter_LayerType]}"`
  return ''
}
