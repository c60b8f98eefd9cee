import type { Layer } from '../../layer.js'
import { atLeastOneAxis, convolutionWindow } from '../../layers/parts/convolution_window.js'
import { withDefaults } from '../../proto/message.js'
import type { AttributeValue, OnnxGraph } from '../builder.js'
import { countOf } from '../graph.js'
import type { Exporters } from './entry.js'

interface Window {
  readonly axis: number
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly kernel: readonly number[]
}

function windowOf(graph: OnnxGraph, layer: Layer): Window {
  const window = convolutionWindow(layer, graph.bottom[0])
  const kernel = atLeastOneAxis(window.kernel, 1)
  const pad = atLeastOneAxis(window.pad, 0)
  return {
    axis: window.axis,
    kernel,
    attributes: {
      kernel_shape: kernel,
      strides: atLeastOneAxis(window.stride, 1),
      dilations: atLeastOneAxis(window.dilation, 1),
      pads: [...pad, ...pad],
    },
  }
}

/** ONNX's channels are axis 1, and there is an axis behind it: all axes before ours count as batch. */
const asBatch = (shape: readonly number[], axis: number): number[] => {
  const spatial = shape.slice(axis + 1)
  return [countOf(shape.slice(0, axis)), shape[axis], ...(spatial.length ? spatial : [1])]
}

/** Run `op` on every bottom with the same weights, and reshape around it where the channels are another axis. */
function convolve(graph: OnnxGraph, axis: number, op: (x: string, output?: string) => string): void {
  for (const [i, bottom] of graph.bottom.entries()) {
    const [from, to] = [bottom.shape, graph.top[i].shape]
    if (axis === 1 && from.length > 2) op(graph.inputs[i], graph.outputs[i])
    else
      graph.reshape(
        op(graph.reshape(graph.inputs[i], from, asBatch(from, axis))),
        asBatch(to, axis),
        to,
        graph.outputs[i],
      )
  }
}

function convolution(graph: OnnxGraph, layer: Layer, op: 'Conv' | 'ConvTranspose'): void {
  const param = withDefaults('ConvolutionParameter', layer.param.convolution_param)
  const { axis, kernel, attributes: window } = windowOf(graph, layer)
  const { outputPad } = convolutionWindow(layer, graph.bottom[0])
  const attributes = { ...window, ...(outputPad.some(pad => pad > 0) && { output_padding: outputPad }) }
  const [first, second] = layer.blobs[0].shape
  const params = [graph.weight(0, [first, second, ...kernel]), ...(param.bias_term ? [graph.weight(1)] : [])]
  const channels = graph.bottom[0].dim(axis)
  // a depthwise layer has as many groups as channels, whatever is written
  const group = op === 'Conv' ? channels / second : param.group
  convolve(graph, axis, (x, output) =>
    graph.node(op, [x, ...params], { ...attributes, group }, output ? [output] : undefined),
  )
}

/** Every window as a column: a convolution that picks one value for each channel and place of the window. */
function im2col(graph: OnnxGraph, layer: Layer): void {
  const { axis, kernel, attributes } = windowOf(graph, layer)
  if (kernel.length !== 2)
    throw graph.error(`columns of ${kernel.length} spatial axes have no ONNX form: it has them of pictures alone`)
  const channels = graph.bottom[0].dim(axis)
  const places = countOf(kernel)
  const picks = new Float32Array(channels * places * places)
  for (let row = 0; row < channels * places; row++) picks[row * places + (row % places)] = 1
  const weight = graph.constant([channels * places, 1, ...kernel], picks)
  convolve(graph, axis, (x, output) =>
    graph.node('Conv', [x, weight], { ...attributes, group: channels }, output ? [output] : undefined),
  )
}

function innerProduct(graph: OnnxGraph, layer: Layer): void {
  const { transpose, bias_term } = withDefaults('InnerProductParameter', layer.param.inner_product_param)
  const [x] = graph.bottom
  const [y] = graph.top
  const K = layer.blobs[0].dim(transpose ? 0 : 1)
  const rows = [y.count / y.dim(-1), K]
  const params = [graph.weight(0), ...(bias_term ? [graph.weight(1)] : [])]
  const flat = x.numAxes === 2 && y.numAxes === 2 ? graph.inputs[0] : graph.reshape(graph.inputs[0], x.shape, rows)
  const attributes = { transB: transpose ? 0 : 1 }
  if (y.numAxes === 2) graph.last('Gemm', [flat, ...params], attributes)
  else graph.reshape(graph.node('Gemm', [flat, ...params], attributes), [rows[0], y.dim(-1)], y.shape, graph.outputs[0])
}

function embed(graph: OnnxGraph, layer: Layer): void {
  const { bias_term } = withDefaults('EmbedParameter', layer.param.embed_param)
  const rows = graph.node('Cast', graph.inputs, { to: 7 })
  if (!bias_term) graph.last('Gather', [graph.weight(0), rows])
  else graph.last('Add', [graph.node('Gather', [graph.weight(0), rows]), graph.weight(1)])
}

const depthwise = {
  write: (graph: OnnxGraph, layer: Layer) => convolution(graph, layer, 'Conv'),
  ops: ['Conv', 'Reshape'],
}

export const convolutions: Exporters = {
  Convolution: depthwise,
  ConvolutionDepthwise: depthwise,
  DepthwiseConvolution: depthwise,
  Deconvolution: {
    write: (graph, layer) => convolution(graph, layer, 'ConvTranspose'),
    ops: ['ConvTranspose', 'Reshape'],
  },
  InnerProduct: { write: innerProduct, ops: ['Gemm', 'Reshape'] },
  Embed: { write: embed, ops: ['Cast', 'Gather', 'Add'] },
  Im2col: { write: im2col, ops: ['Conv', 'Reshape'], note: 'two spatial axes' },
}
