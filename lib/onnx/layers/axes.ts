import type { Layer } from '../../layer.js'
import { axisOf } from '../../layers/parts/axis.js'
import { withDefaults } from '../../proto/message.js'
import type { OnnxGraph } from '../builder.js'
import type { Exporter, Exporters } from './entry.js'

function concat(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { axis, concat_dim } = withDefaults('ConcatParameter', layer.param.concat_param)
  const written = layer.param.concat_param?.concat_dim === undefined ? axis : concat_dim
  if (graph.inputs.length === 1) return graph.inputs
  graph.last('Concat', graph.inputs, { axis: axisOf(layer, graph.bottom[0], written) })
}

function slice(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { axis } = withDefaults('SliceParameter', layer.param.slice_param)
  const at = layer.param.slice_param?.slice_dim ?? axisOf(layer, graph.bottom[0], axis)
  if (graph.outputs.length === 1) return graph.inputs
  const sizes = graph.top.map(top => top.dim(at))
  graph.node('Split', [graph.inputs[0], graph.ints(...sizes)], { axis: at }, graph.outputs)
}

function crop(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { axis, offset } = withDefaults('CropParameter', layer.param.crop_param)
  const [from] = graph.bottom
  const [to] = graph.top
  const first = axisOf(layer, from, axis)
  const cut = from.shape.flatMap((size, i) => {
    const start = i < first ? 0 : (offset[offset.length === 1 ? 0 : i - first] ?? 0)
    return start === 0 && size === to.dim(i) ? [] : [{ i, start, end: start + to.dim(i) }]
  })
  if (!cut.length) return [graph.inputs[0]]
  const [starts, ends, axes] = [cut.map(c => c.start), cut.map(c => c.end), cut.map(c => c.i)]
  graph.last('Slice', [graph.inputs[0], graph.ints(...starts), graph.ints(...ends), graph.ints(...axes)])
}

const reshape: Exporter = {
  write: graph => {
    graph.reshape(graph.inputs[0], graph.bottom[0].shape, graph.top[0].shape, graph.outputs[0])
  },
  ops: ['Reshape'],
}

function tile(graph: OnnxGraph, layer: Layer): void {
  const { tiles = 1, axis } = withDefaults('TileParameter', layer.param.tile_param)
  const at = axisOf(layer, graph.bottom[0], axis)
  graph.last('Tile', [graph.inputs[0], graph.ints(...graph.bottom[0].shape.map((_, i) => (i === at ? tiles : 1)))])
}

function permute(graph: OnnxGraph, layer: Layer): void {
  const { order } = withDefaults('PermuteParameter', layer.param.permute_param)
  const axes = graph.bottom[0].shape.map((_, i) => i)
  graph.last('Transpose', graph.inputs, { perm: [...order, ...axes.filter(axis => !order.includes(axis))] })
}

/** The bottom seen as another shape, its axes in another order, as the shape of the top. */
function rearrange(graph: OnnxGraph, shape: readonly number[], perm: readonly number[]): void {
  const apart = graph.reshape(graph.inputs[0], graph.bottom[0].shape, shape)
  const turned = graph.node('Transpose', [apart], { perm })
  graph.reshape(
    turned,
    perm.map(axis => shape[axis]),
    graph.top[0].shape,
    graph.outputs[0],
  )
}

function shuffleChannel(graph: OnnxGraph, layer: Layer): void {
  const { group } = withDefaults('ShuffleChannelParameter', layer.param.shuffle_channel_param)
  const [batch, channels] = graph.bottom[0].shape
  rearrange(graph, [batch, group, channels / group, graph.bottom[0].size(2)], [0, 2, 1, 3])
}

function reorg(graph: OnnxGraph, layer: Layer): void {
  const { stride: s = 1, reverse } = withDefaults('ReorgParameter', layer.param.reorg_param)
  const [n, c, h, w] = graph.bottom[0].shape
  if (reverse) rearrange(graph, [n, s, s, c / s / s, h, w], [0, 3, 4, 1, 5, 2])
  else rearrange(graph, [n, c / s / s, h, s, w, s], [0, 3, 5, 1, 2, 4])
}

function flip(graph: OnnxGraph, layer: Layer): readonly string[] | undefined {
  const { flip_width, flip_height } = withDefaults('FlipParameter', layer.param.flip_param)
  const axes = [...(flip_height ? [2] : []), ...(flip_width ? [3] : [])]
  if (!axes.length) return graph.inputs
  const all = (value: number): string => graph.ints(...axes.map(() => value))
  // to before the first one
  graph.last('Slice', [graph.inputs[0], all(-1), all(-(2 ** 31)), graph.ints(...axes), all(-1)])
}

function transpose(graph: OnnxGraph, layer: Layer): void {
  graph.last('Transpose', graph.inputs, { perm: layer.param.transpose_param?.dim ?? [] })
}

function reverse(graph: OnnxGraph, layer: Layer): void {
  const { axis = [] } = layer.param.reverse_param ?? {}
  const axes = axis.length ? [...new Set(axis)] : [0]
  const all = (value: number): string => graph.ints(...axes.map(() => value))
  graph.last('Slice', [graph.inputs[0], all(-1), all(-(2 ** 31)), graph.ints(...axes), all(-1)])
}

function softmax(graph: OnnxGraph, layer: Layer): void {
  const { axis } = withDefaults('SoftmaxParameter', layer.param.softmax_param)
  graph.last('Softmax', graph.inputs, { axis: axisOf(layer, graph.bottom[0], axis) })
}

