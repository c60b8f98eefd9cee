import type { Blob } from '../../blob.js'
import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { float, type OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

/** The shape in which a list of channels spreads over axis 1. */
const perChannel = (blob: Blob): number[] => [blob.dim(1), ...Array<number>(blob.numAxes - 2).fill(1)]

/** (x − mean) / √(variance + eps) over these axes; `outside`: eps is added to the deviation. */
export function standardized(
  graph: OnnxGraph,
  x: string,
  axes: readonly number[],
  { eps, outside = false, scale = true }: { eps: number; outside?: boolean; scale?: boolean },
  [output, mean, variance]: readonly (string | undefined)[] = [],
): string {
  const outputOf = (name: string | undefined) => (name === undefined ? undefined : [name])
  const center = graph.node('ReduceMean', [x], { axes, keepdims: 1 }, outputOf(mean))
  const centered = graph.node('Sub', [x, center], {}, scale ? undefined : outputOf(output))
  if (!scale) return centered
  const squares = graph.node('Mul', [centered, centered])
  const spread = graph.node('ReduceMean', [squares], { axes, keepdims: 1 }, outputOf(variance))
  const add = (value: string): string => (eps === 0 ? value : graph.node('Add', [value, graph.scalar(eps)]))
  const deviation = outside ? add(graph.node('Sqrt', [spread])) : graph.node('Sqrt', [add(spread)])
  return graph.node('Div', [centered, deviation], {}, outputOf(output))
}

const allButChannels = (blob: Blob): number[] => blob.shape.map((_, i) => i).filter(i => i !== 1)

function batchNorm(graph: OnnxGraph, layer: Layer): void {
  const p = withDefaults('BatchNormParameter', layer.param.batch_norm_param)
  const [x] = graph.bottom
  const channels = x.dim(1)
  const isScaled = layer.blobs.length > 3
  if (!(p.use_global_stats ?? layer.phase === 'TEST')) {
    const y = isScaled ? undefined : graph.outputs[0]
    const normal = standardized(graph, graph.inputs[0], allButChannels(x), { eps: p.eps }, [y])
    if (!isScaled) return
    const shape = perChannel(x)
    graph.last('Add', [graph.node('Mul', [normal, graph.weight(3, shape)]), graph.weight(4, shape)])
    return
  }
  const [means, variances, weight] = layer.blobs.map(blob => blob.memory.data.values)
  const factor = weight[0] === 0 ? 0 : 1 / weight[0]
  const scaled = (values: Float32Array): Float32Array => values.map(value => value * factor)
  const statistics = [graph.derived(0, [channels], scaled(means)), graph.derived(1, [channels], scaled(variances))]
  const ones = (): string => graph.constant([channels], new Float32Array(channels).fill(1))
  const zeros = (): string => graph.constant([channels], new Float32Array(channels))
  const scale = isScaled ? undefined : graph.takeChannelScale()
  const params = isScaled
    ? [graph.weight(3), graph.weight(4)]
    : scale
      ? [scale.weight(0), scale.layer.blobs.length > 1 ? scale.weight(1) : zeros()]
      : [ones(), zeros()]
  graph.last('BatchNormalization', [graph.inputs[0], ...params, ...statistics], { epsilon: float(p.eps) })
}

/** The shape in which a coefficient spreads over a blob from an axis on. */
function spreadShape(blob: Blob, coefficient: readonly number[], axis: number): number[] {
  if (!coefficient.length) return []
  const first = axis < 0 ? axis + blob.numAxes : axis
  return [...coefficient, ...Array<number>(blob.numAxes - first - coefficient.length).fill(1)]
}

/** The coefficient of a Scale or Bias: a param, or the second bottom. */
function coefficient(graph: OnnxGraph, layer: Layer, axis: number, param: number): string {
  const [x, second] = graph.bottom
  const own = second && param === 0 ? second.shape : layer.blobs[second ? 0 : param].shape
  const shape = spreadShape(x, own, axis)
  if (!second || param > 0) return graph.weight(second ? 0 : param, shape)
  return shape.length === own.length ? graph.inputs[1] : graph.reshape(graph.inputs[1], own, shape)
}

function scale(graph: OnnxGraph, layer: Layer): void {
  const { axis, bias_term } = withDefaults('ScaleParameter', layer.param.scale_param)
  const factors = coefficient(graph, layer, axis, 0)
  if (!bias_term) graph.last('Mul', [graph.inputs[0], factors])
  else graph.last('Add', [graph.node('Mul', [graph.inputs[0], factors]), coefficient(graph, layer, axis, 1)])
}

function bias(graph: OnnxGraph, layer: Layer): void {
  const { axis } = withDefaults('BiasParameter', layer.param.bias_param)
  graph.last('Add', [graph.inputs[0], coefficient(graph, layer, axis, 0)])
}

/** PSPNet's and SegNet's: a scale and a shift for each channel, with the statistics in them or of the batch. */
function bn(graph: OnnxGraph, layer: Layer): void {
  const [x] = graph.bottom
  const shape = perChannel(x)
  const affine = layer.channelAffine()
  if (affine) {
    const scaled = graph.node('Mul', [graph.inputs[0], graph.derived(0, shape, affine.factor)])
    graph.last('Add', [scaled, graph.derived(1, shape, affine.shift)])
    return
  }
  // SegNet's has two blobs, and an eps that no field says
  const eps = layer.blobs.length === 2 ? 1e-9 : withDefaults('BNParameter', layer.param.bn_param).eps
  const [, mean, variance] = graph.outputs
  const axes = allButChannels(x)
  // these tops are 1 × C × 1 × 1 whatever the bottom's axes are
  const flat = x.numAxes === 4
  const normal = standardized(graph, graph.inputs[0], axes, { eps }, flat ? [undefined, mean, variance] : [])
  if (!flat && graph.outputs.length > 1)
    throw graph.error('its statistics as tops have an ONNX form for N × C × H × W alone')
  graph.last('Add', [graph.node('Mul', [normal, graph.weight(0, shape)]), graph.weight(1, shape)])
}

function lrn(graph: OnnxGraph, layer: Layer): void {
  const { local_size: size, alpha, beta, k, norm_region } = withDefaults('LRNParameter', layer.param.lrn_param)
  const [x] = graph.inputs
  if (norm_region !== 'WITHIN_CHANNEL') {
    graph.last('LRN', [x], { size, alpha: float(alpha), beta: float(beta), bias: float(k) })
    return
  }
  const pad = (size - 1) / 2
  const squares = graph.node('Mul', [x, x])
  const mean = graph.node('AveragePool', [squares], {
    kernel_shape: [size, size],
    strides: [1, 1],
    pads: [pad, pad, pad, pad],
    count_include_pad: 1,
  })
  // k is left out, as Caffe leaves it out
  const scale = graph.node('Add', [graph.node('Mul', [mean, graph.scalar(alpha)]), graph.scalar(1)])
  graph.last('Mul', [x, graph.node('Pow', [scale, graph.scalar(-beta)])])
}

function mvn(graph: OnnxGraph, layer: Layer): void {
  const { normalize_variance, across_channels, eps } = withDefaults('MVNParameter', layer.param.mvn_param)
  const [y] = graph.top
  const [from] = graph.bottom
  const x = from.numAxes === 4 ? graph.inputs[0] : graph.reshape(graph.inputs[0], from.shape, y.shape)
  const axes = across_channels ? [1, 2, 3] : [2, 3]
  standardized(graph, x, axes, { eps, outside: true, scale: normalize_variance }, graph.outputs)
}

/** SSD's, with a learned scale, or happynear's, with the norm as a second top. */
function normalize(graph: OnnxGraph, layer: Layer): void {
  const { norm_param, normalize_param } = layer.param
  const [x] = graph.inputs
  const p = withDefaults('NormalizeParameter', norm_param)
  const isAbsolute = withDefaults('ChannelNormalizeParameter', normalize_param).normalize_type === 'L1'
  const across = norm_param !== undefined && p.across_spatial
  const axes = across ? graph.bottom[0].shape.map((_, i) => i).slice(1) : [1]
  const eps = graph.scalar(norm_param ? p.eps : CHANNEL_EPS)
  const sum = graph.node(isAbsolute ? 'ReduceL1' : 'ReduceSumSquare', [x], { axes, keepdims: 1 })
  const norm = isAbsolute
    ? graph.node('Add', [sum, eps], {}, graph.outputs[1] === undefined ? undefined : [graph.outputs[1]])
    : graph.node(
        'Sqrt',
        [graph.node('Add', [sum, eps])],
        {},
        graph.outputs[1] === undefined ? undefined : [graph.outputs[1]],
      )
  if (!norm_param) graph.last('Div', [x, norm])
  else {
    const factors = graph.weight(0, p.channel_shared ? [] : perChannel(graph.bottom[0]))
    graph.last('Mul', [graph.node('Div', [x, norm]), factors])
  }
}

/** What happynear's layer adds to every norm. */
const CHANNEL_EPS = 1e-6

const statistics = ['ReduceMean', 'Sub', 'Mul', 'Add', 'Sqrt', 'Div']

export const normalizations: Exporters = {
  BatchNorm: {
    write: batchNorm,
    ops: ['BatchNormalization', ...statistics],
    note: 'a Scale behind it, with one value a channel, goes into the same node; statistics of the batch in phase TRAIN',
  },
  Bias: { write: bias, ops: ['Add', 'Reshape'] },
  BN: { write: bn, ops: statistics },
  ChannelNorm: {
    write: graph => {
      graph.last('ReduceL2', graph.inputs, { axes: [1], keepdims: 1 })
    },
    ops: ['ReduceL2'],
  },
  LRN: { write: lrn, ops: ['LRN', 'Mul', 'AveragePool', 'Add', 'Pow'] },
  MVN: { write: mvn, ops: ['Reshape', ...statistics] },
  Normalize: { write: normalize, ops: ['ReduceSumSquare', 'ReduceL1', 'Add', 'Sqrt', 'Div', 'Mul'] },
  Scale: { write: scale, ops: ['Mul', 'Add', 'Reshape'] },
}
