/** Layers that Caffe has not, and that models of other libraries need: most are one operator. */
import type { Layer } from '../../layer.js'
import { axisOf } from '../../layers/parts/axis.js'
import { withDefaults } from '../../proto/message.js'
import { type AttributeValue, float, type OnnxGraph } from '../builder.js'
import { countOf } from '../graph.js'
import type { Exporters } from './entry.js'
import { standardized } from './normalization.js'

const BROADCASTS = {
  ADD: 'Add',
  SUB: 'Sub',
  MUL: 'Mul',
  DIV: 'Div',
  MAX: 'Max',
  MIN: 'Min',
  POW: 'Pow',
  EQUAL: 'Equal',
  GREATER: 'Greater',
  GREATER_EQUAL: 'GreaterOrEqual',
  LESS: 'Less',
  LESS_EQUAL: 'LessOrEqual',
} as const

function broadcast(graph: OnnxGraph, layer: Layer): void {
  const { operation } = withDefaults('BroadcastParameter', layer.param.broadcast_param)
  const op = BROADCASTS[operation]
  // comparisons give truth, and ours numbers
  if (/^(Equal|Greater|Less)/.test(op)) graph.last('Cast', [graph.node(op, graph.inputs)], { to: 1 })
  else graph.last(op, graph.inputs)
}

function gather(graph: OnnxGraph, layer: Layer): void {
  const { axis, index, shape } = withDefaults('GatherParameter', layer.param.gather_param)
  const places = graph.places(index, shape ? (shape.dim ?? []).map(Number) : [index.length])
  graph.last('Gather', [graph.inputs[0], places], { axis: axisOf(layer, graph.bottom[0], axis) })
}

/** x/2 · (1 + f(x)). */
function halfGated(graph: OnnxGraph, gate: string): void {
  const [x] = graph.inputs
  const gated = graph.node('Mul', [x, graph.node('Add', [gate, graph.scalar(1)])])
  graph.last('Mul', [gated, graph.scalar(0.5)])
}

function gelu(graph: OnnxGraph, layer: Layer): void {
  const { approximation } = withDefaults('GeluParameter', layer.param.gelu_param)
  const [x] = graph.inputs
  if (approximation === 'NONE') {
    halfGated(graph, graph.node('Erf', [graph.node('Div', [x, graph.scalar(Math.SQRT2)])]))
    return
  }
  const cubes = graph.node('Mul', [graph.node('Pow', [x, graph.scalar(3)]), graph.scalar(0.044715)])
  const inside = graph.node('Mul', [graph.node('Add', [x, cubes]), graph.scalar(Math.sqrt(2 / Math.PI))])
  halfGated(graph, graph.node('Tanh', [inside]))
}

/** The scale and shift of the layer's params, if it has them. */
function scaled(graph: OnnxGraph, layer: Layer, normal: (last: boolean) => string, shape: readonly number[]): void {
  const { length } = layer.blobs
  const value = normal(length === 0)
  if (length === 1) graph.last('Mul', [value, graph.weight(0, shape)])
  if (length === 2) graph.last('Add', [graph.node('Mul', [value, graph.weight(0, shape)]), graph.weight(1, shape)])
}

function layerNorm(graph: OnnxGraph, layer: Layer): void {
  const { axis, eps } = withDefaults('LayerNormParameter', layer.param.layer_norm_param)
  const { shape } = graph.bottom[0]
  const first = axisOf(layer, graph.bottom[0], axis)
  const axes = shape.map((_, i) => i).slice(first)
  const normal = (last: boolean): string =>
    standardized(graph, graph.inputs[0], axes, { eps }, last ? graph.outputs : [])
  scaled(graph, layer, normal, shape.slice(first))
}

function groupNorm(graph: OnnxGraph, layer: Layer): void {
  const { group, eps } = withDefaults('GroupNormParameter', layer.param.group_norm_param)
  const { shape } = graph.bottom[0]
  const [N, C, ...space] = shape
  const rows = [N, group, (C / group) * countOf(space)]
  const normal = (last: boolean): string => {
    const values = standardized(graph, graph.reshape(graph.inputs[0], shape, rows), [2], { eps })
    return graph.reshape(values, rows, shape, last ? graph.outputs[0] : undefined)
  }
  scaled(graph, layer, normal, [C, ...space.map(() => 1)])
}

