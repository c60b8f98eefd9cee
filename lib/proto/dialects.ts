/**
 * The numbers of forks' messages in binary files. In LayerParameter they differ from fork to fork and collide, with each
 * other and with Caffe's own, so that a number alone says nothing: the type of the layer does, and within a message
 * that two forks write differently, its fields do.
 */
import { type FieldInfo, type MessageInfo, type PlainMessage, readValues } from './fields.js'
import { V1_TYPES } from './old_types.js'

interface Dialect {
  /** Types of layers that have the message. */
  readonly types: readonly string[]
  /** Its numbers in files that exist, beside the one that is written. */
  readonly numbers: readonly number[]
}

const dialect = (types: string, ...numbers: number[]): Dialect => ({ types: types.split(' '), numbers })

/** By message of LayerParameter; the last ones are of messages that are kept as bytes. */
const dialects: Readonly<Record<string, Dialect>> = {
  annotated_data_param: dialect('AnnotatedData', 200),
  multibox_loss_param: dialect('MultiBoxLoss', 201),
  permute_param: dialect('Permute', 202, 224),
  prior_box_param: dialect('PriorBox', 203),
  detection_output_param: dialect('DetectionOutput', 204),
  detection_evaluate_param: dialect('DetectionEvaluate', 205),
  norm_param: dialect('Normalize', 206),
  normalize_bbox_param: dialect('Normalize NormalizeBBox', 149, 8266712),
  normalize_param: dialect('Normalize', 214),
  video_data_param: dialect('VideoData', 207),
  roi_pooling_param: dialect('ROIPooling', 8266711, 154, 204, 150, 147, 143, 200),
  smooth_l1_loss_param: dialect('SmoothL1Loss SmoothL1LossOHEM', 8266712, 148, 243, 201, 144),
  smoothl1_param: dialect('SmoothL1Loss', 222),
  psroi_pooling_param: dialect('PSROIPooling', 10001, 153, 220, 149, 207),
  roi_align_param: dialect('ROIAlign', 247),
  proposal_param: dialect('Proposal', 219, 212, 201, 202),
  box_annotator_ohem_param: dialect('BoxAnnotatorOHEM', 10000, 152),
  bn_param: dialect('BN', 45, 152, 200, 41, 137, 1137),
  interp_param: dialect('Interp', 163, 143, 2143),
  upsample_param: dialect('Upsample', 177, 137, 150, 149, 152, 147),
  upsample_darknet_param: dialect('UpsampleDarknet', 209),
  dense_image_data_param: dialect('DenseImageData', 168, 138, 46),
  seg_accuracy_param: dialect('SegAccuracy', 1702, 164, 144),
  reorg_param: dialect('Reorg', 197, 149, 159),
  shuffle_channel_param: dialect('ShuffleChannel', 164, 166, 159),
  relu6_param: dialect('ReLU6', 211, 2060),
  region_loss_param: dialect('RegionLoss Region', 600, 209),
  eval_detection_param: dialect('EvalDetection', 301),
  yolo_detection_output_param: dialect('YoloDetectionOutput', 601),
  yolov3_detection_output_param: dialect('Yolov3DetectionOutput', 602),
  yolov3_param: dialect('Yolov3', 603),
  yolo_seg_param: dialect('YoloSeg', 604),
  segmentation_evaluate_param: dialect('SegmentationEvaluate', 605),
  correlation_param: dialect('Correlation Correlation1D', 150),
  l1_loss_param: dialect('L1Loss', 151),
  mean_param: dialect('Mean', 154),
  resample_param: dialect('Resample', 155),
  downsample_param: dialect('Downsample', 156),
  flow_warp_param: dialect('FlowWarp', 159),
  hard_sigmoid_param: dialect('HardSigmoid', 258),
  selu_param: dialect('SeLU', 232),
  spatial_dropout_param: dialect('SpatialDropout', 155),
  ctc_loss_param: dialect('CTCLoss CtcLoss WarpCTCLoss', 1703, 147, 149),
  ctc_decoder_param: dialect('CTCDecoder CTCGreedyDecoder', 1704, 148),
  continuation_indicator_param: dialect('ContinuationIndicator', 1705, 148),
  flip_param: dialect('Flip', 212),
  transpose_param: dialect('Transpose', 1713, 8266710),
  reverse_param: dialect('Reverse', 1714, 160, 261),
  reverse_time_param: dialect('ReverseTime', 1715, 161),
  lstm_param: dialect('Lstm', 1716, 8266711),
  denseblock_param: dialect('DenseBlock', 1717, 147),
  labelsequence_accuracy_param: dialect('LabelsequenceAccuracy', 1718, 203),
  inner_distance_param: dialect('InnerDistance', 213),
  predict_box_param: dialect('PredictBox', 209),
  focal_loss_param: dialect('FocalLoss', 235),
  center_loss_param: dialect('CenterLoss', 211),
  triplet_loss_param: dialect('TripletLoss', 203),
  eltwise_affine_param: dialect('EltwiseAffine', 205),
  local_param: dialect('Local', 201),
  // Caffe's own under another number
  recurrent_param: dialect('RNN LSTM', 146, 134, 151),
  input_param: dialect('Input', 143),
  clip_param: dialect('Clip', 148, 248),
  swish_param: dialect('Swish', 147),
  embed_param: dialect('Embed', 137),
  tile_param: dialect('Tile', 138),
  log_param: dialect('Log', 134),
  crop_param: dialect('Crop', 144),
  parameter_param: dialect('Parameter', 145),
  split_param: dialect('Split', 208),
  // under numbers that are another's here
  dense_crf_param: dialect('DenseCRF', 146),
  mat_write_param: dialect('MatWrite', 145),
  sub_region_param: dialect('SubRegion', 206),
  hotspot_param: dialect('Hotspot', 208),
  margin_inner_product_param: dialect('MarginInnerProduct', 1719, 232),
  depth_to_space_param: dialect('DepthToSpace', 208),
  topk_gather_param: dialect('TopkGather', 213),
  nms_param: dialect('NMS', 214),
  where4_gathernd_param: dialect('Where4Gathernd', 219),
  pyramid_roi_align_param: dialect('PyramidROIAlign', 222),
  batch_to_space_nd_param: dialect('BatchToSpaceND', 235),
}

