import { type Blob, shapeText } from '../../blob.js'
import type { Layer } from '../../layer.js'
import { withDefaults } from '../../proto/message.js'
import { axisOf } from './axis.js'

/** What convolution_param says about space. Arrays run over the spatial axes: those after the channel axis. */
export interface ConvolutionWindow {
  /** The channel axis; all axes before it count as batch. */
  readonly axis: number
  readonly spatialAxes: number
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly pad: readonly number[]
  readonly dilation: readonly number[]
  /** Of a deconvolution: places behind each axis of its top. */
  readonly outputPad: readonly number[]
}

/**
 * Reads kernel, stride, pad and dilation: each once for all spatial axes, once per axis, or as _h and _w where there
 * are two.
 */
export function convolutionWindow(layer: Layer, bottom: Blob): ConvolutionWindow {
  const written = layer.param.convolution_param
  const param = withDefaults('ConvolutionParameter', written)
  const axis = axisOf(layer, bottom, param.axis)
  const spatialAxes = bottom.numAxes - axis - 1

  const sizes = (
    field: string,
    list: readonly number[],
    h: number | undefined,
    w: number | undefined,
    otherwise?: number,
  ): number[] => {
    if (h !== undefined || w !== undefined) {
      const name = field.replace('_size', '')
      if (list.length)
        throw layer.error(`${field} and ${name}_h, ${name}_w say the same: write only one of the two forms`)
      if (spatialAxes !== 2)
        throw layer.error(
          `${name}_h and ${name}_w are for two spatial axes, '${bottom.name}' (${shapeText(bottom.shape)}) has ${spatialAxes}`,
        )
      return [h ?? 0, w ?? 0]
    }
    if (list.length === 0 && otherwise === undefined && spatialAxes > 0)
      throw layer.error(`it needs a ${field}, written once or once per spatial axis`)
    if (list.length > 1 && list.length !== spatialAxes)
      throw layer.error(
        `${field} is given ${list.length} times for ${spatialAxes} spatial axes of '${bottom.name}' (${shapeText(bottom.shape)}): give it once or once per axis`,
      )
    return Array.from({ length: spatialAxes }, (_, i) => list[list.length === 1 ? 0 : i] ?? otherwise ?? 0)
  }
  const positive = (field: string, values: number[]): number[] => {
    if (values.some(value => value < 1))
      throw layer.error(`${field} [${values.join(', ')}] must be at least 1 everywhere`)
    return values
  }
  const stride = positive('stride', sizes('stride', param.stride, written?.stride_h, written?.stride_w, 1))
  const outputPad = sizes('output_pad', param.output_pad, undefined, undefined, 0)
  // more, and a convolution of that size would have another place
  if (outputPad.some((pad, i) => pad >= stride[i]))
    throw layer.error(`output_pad [${outputPad.join(', ')}] must be below the stride [${stride.join(', ')}]`)
  return {
    axis,
    spatialAxes,
    kernel: positive('kernel_size', sizes('kernel_size', param.kernel_size, written?.kernel_h, written?.kernel_w)),
    stride,
    pad: sizes('pad', param.pad, written?.pad_h, written?.pad_w, 0),
    dilation: positive('dilation', sizes('dilation', param.dilation, undefined, undefined, 1)),
    outputPad,
  }
}

/** ⌊(in + 2·pad − dilation·(kernel − 1) − 1) / stride⌋ + 1 along every spatial axis. */
export function convolvedSize(layer: Layer, bottom: Blob, w: ConvolutionWindow): number[] {
  return bottom.shape.slice(w.axis + 1).map((size, i) => {
    const extent = w.dilation[i] * (w.kernel[i] - 1) + 1
    const padded = size + 2 * w.pad[i]
    if (extent > padded)
      throw layer.error(
        `the kernel covers ${extent} values along axis ${w.axis + 1 + i}, but '${bottom.name}' (${shapeText(bottom.shape)}) has ${size}, padded ${padded}`,
      )
    return Math.floor((padded - extent) / w.stride[i]) + 1
  })
}

/**
 * stride·(in − 1) + dilation·(kernel − 1) + 1 − 2·pad + output_pad along every spatial axis: the input that a
 * convolution makes `bottom` of.
 */
export function deconvolvedSize(layer: Layer, bottom: Blob, w: ConvolutionWindow): number[] {
  return bottom.shape.slice(w.axis + 1).map((size, i) => {
    const out = w.stride[i] * (size - 1) + w.dilation[i] * (w.kernel[i] - 1) + 1 - 2 * w.pad[i] + w.outputPad[i]
    if (size < 1 || out < 1)
      throw layer.error(
        `axis ${w.axis + 1 + i} of '${bottom.name}' (${shapeText(bottom.shape)}) would become ${out}: nothing is left`,
      )
    return out
  })
}

/** One size per spatial axis; a convolution without any is one over a single place. */
export function atLeastOneAxis(sizes: readonly number[], missing: number): readonly number[] {
  return sizes.length ? sizes : [missing]
}