function instanceNorm(graph: OnnxGraph, layer: Layer): void {
  const { eps } = withDefaults('GroupNormParameter', layer.param.group_norm_param)
  const { shape } = graph.bottom[0]
  const C = shape[1]
  const params = layer.blobs.length
    ? [graph.weight(0), graph.weight(1)]
    : [graph.constant([C], new Float32Array(C).fill(1)), graph.constant([C], new Float32Array(C))]
  const spatial = shape.length > 2 ? shape : [...shape, 1]
  const x = shape.length > 2 ? graph.inputs[0] : graph.reshape(graph.inputs[0], shape, spatial)
  const attributes = { epsilon: float(eps) }
  if (shape.length > 2) graph.last('InstanceNormalization', [x, ...params], attributes)
  else graph.reshape(graph.node('InstanceNormalization', [x, ...params], attributes), spatial, shape, graph.outputs[0])
}

function matMul(graph: OnnxGraph, layer: Layer): void {
  const { transpose_a, transpose_b } = withDefaults('MatMulParameter', layer.param.matmul_param)
  const turned = [transpose_a, transpose_b].map((turn, k) => {
    if (!turn) return graph.inputs[k]
    const axes = graph.bottom[k].shape.map((_, i) => i)
    return graph.node('Transpose', [graph.inputs[k]], { perm: [...axes.slice(0, -2), ...axes.slice(-2).reverse()] })
  })
  graph.last('MatMul', turned)
}

const MODES = { CONSTANT: 'constant', REFLECT: 'reflect', EDGE: 'edge' } as const

function padding(graph: OnnxGraph, layer: Layer): void {
  const p = withDefaults('PaddingParameter', layer.param.padding_param)
  const { numAxes } = graph.bottom[0]
  const first = axisOf(layer, graph.bottom[0], p.axis)
  const along = (list: readonly number[]): number[] => Array.from({ length: numAxes }, (_, i) => list[i - first] ?? 0)
  const pads = graph.ints(...along(p.before), ...along(p.after.length ? p.after : p.before))
  const value = p.mode === 'CONSTANT' && p.value !== 0 ? [graph.scalar(p.value)] : []
  graph.last('Pad', [graph.inputs[0], pads, ...value], p.mode === 'CONSTANT' ? {} : { mode: MODES[p.mode] })
}

const REDUCTIONS = {
  SUM: 'ReduceSum',
  MEAN: 'ReduceMean',
  MAX: 'ReduceMax',
  MIN: 'ReduceMin',
  PROD: 'ReduceProd',
  ASUM: 'ReduceL1',
  SUMSQ: 'ReduceSumSquare',
  L2: 'ReduceL2',
  LOG_SUM_EXP: 'ReduceLogSumExp',
  ARGMAX: 'ArgMax',
  ARGMIN: 'ArgMin',
} as const

function reduce(graph: OnnxGraph, layer: Layer): void {
  const { operation, axis, keep_dims, last } = withDefaults('ReduceParameter', layer.param.reduce_param)
  const [x] = graph.inputs
  const op = REDUCTIONS[operation]
  const axes = axis.map(at => axisOf(layer, graph.bottom[0], at)).sort((a, b) => a - b)
  const keepdims = keep_dims ? 1 : 0
  if (op === 'ArgMax' || op === 'ArgMin') {
    const places = graph.node(op, [x], { axis: axes[0], keepdims, ...(last && { select_last_index: 1 }) })
    graph.last('Cast', [places], { to: 1 })
  } else if (op === 'ReduceSum') graph.last(op, axes.length ? [x, graph.ints(...axes)] : [x], { keepdims })
  else graph.last(op, [x], { ...(axes.length && { axes }), keepdims })
}

const COORDINATES = {
  HALF_PIXEL: 'half_pixel',
  ALIGN_CORNERS: 'align_corners',
  ASYMMETRIC: 'asymmetric',
  PYTORCH_HALF_PIXEL: 'pytorch_half_pixel',
  TF_HALF_PIXEL_FOR_NN: 'tf_half_pixel_for_nn',
} as const

function resize(graph: OnnxGraph, layer: Layer): void {
  const p = withDefaults('ResizeLayerParameter', layer.param.resize_param)
  const [x] = graph.inputs
  const [from] = graph.bottom
  const [to] = graph.top
  const first = axisOf(layer, from, p.axis)
  const attributes: Record<string, AttributeValue> = {
    mode: p.method.toLowerCase(),
    coordinate_transformation_mode: COORDINATES[p.coordinates],
    ...(p.method === 'NEAREST' && { nearest_mode: p.rounding.toLowerCase() }),
    ...(p.method === 'CUBIC' && { cubic_coeff_a: float(p.cubic_coeff), exclude_outside: p.exclude_outside ? 1 : 0 }),
  }
  if (p.scale.length) {
    const scales = from.shape.map((_, i) => p.scale[i - first] ?? 1)
    if (from.shape.some((size, i) => Math.floor(size * Math.fround(scales[i])) !== to.dim(i)))
      throw graph.error('size and scale together have an ONNX form where the size is that of the scale alone')
    graph.last('Resize', [x, '', graph.constant([scales.length], scales)], attributes)
    return
  }
  const before = graph.slice(graph.node('Shape', [x]), 0, 0, first)
  const sizes = first
    ? graph.node('Concat', [before, graph.ints(...to.shape.slice(first))], { axis: 0 })
    : graph.ints(...to.shape)
  graph.last('Resize', [x, '', '', sizes], attributes)
}