/** Messages by number: more than one where forks collide. */
const byNumber = new Map<number, string[]>()
for (const [message, { numbers }] of Object.entries(dialects))
  for (const number of numbers) byNumber.set(number, [...(byNumber.get(number) ?? []), message])

/** Whether what a number of LayerParameter means depends on the layer's type. */
export const dependsOnType = (number: number): boolean => byNumber.has(number)

/**
 * The field of LayerParameter that a number means in a layer of this type. Undefined: nobody knows, and the bytes are
 * kept. A type of somebody's own takes what the number is here.
 */
export function layerField(layer: MessageInfo, number: number, type: string | undefined): FieldInfo | undefined {
  const candidates = byNumber.get(number)
  const plain = layer.byNumber.get(number)
  if (!candidates || plain?.declared) return plain
  const own = candidates.find(message => type !== undefined && dialects[message].types.includes(type))
  if (own) return layer.byName.get(own)
  // of two that collide neither is meant for certain
  const isAlone = candidates.filter(message => layer.byName.has(message)).length === 1
  return isAlone && plain && !ofKnownType(type) ? plain : undefined
}

const known = new Set([...Object.values(dialects).flatMap(({ types }) => types), ...Object.values(V1_TYPES)])
const ofKnownType = (type: string | undefined): boolean => type !== undefined && known.has(type)

/** A type of caffe-windows' older layers, and its message, without which the number of the type is another fork's. */
export interface V1Dialect {
  readonly value: number
  readonly type: string
  readonly message: string
  readonly number: number
}

export const v1Dialects: readonly V1Dialect[] = [
  { value: 41, type: 'LOCAL', message: 'local_param', number: 44 },
  { value: 42, type: 'BN', message: 'bn_param', number: 43 },
  { value: 46, type: 'ROIPOOLING', message: 'roi_pooling_param', number: 48 },
  { value: 48, type: 'ELTWISE_AFFINE', message: 'eltwise_affine_param', number: 49 },
]

