/** Layers of which no values are recorded: the model computes what the layer does, and has the operators that it should. */
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { exportNet } from '../../lib/onnx/export.js'
import { exporters } from '../../lib/onnx/layers/index.js'
import { writeGraph } from '../../lib/onnx/write.js'
import { parseNet } from '../../lib/proto/text.js'
import { expectClose } from '../golden.js'
import { inputLayer } from '../shapes.js'
import { ortVersion, runOnnx } from './onnxruntime.js'

type Sizes = readonly number[]

const recurrence = (more: string) =>
  `recurrence_param { num_output: 3 weight_filler { type: "xavier" } bias_filler { type: "uniform" min: -1 max: 1 } ${more} }`

/** Type, sizes of the bottoms, fields, the operators in order, and values of the bottoms where these may not be any. */
const cases: readonly [
  type: string,
  sizes: readonly Sizes[],
  fields: string,
  ops: string,
  values?: Record<number, number[]>,
][] = [
  ['Broadcast', [[2, 3, 1], [4]], 'broadcast_param { operation: SUB }', 'Sub'],
  [
    'Broadcast',
    [
      [2, 3],
      [1, 3],
    ],
    'broadcast_param { operation: GREATER_EQUAL }',
    'GreaterOrEqual Cast',
    { 1: [0, 0.5, -1] },
  ],
  [
    'Broadcast',
    [
      [2, 2],
      [2, 2],
    ],
    'broadcast_param { operation: EQUAL }',
    'Equal Cast',
    { 0: [1, 2, 3, 4], 1: [1, 0, 3, 0] },
  ],
  ['Gather', [[2, 3, 4]], 'gather_param { axis: 1 index: 2 index: -3 }', 'Gather'],
  [
    'Gather',
    [[2, 3, 4]],
    'gather_param { axis: -1 index: 2 index: 0 index: 1 index: 1 shape { dim: 2 dim: 2 } }',
    'Gather',
  ],
  ['Gather', [[2, 3, 4]], 'gather_param { axis: 1 index: 2 shape { } }', 'Gather'],
  ['Gelu', [[3, 5]], '', 'Div Erf Add Mul Mul'],
  ['Gelu', [[3, 5]], 'gelu_param { approximation: TANH }', 'Pow Mul Add Mul Tanh Add Mul Mul'],
  [
    'GroupNorm',
    [[2, 6, 3, 2]],
    'group_norm_param { group: 3 eps: 1e-3 }',
    'Reshape ReduceMean Sub Mul ReduceMean Add Sqrt Div Reshape Mul Add',
  ],
  [
    'GroupNorm',
    [[2, 6]],
    'group_norm_param { group: 2 affine: false }',
    'Reshape ReduceMean Sub Mul ReduceMean Add Sqrt Div Reshape',
  ],
  ['InstanceNorm', [[2, 3, 4, 2]], '', 'InstanceNormalization'],
  ['InstanceNorm', [[2, 3, 5]], 'group_norm_param { affine: false }', 'InstanceNormalization'],
  ['LayerNorm', [[2, 3, 5]], '', 'ReduceMean Sub Mul ReduceMean Add Sqrt Div Mul Add'],
  [
    'LayerNorm',
    [[2, 3, 5]],
    'layer_norm_param { axis: 1 scale_term: false }',
    'ReduceMean Sub Mul ReduceMean Add Sqrt Div',
  ],
  [
    'MatMul',
    [
      [2, 3, 4],
      [2, 5, 4],
    ],
    'matmul_param { transpose_b: true }',
    'Transpose MatMul',
  ],
  [
    'MatMul',
    [
      [4, 3],
      [4, 2],
    ],
    'matmul_param { transpose_a: true }',
    'Transpose MatMul',
  ],
  ['Padding', [[1, 2, 3, 4]], 'padding_param { before: 1 before: 0 after: 2 after: -1 value: 0.5 }', 'Pad'],
  ['Padding', [[1, 2, 3, 4]], 'padding_param { before: 2 before: 1 mode: REFLECT }', 'Pad'],
  ['Padding', [[3, 4]], 'padding_param { axis: 0 before: 2 mode: EDGE }', 'Pad'],
  ...(['SUM', 'MEAN', 'MAX', 'MIN', 'PROD', 'ASUM', 'SUMSQ', 'L2', 'LOG_SUM_EXP'] as const).map(
    (operation, i): (typeof cases)[number] => [
      'Reduce',
      [[2, 3, 4]],
      `reduce_param { operation: ${operation} axis: -1 axis: 0 keep_dims: ${i % 2 === 0} }`,
      `Reduce${['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'SumSquare', 'L2', 'LogSumExp'][i]}`,
    ],
  ),
  ['Reduce', [[2, 3]], 'reduce_param { operation: MEAN }', 'ReduceMean'],
  ['Reduce', [[2, 3]], '', 'ReduceSum'],
  [
    'Reduce',
    [[2, 3]],
    'reduce_param { operation: ARGMAX axis: 1 last: true }',
    'ArgMax Cast',
    { 0: [1, 1, 0, 2, 3, 3] },
  ],
  ['Reduce', [[2, 3]], 'reduce_param { operation: ARGMIN axis: 0 keep_dims: true }', 'ArgMin Cast'],
  ['Resize', [[1, 2, 3, 4]], 'resize_param { scale: 2 scale: 1.5 method: LINEAR }', 'Resize'],
  [
    'Resize',
    [[1, 2, 3, 4]],
    'resize_param { size: 7 size: 5 method: LINEAR coordinates: ALIGN_CORNERS }',
    'Shape Slice Concat Resize',
  ],
  [
    'Resize',
    [[1, 2, 3, 4]],
    'resize_param { size: 7 size: 5 coordinates: ASYMMETRIC rounding: FLOOR }',
    'Shape Slice Concat Resize',
  ],
  ['Resize', [[1, 2, 5, 4]], 'resize_param { size: 7 size: 3 method: CUBIC }', 'Shape Slice Concat Resize'],
  [
    'StridedSlice',
    [[2, 5, 6]],
    'strided_slice_param { axis: 2 axis: 1 start: 1 start: -1 end: 100 end: -100 step: 2 step: -2 }',
    'Slice',
  ],
  ...['ERF', 'FLOOR', 'CEIL', 'SIGN', 'SOFTSIGN', 'SIN', 'COS', 'ATAN', 'SINH', 'ASINH'].map(
    (operation): (typeof cases)[number] => [
      'Unary',
      [[2, 7]],
      `unary_param { operation: ${operation} }`,
      operation[0] + operation.slice(1).toLowerCase(),
    ],
  ),
  ['Unary', [[5]], 'unary_param { operation: ROUND }', 'Round', { 0: [0.5, 1.5, -0.5, 2.4, -2.6] }],
  [
    'Where',
    [
      [2, 3],
      [1, 3],
      [2, 1],
    ],
    '',
    'Cast Where',
    { 0: [1, 0, 0, 1, 0.5, 0] },
  ],
  [
    'NonMaxSuppression',
    [
      [1, 6, 4],
      [1, 2, 6],
    ],
    'non_max_suppression_param { max_output_boxes_per_class: 3 iou_threshold: 0.25 score_threshold: -1 }',
    'NonMaxSuppression Cast',
  ],
  ['TopK', [[2, 5]], 'top_k_param { k: 3 axis: 1 }', 'TopK'],
  ['TopK', [[4, 3]], 'top_k_param { k: 2 axis: 0 largest: false }', 'TopK'],
  ...['', 'linear_before_reset: true', 'activation: RELU'].map((more): (typeof cases)[number] => [
    'Recurrence',
    [[3, 2, 4]],
    recurrence(more),
    'GRU Squeeze',
  ]),
  [
    'Recurrence',
    [
      [3, 2, 2, 2],
      [1, 2, 3],
    ],
    recurrence('cell: RNN activation: SIGMOID'),
    'Reshape RNN Squeeze',
  ],
  ['HardSigmoid', [[2, 7]], 'hard_sigmoid_param { alpha: 0.3 beta: 0.4 }', 'HardSigmoid'],
  ['HardSwish', [[2, 7]], '', 'HardSigmoid Mul'],
  ['SeLU', [[2, 7]], '', 'Selu'],
  ['Reverse', [[2, 3, 4]], 'reverse_param { axis: 0 axis: 2 }', 'Slice'],
  ['Transpose', [[2, 3, 4]], 'transpose_param { dim: 2 dim: 0 dim: 1 }', 'Transpose'],
  ['Flip', [[1, 2, 3, 4]], 'flip_param { flip_width: true flip_height: true }', 'Slice'],
  ['ChannelNorm', [[2, 3, 2, 2]], '', 'ReduceL2'],
  [
    'ChannelScale',
    [
      [2, 3, 2, 2],
      [2, 1, 2, 2],
    ],
    '',
    'Mul',
  ],
  [
    'ChannelScale',
    [
      [2, 3, 2, 2],
      [2, 2, 2],
    ],
    '',
    'Reshape Mul',
  ],
  [
    'ContinuationIndicator',
    [[4]],
    'continuation_indicator_param { time_step: 3 batch_size: 2 }',
    'Reshape Slice Sub Abs Greater Not Cast Reshape Concat',
    { 0: [1, 0, 1, 1] },
  ],
  ['UpsampleDarknet', [[1, 2, 2, 3]], 'upsample_darknet_param { stride: 2 }', 'Resize'],
  ['Resample', [[1, 2, 4, 6]], 'resample_param { type: LINEAR height: 8 width: 12 }', 'Shape Slice Concat Resize'],
  ['Resample', [[1, 2, 4, 6]], 'resample_param { type: NEAREST height: 8 width: 12 }', 'Shape Slice Concat Resize'],
  [
    'ROIAlign',
    [
      [2, 3, 6, 8],
      [3, 5],
    ],
    'roi_align_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.5 sampling_ratio: 2 }',
    'Slice Reshape Cast Slice RoiAlign',
    { 1: [0, 1, 1, 9, 8, 1, 0, 2, 3, 3, 1, 4, 4, 15, 11] },
  ],
  [
    'Pooling',
    [[1, 2, 5, 5]],
    'pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 count_include_pad: false }',
    'AveragePool',
  ],
  [
    'Deconvolution',
    [[1, 2, 3, 3]],
    'convolution_param { num_output: 2 kernel_size: 3 stride: 2 output_pad: 1 weight_filler { type: "xavier" } }',
    'ConvTranspose',
  ],
  ['Dropout', [[2, 3]], 'dropout_param { dropout_ratio: 0.25 scale_train: false }', 'Mul'],
]