function stridedSlice(graph: OnnxGraph, layer: Layer): void {
  const { axis, start, end, step } = withDefaults('StridedSliceParameter', layer.param.strided_slice_param)
  const axes = axis.map(at => axisOf(layer, graph.bottom[0], at))
  const steps = step.length ? step : axes.map(() => 1)
  const lists = steps.some(step => step !== 1) ? [start, end, axes, steps] : [start, end, axes]
  graph.last('Slice', [graph.inputs[0], ...lists.map(list => graph.ints(...list))])
}

const FUNCTIONS = {
  ERF: 'Erf',
  FLOOR: 'Floor',
  CEIL: 'Ceil',
  ROUND: 'Round',
  SIGN: 'Sign',
  SOFTSIGN: 'Softsign',
  SIN: 'Sin',
  COS: 'Cos',
  TAN: 'Tan',
  ASIN: 'Asin',
  ACOS: 'Acos',
  ATAN: 'Atan',
  SINH: 'Sinh',
  COSH: 'Cosh',
  ASINH: 'Asinh',
  ACOSH: 'Acosh',
  ATANH: 'Atanh',
} as const

function unary(graph: OnnxGraph, layer: Layer): void {
  graph.last(FUNCTIONS[layer.param.unary_param!.operation!], graph.inputs)
}

function topK(graph: OnnxGraph, layer: Layer): void {
  const { k, axis, largest } = withDefaults('TopKParameter', layer.param.top_k_param)
  const [best, places] = graph.outputs
  const indices = graph.value('places')
  const attributes = { axis: axisOf(layer, graph.bottom[0], axis), ...(!largest && { largest: 0 }) }
  graph.node('TopK', [graph.inputs[0], graph.ints(k)], attributes, [best, indices])
  if (places !== undefined) graph.node('Cast', [indices], { to: 1 }, [places])
}

/** Places of boxes, of which there are as many as are found. */
function nonMaxSuppression(graph: OnnxGraph, layer: Layer): void {
  const p = withDefaults('NonMaxSuppressionParameter', layer.param.non_max_suppression_param)
  const { max_output_boxes_per_class: most = graph.bottom[0].dim(1), score_threshold: least } = p
  const limits = [p.iou_threshold, ...(least === undefined ? [] : [least])].map(value => graph.constant([1], [value]))
  const attributes: Record<string, number> = p.center_point_box ? { center_point_box: 1 } : {}
  const places = graph.node('NonMaxSuppression', [...graph.inputs, graph.ints(most), ...limits], attributes)
  graph.last('Cast', [places], { to: 1 })
  graph.varies([undefined, 3])
}

function where(graph: OnnxGraph): void {
  const [condition, ...choices] = graph.inputs
  graph.last('Where', [graph.node('Cast', [condition], { to: 9 }), ...choices])
}

const moments = ['ReduceMean', 'Sub', 'Mul', 'Add', 'Sqrt', 'Div']

export const own: Exporters = {
  Broadcast: { write: broadcast, ops: [...Object.values(BROADCASTS), 'Cast'] },
  Gather: { write: gather, ops: ['Gather'] },
  Gelu: { write: gelu, ops: ['Div', 'Erf', 'Pow', 'Tanh', 'Add', 'Mul'] },
  GroupNorm: { write: groupNorm, ops: ['Reshape', ...moments] },
  InstanceNorm: { write: instanceNorm, ops: ['InstanceNormalization', 'Reshape'] },
  LayerNorm: { write: layerNorm, ops: moments, note: 'one operator of its own there is from opset 17 on' },
  MatMul: { write: matMul, ops: ['MatMul', 'Transpose'] },
  NonMaxSuppression: { write: nonMaxSuppression, ops: ['NonMaxSuppression', 'Cast'] },
  Padding: { write: padding, ops: ['Pad'] },
  Reduce: { write: reduce, ops: [...Object.values(REDUCTIONS), 'Cast'] },
  Resize: { write: resize, ops: ['Resize', 'Shape', 'Slice', 'Concat'] },
  StridedSlice: { write: stridedSlice, ops: ['Slice'] },
  TopK: { write: topK, ops: ['TopK', 'Cast'] },
  Unary: { write: unary, ops: Object.values(FUNCTIONS) },
  Where: { write: where, ops: ['Cast', 'Where'] },
}
