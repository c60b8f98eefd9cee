import type { NdArray } from 'ndarray'
import { RistrettoError } from '../../errors.js'
import { isFields, mustTake, whatIs } from '../../system/arguments.js'
import { copyValues, countOf, named, ndarrayOf, type Values } from '../../system/ndarrays.js'
import { type DenseArray, dense, shapeOf, transposed } from './arrays.js'
import { resize } from './image.js'

/** What a Transformer does with the images of one input; what is left out is not done. */
export interface TransformerSteps {
  transpose?: readonly number[]
  channelSwap?: readonly number[]
  rawScale?: number
  /** One value a channel, or one for every value of the input. */
  mean?: Float32Array
  inputScale?: number
}

/**
 * Brings images into the form that a net wants, in pycaffe's order:
 * resize → transpose → channel swap → raw scale → mean → input scale.
 *
 *     const transformer = new Transformer({ data: net.blobs['data'].shape })
 *     transformer.setTranspose('data', [2, 0, 1])       // H × W × C to C × H × W
 *     transformer.setChannelSwap('data', [2, 1, 0])     // R G B to B G R
 *     transformer.setRawScale('data', 255)              // 0 … 1 to 0 … 255
 *     transformer.setMean('data', [104, 117, 123])
 *     net.forward({ data: transformer.preprocess('data', await loadImage('cat.jpg')) })
 */
export class Transformer {
  private readonly steps = new Map<string, TransformerSteps>()

  /**
   * A transformer without steps: images pass as they are.
   * @param inputs shape of each input blob, N × C × H × W
   */
  constructor(readonly inputs: Readonly<Record<string, readonly number[]>>) {
    const fits = isFields(inputs) && Object.values(inputs).every(Array.isArray)
    mustTake(fits, 'new Transformer', 'the shape of each input, { data: [1, 3, 227, 227] }', inputs)
    for (const name of Object.keys(inputs)) this.steps.set(name, {})
  }

  /**
   * Order of the axes: axis i of the result is axis order[i] of the image. [2, 0, 1] makes H × W × C into C × H × W.
   */
  setTranspose(input: string, order: readonly number[]): void {
    const steps = this.of(input)
    checkOrder(order, this.inputs[input].length - 1, `the transpose of '${input}'`)
    steps.transpose = [...order]
  }

  /** Order of the channels, the first axis after the transpose: [2, 1, 0] makes R G B into B G R. */
  setChannelSwap(input: string, order: readonly number[]): void {
    const steps = this.of(input)
    checkOrder(order, this.inputs[input][1], `the channel swap of '${input}'`)
    steps.channelSwap = [...order]
  }

  /** Factor before the mean is taken off: 255 for nets that were trained on bytes, since images here are 0 … 1. */
  setRawScale(input: string, scale: number): void {
    this.of(input).rawScale = aFactor(scale, `the raw scale of '${input}'`)
  }

  /**
   * What is taken off: one value a channel, or C × H × W values (brought to the size of the input). In the order of the
   * net's channels.
   */
  setMean(input: string, mean: Values): void {
    const steps = this.of(input)
    const [, channels, height, width] = this.inputs[input]
    const data = named(`the mean of '${input}'`, () => {
      const values = new Float32Array(Math.max(0, countOf(mean)))
      copyValues(mean, values)
      return values
    })
    const given = shapeOf(mean)
    const shape = given.length === 4 && given[0] === 1 ? given.slice(1) : given.length === 2 ? [1, ...given] : given
    if (shape.length === 1) {
      if (shape[0] !== channels)
        throw new RistrettoError(`the mean of '${input}' has ${shape[0]} values, the input has ${channels} channels`)
      steps.mean = data
      return
    }
    if (shape.length !== 3 || (shape[0] !== channels && shape[0] !== 1))
      throw new RistrettoError(
        `the mean of '${input}' is ${given.join('×')}; it must be one value a channel (${channels}), or ${channels}×${height}×${width}`,
      )
    const fitted = transposed(resize(transposed({ data, shape }, [1, 2, 0]), height, width), [2, 0, 1]).data
    steps.mean = shape[0] === channels ? fitted : repeat(fitted, channels)
  }

  /** Factor after the mean is taken off. */
  setInputScale(input: string, scale: number): void {
    this.of(input).inputScale = aFactor(scale, `the input scale of '${input}'`)
  }

  /** An image H × W × C (any size) as the values C × H × W of the input. */
  preprocess(input: string, image: NdArray): NdArray<Float32Array> {
    const { data, shape } = this.prepare(input, dense(image))
    return ndarrayOf(data === image.data ? data.slice() : data, shape)
  }

