import type { Layer } from '../../layer.js'
import { pooledSize, poolingWindow } from '../../layers/parts/pooling_window.js'
import { withDefaults } from '../../proto/message.js'
import type { OnnxGraph } from '../builder.js'
import type { Exporters } from './entry.js'

type Pair = readonly [number, number]

interface Pool {
  readonly size: readonly number[]
  readonly output: readonly number[]
  readonly kernel: Pair
  readonly stride: Pair
  readonly pad: Pair
}

const AXES = [0, 1] as const

/** Padding behind the picture that the last window needs: explicit, because programs read ceil_mode in several ways. */
function endPads(graph: OnnxGraph, { size, output, kernel, stride, pad }: Pool): number[] {
  for (const i of AXES)
    if ((output[i] - 1) * stride[i] >= size[i] + pad[i])
      throw graph.error(
        `the last window along axis ${2 + i} begins behind the picture, which has no ONNX form: use a stride of at most the kernel size`,
      )
  return AXES.map(i => Math.max(0, (output[i] - 1) * stride[i] + kernel[i] - size[i] - pad[i]))
}

function maxPool(graph: OnnxGraph, x: string, pool: Pool, outputs?: readonly string[]): string {
  const { kernel, stride, pad } = pool
  const attributes = { kernel_shape: kernel, strides: stride, pads: [...pad, ...endPads(graph, pool)] }
  return graph.node('MaxPool', [x], attributes, outputs)
}

/**
 * Caffe divides by the part of a window that lies within the padded picture, or, without `counts`, within the picture.
 */
function averagePool(graph: OnnxGraph, x: string, pool: Pool, outputs?: readonly string[], counts = true): string {
  const { kernel, stride, pad, size, output } = pool
  if (!counts) {
    const pads = [...pad, ...endPads(graph, pool)]
    return graph.node(
      'AveragePool',
      [x],
      { kernel_shape: kernel, strides: stride, pads, count_include_pad: 0 },
      outputs,
    )
  }
  const padded = size.map((n, i) => n + 2 * pad[i])
  const isPadded = pad[0] > 0 || pad[1] > 0
  const allWhole = AXES.every(i => Math.floor((padded[i] - kernel[i]) / stride[i]) + 1 === output[i])
  if (isPadded && allWhole) {
    const attributes = { kernel_shape: kernel, strides: stride, pads: [...pad, ...pad], count_include_pad: 1 }
    return graph.node('AveragePool', [x], attributes, outputs)
  }
  const whole = isPadded ? graph.node('Pad', [x, graph.ints(0, 0, ...pad, 0, 0, ...pad)]) : x
  const ends = endPads(graph, { ...pool, size: padded, pad: [0, 0] })
  const attributes = { kernel_shape: kernel, strides: stride, pads: [0, 0, ...ends], count_include_pad: 0 }
  return graph.node('AveragePool', [whole], attributes, outputs)
}

function pooling(graph: OnnxGraph, layer: Layer): void {
  const { pool: method, count_include_pad: counts } = withDefaults('PoolingParameter', layer.param.pooling_param)
  const window = poolingWindow(layer)
  const [x] = graph.bottom
  if (method === 'STOCHASTIC') throw graph.error('pool: STOCHASTIC has no ONNX form: choose MAX or AVE')
  const size = x.shape.slice(2)
  const pool = {
    ...window,
    size,
    output: graph.top[0].shape.slice(2),
    kernel: window.kernel ?? ([size[0], size[1]] as const),
  }
  if (!window.kernel && graph.top.length === 1)
    graph.last(method === 'MAX' ? 'GlobalMaxPool' : 'GlobalAveragePool', graph.inputs)
  else if (method === 'AVE') averagePool(graph, graph.inputs[0], pool, graph.outputs, counts)
  else if (graph.top.length === 1) maxPool(graph, graph.inputs[0], pool, graph.outputs)
  else {
    const places = graph.value('places')
    maxPool(graph, graph.inputs[0], pool, [graph.outputs[0], places])
    // ONNX counts through all planes
    graph.last('Cast', [graph.node('Mod', [places, graph.int(size[0] * size[1])])], { to: 1 }, 1)
  }
}

function pyramid(graph: OnnxGraph, layer: Layer): void {
  const { pyramid_height: height = 0, pool: method } = withDefaults('SPPParameter', layer.param.spp_param)
  const [x] = graph.bottom
  const [N, C, ...size] = x.shape
  const pools = method === 'MAX' ? maxPool : averagePool
  const parts = Array.from({ length: height }, (_, level) => {
    const bins = 2 ** level
    const kernel = size.map(n => Math.ceil(n / bins)) as [number, number]
    const pad = size.map((n, i) => Math.floor((kernel[i] * bins - n + 1) / 2)) as [number, number]
    const output = pooledSize(layer, x, { kernel, stride: kernel, pad, roundUp: true })
    const pool = { size, output, kernel, stride: kernel, pad }
    if (height === 1) return pools(graph, graph.inputs[0], pool, graph.outputs)
    const y = pools(graph, graph.inputs[0], pool)
    return graph.reshape(y, [N, C, ...output], [N, C * output[0] * output[1]])
  })
  if (height > 1) graph.last('Concat', parts, { axis: 1 })
}

/** Values go to the places that a max Pooling took them from; all others are 0. */
function unpool(graph: OnnxGraph): void {
  const [x] = graph.bottom
  const [y] = graph.top
  const [N, C] = x.shape
  const [from, to] = [x.size(2), y.size(2)]
  const values = graph.reshape(graph.inputs[0], x.shape, [N, C, from])
  const places = graph.node('Cast', [graph.reshape(graph.inputs[1], x.shape, [N, C, from])], { to: 7 })
  const planes = graph.slice(graph.node('Shape', [values]), 0, 0, 2)
  const shape = graph.node('Concat', [planes, graph.ints(to)], { axis: 0 })
  const zeros = graph.node('ConstantOfShape', [shape])
  graph.reshape(
    graph.node('ScatterElements', [zeros, places, values], { axis: 2 }),
    [N, C, to],
    y.shape,
    graph.outputs[0],
  )
}

/** Every value becomes a square of itself. */
export function enlarge(graph: OnnxGraph, factor: number): void {
  const scales = graph.constant([4], [1, 1, factor, factor])
  graph.last('Resize', [graph.inputs[0], '', scales], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  })
}

function upsample(graph: OnnxGraph, layer: Layer): void {
  if (graph.bottom.length === 2) unpool(graph)
  else enlarge(graph, layer.param.upsample_param?.scale ?? 1)
}

export const poolings: Exporters = {
  Pooling: {
    write: pooling,
    ops: ['MaxPool', 'AveragePool', 'GlobalMaxPool', 'GlobalAveragePool', 'Pad', 'Mod', 'Cast'],
    note: 'no STOCHASTIC, and no window that lies behind the picture',
  },
  SPP: { write: pyramid, ops: ['MaxPool', 'AveragePool', 'Pad', 'Reshape', 'Concat'] },
  Upsample: {
    write: upsample,
    ops: ['Resize', 'Reshape', 'Cast', 'Shape', 'Slice', 'Concat', 'ConstantOfShape', 'ScatterElements'],
  },
  UpsampleDarknet: {
    write: (graph, layer) =>
      enlarge(graph, withDefaults('UpsampleDarknetParameter', layer.param.upsample_darknet_param).stride),
    ops: ['Resize'],
  },
}