test.each(cases)('%s %j %s', async (type, sizes, fields, ops, values = {}) => {
  const inputs = sizes.map((dims, i) => inputLayer(`in${i}`, dims))
  const bottoms = sizes.map((_, i) => `bottom: "in${i}"`).join(' ')
  const text = `${inputs.join('\n')}\nlayer { name: "layer" type: "${type}" ${bottoms} top: "y" ${fields} }`
  using net = await Net.create(parseNet(text), { engine: 'js', seed: 5 })
  net.params.layer?.forEach((blob, k) => {
    blob.dataArray.forEach((_, i, all) => {
      all[i] = Math.cos(i + k)
    })
  })
  const graph = exportNet(net.built)
  expect(graph.nodes.map(({ op }) => op).join(' ')).toBe(ops)
  expect(ops.split(' ').filter(op => !exporters[type].ops.includes(op))).toEqual([])
  if (ortVersion === undefined) return
  const feeds = sizes.map((shape, k) => {
    const count = shape.reduce((a, b) => a * b, 1)
    const data = Float32Array.from({ length: count }, (_, i) => values[k]?.[i] ?? 2 * Math.sin(7 * i + k + 1))
    return [`in${k}`, { data, shape }] as const
  })
  const { y } = await net.forward(Object.fromEntries(feeds.map(([name, { data }]) => [name, data])))
  const got = (await runOnnx(writeGraph(graph), Object.fromEntries(feeds))).y
  expect(got.shape).toEqual(y.shape)
  expectClose(got.data, y.data, 2e-5, 2e-6, type)
})

describe('fields without an ONNX form', () => {
  test.each([
    ['Resample', [1, 2, 4, 6], 'resample_param { type: CUBIC height: 8 width: 12 }', 'type: CUBIC has no ONNX form'],
    ['Resample', [1, 2, 4, 6], 'resample_param { height: 4 width: 12 type: LINEAR }', 'moves one axis by the other'],
    [
      'Resample',
      [1, 2, 4, 6],
      'resample_param { height: 2 width: 3 type: LINEAR }',
      'antialias: true has no ONNX form',
    ],
    ['Dropout', [2, 3], 'phase: TRAIN', 'drops values at random'],
    [
      'Pooling',
      [1, 1, 7, 7],
      'pooling_param { kernel_size: 1 stride: 5 pool: MAX round_mode: CEIL }',
      'begins behind the picture',
    ],
  ] as const)('%s %j %s', async (type, dims, fields, message) => {
    const text = `${inputLayer('x', dims)}
      layer { name: "layer" type: "${type}" bottom: "x" top: "y" ${fields} }`
    using net = await Net.create(parseNet(text), { engine: 'js', seed: 5 })
    expect(() => exportNet(net.built)).toThrow(message)
  })
})