/** Places of the largest values, or the values; Caffe takes the last of equal ones, ONNX the first: hence backwards. */
function argMax(graph: OnnxGraph, layer: Layer): void {
  const { axis: written, top_k: k, out_max_val } = withDefaults('ArgMaxParameter', layer.param.argmax_param)
  const [x] = graph.bottom
  const [y] = graph.top
  const whole = written === undefined
  const axis = whole ? 1 : axisOf(layer, x, written)
  const size = whole ? x.size(1) : x.dim(axis)
  const flat = [x.dim(0), size]
  const values = whole && x.numAxes !== 2 ? graph.reshape(graph.inputs[0], x.shape, flat) : graph.inputs[0]
  const backwards = graph.slice(values, axis, -1, -(2 ** 31), -1)
  const wantsValues = out_max_val && !whole
  const largest = wantsValues ? graph.outputs[0] : graph.value('largest')
  const places = graph.value('places')
  graph.node('TopK', [backwards, graph.ints(k)], { axis }, [largest, places])
  if (wantsValues) return
  const forwards = graph.node('Sub', [graph.int(size - 1), places])
  if (!whole) graph.last('Cast', [forwards], { to: 1 })
  else if (!out_max_val)
    graph.reshape(graph.node('Cast', [forwards], { to: 1 }), [x.dim(0), k], y.shape, graph.outputs[0])
  else {
    const rows = [graph.node('Cast', [forwards], { to: 1 }), largest]
    const both = graph.node('Concat', rows, { axis: 1 })
    graph.reshape(both, [x.dim(0), 2 * k], y.shape, graph.outputs[0])
  }
}

const REDUCTIONS = { SUM: 'ReduceSum', ASUM: 'ReduceL1', SUMSQ: 'ReduceSumSquare', MEAN: 'ReduceMean' } as const

function reduction(graph: OnnxGraph, layer: Layer): void {
  const { axis, operation, coeff } = withDefaults('ReductionParameter', layer.param.reduction_param)
  const [x] = graph.bottom
  const axes = x.shape.map((_, i) => i).slice(axisOf(layer, x, axis))
  const op = REDUCTIONS[operation]
  const output = coeff === 1 ? [graph.outputs[0]] : undefined
  // of the sum alone the axes are an input by now
  const sum =
    op === 'ReduceSum'
      ? graph.node(op, [graph.inputs[0], graph.ints(...axes)], { keepdims: 0 }, output)
      : graph.node(op, [graph.inputs[0]], { axes, keepdims: 0 }, output)
  if (coeff !== 1) graph.last('Mul', [sum, graph.scalar(coeff)])
}

function batchReindex(graph: OnnxGraph): void {
  graph.last('Gather', [graph.inputs[0], graph.node('Cast', [graph.inputs[1]], { to: 7 })], { axis: 0 })
}

/** Items whose selector is not 0: how many they are, their values say. */
function filter(graph: OnnxGraph): void {
  const selector = graph.bottom.length - 1
  const { shape } = graph.bottom[selector]
  const flat = shape.length === 1 ? graph.inputs[selector] : graph.reshape(graph.inputs[selector], shape, [shape[0]])
  const passes = graph.node('Cast', [flat], { to: 9 })
  graph.top.forEach((top, k) => {
    graph.node('Compress', [graph.inputs[k], passes], { axis: 0 }, [graph.outputs[k]])
    graph.varies([undefined, ...top.shape.slice(1)], k)
  })
}

/** One value for each channel of each item, times a map, plus a map. */
function axpy(graph: OnnxGraph): void {
  const [a, x] = graph.bottom
  const shape = [...a.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)]
  const factors = a.shape.join() === shape.join() ? graph.inputs[0] : graph.reshape(graph.inputs[0], a.shape, shape)
  graph.last('Add', [graph.node('Mul', [graph.inputs[1], factors]), graph.inputs[2]])
}

/** One value for each place of each item, whatever the channel. */
function channelScale(graph: OnnxGraph): void {
  const [x, factors] = graph.bottom
  const shape = [x.dim(0), 1, ...x.shape.slice(2)]
  const spread =
    factors.shape.join() === shape.join() ? graph.inputs[1] : graph.reshape(graph.inputs[1], factors.shape, shape)
  graph.last('Mul', [graph.inputs[0], spread])
}

export const axes: Exporters = {
  ArgMax: { write: argMax, ops: ['Slice', 'TopK', 'Sub', 'Cast', 'Reshape', 'Concat'] },
  Axpy: { write: axpy, ops: ['Reshape', 'Mul', 'Add'] },
  BatchReindex: { write: batchReindex, ops: ['Cast', 'Gather'] },
  ChannelScale: { write: channelScale, ops: ['Reshape', 'Mul'] },
  Concat: { write: concat, ops: ['Concat'] },
  Crop: { write: crop, ops: ['Slice'], note: 'the sizes of the second bottom are those of the export' },
  Filter: { write: filter, ops: ['Cast', 'Compress', 'Reshape'] },
  Flatten: reshape,
  Flip: { write: flip, ops: ['Slice'] },
  Permute: { write: permute, ops: ['Transpose'] },
  Reverse: { write: reverse, ops: ['Slice'] },
  Transpose: { write: transpose, ops: ['Transpose'] },
  Reduction: {
    write: reduction,
    ops: ['ReduceSum', 'ReduceL1', 'ReduceSumSquare', 'ReduceMean', 'Mul'],
  },
  Reorg: { write: reorg, ops: ['Reshape', 'Transpose'] },
  Reshape: reshape,
  ShuffleChannel: { write: shuffleChannel, ops: ['Reshape', 'Transpose'] },
  Slice: { write: slice, ops: ['Split'] },
  Softmax: { write: softmax, ops: ['Softmax'] },
  Tile: { write: tile, ops: ['Tile'] },
}