  /** The same without ndarray. The result may be the image itself where there is nothing to do. */
  prepare(input: string, image: DenseArray): DenseArray {
    const { transpose, channelSwap, rawScale = 1, mean, inputScale = 1 } = this.of(input)
    const [, , height, width] = this.inputs[input]
    let values = image
    if (height !== undefined && width !== undefined) values = resize(values, height, width)
    if (transpose) {
      checkAxes(values, transpose, input)
      values = transposed(values, transpose)
    }
    if (channelSwap) {
      checkChannels(values, channelSwap, input)
      values = swapped(values, channelSwap)
    }
    if (rawScale === 1 && !mean && inputScale === 1) return values
    const step = mean ? meanStep(values, mean, input) : 1
    const result = new Float32Array(values.data.length)
    for (let i = 0; i < result.length; i++) {
      const taken = mean ? mean[Math.floor(i / step)] : 0
      result[i] = (values.data[i] * rawScale - taken) * inputScale
    }
    return { data: result, shape: values.shape }
  }

  /** Values of the input (C × H × W, or 1 × C × H × W) back to an image: preprocess undone, but for the resize. */
  deprocess(input: string, values: NdArray): NdArray<Float32Array> {
    const { transpose, channelSwap, rawScale = 1, mean, inputScale = 1 } = this.of(input)
    const { data, shape } = dense(values)
    const batch = shape.length === this.inputs[input].length && shape[0] === 1
    let result: DenseArray = { data: new Float32Array(data.length), shape: batch ? shape.slice(1) : shape }
    const step = mean ? meanStep(result, mean, input) : 1
    for (let i = 0; i < data.length; i++)
      result.data[i] = (data[i] / inputScale + (mean ? mean[Math.floor(i / step)] : 0)) / rawScale
    if (channelSwap) {
      checkChannels(result, channelSwap, input)
      result = swapped(result, inverted(channelSwap))
    }
    if (transpose) {
      checkAxes(result, transpose, input)
      result = transposed(result, inverted(transpose))
    }
    return ndarrayOf(result.data, result.shape)
  }

  /** What was set for an input. */
  settings(input: string): Readonly<TransformerSteps> {
    return this.of(input)
  }

  private of(input: string): TransformerSteps {
    const steps = this.steps.get(input)
    if (!steps)
      throw new RistrettoError(
        `'${input}' is no input of this Transformer: it has ${[...this.steps.keys()].join(', ') || 'none'}`,
      )
    return steps
  }
}

/** How many values share one value of the mean. */
function meanStep({ data, shape }: DenseArray, mean: Float32Array, input: string): number {
  const step = data.length / mean.length
  if (step !== 1 && mean.length !== shape[0])
    throw new RistrettoError(
      `the mean of '${input}' has ${mean.length} values, the input is ${shape.join('×')}: does it lack setTranspose?`,
    )
  return step
}

/** Channels (first axis) in the given order. */
function swapped({ data, shape }: DenseArray, order: readonly number[]): DenseArray {
  const size = data.length / shape[0]
  const result = new Float32Array(data.length)
  order.forEach((from, to) => result.set(data.subarray(from * size, (from + 1) * size), to * size))
  return { data: result, shape }
}

function repeat(values: Float32Array, times: number): Float32Array {
  const result = new Float32Array(values.length * times)
  for (let i = 0; i < times; i++) result.set(values, i * values.length)
  return result
}

function inverted(order: readonly number[]): number[] {
  const result = Array<number>(order.length)
  order.forEach((from, to) => {
    result[from] = to
  })
  return result
}

function aFactor(scale: number, what: string): number {
  if (!Number.isFinite(scale)) throw new RistrettoError(`${what} is ${whatIs(scale)}: it must be a finite number`)
  return scale
}

function checkOrder(order: readonly number[], length: number, what: string): void {
  if (!Array.isArray(order)) throw new RistrettoError(`${what} is a list of numbers, not ${whatIs(order)}`)
  if (order.length !== length || [...order].sort((a, b) => a - b).some((value, i) => value !== i))
    throw new RistrettoError(`${what} must hold each of 0 … ${length - 1} once, not [${order.join(', ')}]`)
}

function checkAxes({ shape }: DenseArray, order: readonly number[], input: string): void {
  if (shape.length !== order.length)
    throw new RistrettoError(`'${input}' takes values with ${order.length} axes, not [${shape.join(', ')}]`)
}

function checkChannels({ shape }: DenseArray, order: readonly number[], input: string): void {
  if (shape[0] !== order.length)
    throw new RistrettoError(
      `'${input}' takes ${order.length} channels, not the ${shape[0]} of [${shape.join(', ')}]: the channel swap comes after the transpose`,
    )
}
