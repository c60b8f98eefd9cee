/** Small nets of layers that no recorded case holds: the library's own, and of forks. Bottoms are named a, b, c, d. */
import { inputLayer } from '../shapes.js'

const layer = (type: string, shapes: string, fields = '', tops = 't'): string => {
  const bottoms = shapes.split(' ').filter(Boolean)
  const names = ['a', 'b', 'c', 'd'].slice(0, bottoms.length)
  const inputs = names.map((name, i) => inputLayer(name, bottoms[i]))
  const bottom = names.map(name => `bottom: "${name}"`).join(' ')
  const top = [...tops].map(name => `top: "${name}"`).join(' ')
  return `${inputs.join('\n')}\nlayer { name: "l" type: "${type}" ${bottom} ${top} ${fields} }\n`
}

const correlation = 'correlation_param { pad: 3 kernel_size: 3 max_displacement: 2 stride_1: 1 stride_2: 1 }'
const biases = 'biases: 1.5 biases: 2 biases: 4 biases: 3'

/** Name and text of each. */
export const ownLayers: readonly (readonly [string, string])[] = [
  ['Broadcast', layer('Broadcast', '2×1×4 3×1', 'broadcast_param { operation: MUL }')],
  ['CenterLoss', layer('CenterLoss', '3×4 3', 'center_loss_param { num_output: 5 center_filler { type: "xavier" } }')],
  ['ChannelNorm', layer('ChannelNorm', '2×3×2×2')],
  ['ChannelScale', layer('ChannelScale', '2×3×2×2 2×1×2×2')],
  ['Correlation', layer('Correlation', '1×2×6×6 1×2×6×6', correlation)],
  ['Correlation1D', layer('Correlation1D', '1×2×6×6 1×2×6×6', correlation)],
  ['CTCDecoder', layer('CTCDecoder', '4×2×5 4×2')],
  ['CTCGreedyDecoder', layer('CTCGreedyDecoder', '4×2×3 2×2')],
  ['CTCLoss', layer('CTCLoss', '4×2×5 2×3', 'ctc_loss_param { blank_label: 0 alphabet_size: 5 time_step: 4 }')],
  ['DenseBlock', layer('DenseBlock', '1×2×3×4', 'denseblock_param { numTransition: 2 growthRate: 1 use_BC: true }')],
  ['Downsample', layer('Downsample', '1×2×6×6', 'downsample_param { top_height: 3 top_width: 2 }')],
  [
    'EvalDetection',
    layer('EvalDetection', '1×63 1×63', 'eval_detection_param { side: 3 num_class: 2 num_object: 1 threshold: 0.5 }'),
  ],
  ['Flip', layer('Flip', '1×2×3×4', 'flip_param { flip_width: true flip_height: true }')],
  ['FlowWarp', layer('FlowWarp', '1×2×4×5 1×2×4×5', 'flow_warp_param { fill_value: NOT_A_NUMBER }')],
  ['Gather', layer('Gather', '2×5', 'gather_param { axis: 1 index: [4, 1, 0] }')],
  ['Gelu', layer('Gelu', '2×5')],
  ['GroupNorm', layer('GroupNorm', '2×4×3', 'group_norm_param { group: 2 }')],
  ['HardSigmoid', layer('HardSigmoid', '2×4')],
  ['HardSwish', layer('HardSwish', '2×4')],
  ['InstanceNorm', layer('InstanceNorm', '2×4×3')],
  ['Interp', layer('Interp', '1×2×4×4', 'interp_param { height: 7 width: 9 pad_beg: 0 pad_end: -1 }')],
  ['L1Loss', layer('L1Loss', '2×2×3×3 2×2×3×3', 'l1_loss_param { l2_per_location: true plateau: 0.1 }')],
  ['LabelsequenceAccuracy', layer('LabelsequenceAccuracy', '2×4×3 2×2')],
  ['LayerNorm', layer('LayerNorm', '2×4')],
  ['Lstm', layer('Lstm', '3×2×4', 'lstm_param { num_output: 2 clipping_threshold: 1 }')],
  [
    'MarginInnerProduct',
    layer('MarginInnerProduct', '3×4 3', 'margin_inner_product_param { num_output: 5 type: DOUBLE }'),
  ],
  ['MatMul', layer('MatMul', '2×3×4 2×5×4', 'matmul_param { transpose_b: true }')],
  ['Mean', layer('Mean', '1×3×2×2', 'mean_param { operation: SUBTRACT input_scale: 0.5 value: 1 value: 2 value: 3 }')],
  ['Padding', layer('Padding', '1×2×4×4', 'padding_param { before: [1, 2] after: [0, 1] mode: REFLECT }')],
  ['Permute', layer('Permute', '2×3×4×5', 'permute_param { order: 0 order: 2 order: 3 order: 1 }')],
  [
    'PSROIPooling',
    layer('PSROIPooling', '2×8×6×6 3×5', 'psroi_pooling_param { spatial_scale: 0.5 output_dim: 2 group_size: 2 }'),
  ],
  ['Recurrence', layer('Recurrence', '3×2×4', 'recurrence_param { num_output: 2 }')],
  ['ROIAlign', layer('ROIAlign', '2×3×6×6 3×5', 'roi_align_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.5 }')],
  [
    'ROIPooling',
    layer('ROIPooling', '2×3×6×6 3×5', 'roi_pooling_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.5 }'),
  ],
  ['Reduce', layer('Reduce', '2×3×4', 'reduce_param { axis: [1, 2] operation: MEAN }')],
  [
    'RegionLoss',
    layer('RegionLoss', '1×14×3×3 1×10', `region_loss_param { num_class: 2 num: 2 thresh: 0.6 ${biases} }`),
  ],
  ['Reorg', layer('Reorg', '1×4×4×4', 'reorg_param { stride: 2 }')],
  ['Resample', layer('Resample', '1×2×4×4', 'resample_param { width: 7 height: 3 type: CUBIC antialias: true }')],
  ['Resize', layer('Resize', '1×2×4×4', 'resize_param { size: [7, 9] method: LINEAR }')],
  ['Resize, scales', layer('Resize', '1×2×4×4', 'resize_param { scale: [1.5, 2] method: CUBIC }')],
  ['Reverse', layer('Reverse', '3×4', 'reverse_param { axis: 0 }')],
  ['ReverseTime', layer('ReverseTime', '4×2×3 2', 'reverse_time_param { copy_remaining: true }')],
  ['SegAccuracy', layer('SegAccuracy', '2×3×2×2 2×1×2×2', 'seg_accuracy_param { ignore_label: 255 }')],
  ['SegmentationEvaluate', layer('SegmentationEvaluate', '1×2×3×4 1×2×5×4')],
  ['SpatialDropout', layer('SpatialDropout', '2×3×4', 'spatial_dropout_param { dropout_ratio: 0.5 }')],
  ['StridedSlice', layer('StridedSlice', '2×3×8', 'strided_slice_param { axis: 2 start: 7 end: 0 step: -2 }')],
  ['NonMaxSuppression', layer('NonMaxSuppression', '2×6×4 2×3×6', 'non_max_suppression_param { iou_threshold: 0.5 }')],
  ['TopK', layer('TopK', '2×5', 'top_k_param { k: 2 }', 'tu')],
  ['Transpose', layer('Transpose', '2×3×4', 'transpose_param { dim: 2 dim: 0 dim: 1 }')],
  ['Unary', layer('Unary', '2×3', 'unary_param { operation: ROUND }')],
  ['Unpooling', layer('Upsample', '1×2×3×3 1×2×3×3', 'upsample_param { scale: 2 upsample_h: 6 upsample_w: 6 }')],
  ['UpsampleDarknet', layer('UpsampleDarknet', '1×2×3×3', 'upsample_darknet_param { stride: 2 }')],
  ['WarpCTCLoss', layer('WarpCTCLoss', '4×2×3 2×2')],
  ['Where', layer('Where', '2×3 2×3 2×3')],
  [
    'YoloDetectionOutput',
    layer(
      'YoloDetectionOutput',
      '1×14×3×3',
      `yolo_detection_output_param { num_classes: 2 num_box: 2 confidence_threshold: 0.1 nms_threshold: 0.4 ${biases} }`,
    ),
  ],
  [
    'Yolov3',
    layer(
      'Yolov3',
      '1×14×3×3 1×10',
      `yolov3_param { num_class: 2 num: 2 thresh: 0.6 anchors_scale: 32 mask: 0 mask: 1 ${biases} }`,
    ),
  ],
  [
    'Yolov3DetectionOutput',
    layer(
      'Yolov3DetectionOutput',
      '1×14×3×3',
      `yolov3_detection_output_param { num_classes: 2 num_box: 2 mask_group_num: 1 mask: 0 mask: 1 anchors_scale: 32 ${biases} }`,
    ),
  ],
  [
    'ContinuationIndicator',
    layer('ContinuationIndicator', '', 'continuation_indicator_param { time_step: 4 batch_size: 2 }'),
  ],
  ['CTCGreedyDecoder', layer('CTCGreedyDecoder', '4×2×5 4×2')],
  ['LabelsequenceAccuracy', layer('LabelsequenceAccuracy', '2×4×5 2×3')],
  ['Lstm', layer('Lstm', '4×2×3', 'lstm_param { num_output: 2 weight_filler { type: "xavier" } }')],
  ['MemoryData', layer('MemoryData', '', 'memory_data_param { batch_size: 2 channels: 1 height: 3 width: 4 }', 'tu')],
  ['SegmentationEvaluate', layer('SegmentationEvaluate', '1×2×4×4 1×2×3×5')],
  ['SeLU', layer('SeLU', '2×3', 'selu_param { alpha: 1.6 lambda: 1.05 }')],
  ['WarpCTCLoss', layer('WarpCTCLoss', '4×2×5 2×3', 'ctc_loss_param { blank_index: 4 }')],
  ['YoloSeg', layer('YoloSeg', '1×2×3×3 1×2×3×3 1×2')],
  ['YoloSeg', layer('YoloSeg', '2×3×2×2 2×3×2×2 2×3')],
]