/** The fields of a message that another fork writes under these numbers. */
const variants: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  // SegNet's, and Synopsys', who put PSPNet's behind them
  BNParameter: {
    scale_filler: 1,
    shift_filler: 2,
    bn_mode: 3,
    eps: 4,
    frozen: 5,
    engine: 6,
    slope_filler: 7,
    bias_filler: 8,
    momentum: 9,
  },
  // SegNet's, beside R-FCN's
  LossParameter: { ignore_label: 1, normalize: 2, weight_by_label_freqs: 3, class_weighting: 4 },
  // Synopsys', beside PVANet's
  ProposalParameter: {
    feat_stride: 1,
    anchor_base_size: 2,
    anchor_scale: 3,
    anchor_ratio: 4,
    max_rois: 5,
    pre_nms_topn: 6,
    rpn_min_size: 7,
    rpn_nms_thresh: 8,
  },
  CTCLossParameter: {
    output_delay: 1,
    blank_index: 2,
    preprocess_collapse_repeated: 3,
    ctc_merge_repeated: 4,
    loss_calculation_t: 5,
  },
}

const variantInfos = new Map<string, MessageInfo>()

/** The message as the other fork writes it, if there is one. */
export function variantOf(info: MessageInfo): MessageInfo | undefined {
  const numbers = Object.hasOwn(variants, info.name) ? variants[info.name] : undefined
  if (!numbers) return undefined
  let made = variantInfos.get(info.name)
  if (!made) {
    const fields = Object.entries(numbers).map(([name, number]) => ({ ...info.byName.get(name)!, number }))
    made = {
      ...info,
      fields,
      byName: new Map(fields.map(field => [field.name, field])),
      byNumber: new Map(fields.map(field => [field.number, field])),
    }
    variantInfos.set(info.name, made)
  }
  return made
}

/** Whether a message that is to be written has fields of the other fork's form alone. */
export function isVariant(info: MessageInfo, message: PlainMessage): boolean {
  const variant = variantOf(info)
  if (!variant) return false
  // a single one would be read as R-FCN's normalizer
  if (info.name === 'LossParameter') return weightsOf(message).length > 1
  return info.fields.some(field => !field.number && variant.byName.has(field.name) && message[field.name] !== undefined)
}

/** SegNet's BN has two blobs, PSPNet's four: what their fillers cannot tell. */
export const isSegNet = (layer: PlainMessage): boolean =>
  layer['type'] === 'BN' && (layer['blobs'] as unknown[] | undefined)?.length === 2

/** R-FCN's number of NONE, which no other fork has. */
export const RFCN_NONE = 4

const weightsOf = (loss: PlainMessage): readonly number[] => (loss['class_weighting'] as number[] | undefined) ?? []

/**
 * What LossParameter's 3 and 4 are. In R-FCN's files 3 is PRE_FIXED, in Caffe's NONE: the normalizer, which only they
 * have, tells them. SegNet has a switch and weights of classes there: more than one tells it.
 */
export function readLoss(loss: PlainMessage): void {
  const { pre_fixed_normalizer: last, normalization } = loss
  const values = loss[readValues] as Record<string, unknown> | undefined
  if (weightsOf(loss).length && last !== undefined) {
    loss['class_weighting'] = [...weightsOf(loss), last]
    delete loss['pre_fixed_normalizer']
    if (normalization !== undefined) loss['weight_by_label_freqs'] = normalization !== 'FULL'
    delete loss['normalization']
  } else if (last !== undefined && normalization === 'NONE' && !values?.['normalization'])
    loss['normalization'] = 'PRE_FIXED'
}

/** The same backwards, for a file. */
export function withRfcnMode(loss: PlainMessage): PlainMessage {
  const { normalization, pre_fixed_normalizer } = loss
  if (normalization === 'PRE_FIXED')
    return { ...loss, normalization: 3, pre_fixed_normalizer: pre_fixed_normalizer ?? 1 }
  return normalization === 'NONE' && pre_fixed_normalizer !== undefined ? { ...loss, normalization: RFCN_NONE } : loss
}
