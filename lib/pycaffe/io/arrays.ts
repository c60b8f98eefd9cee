import ndarray, { type NdArray, type TypedArray } from 'ndarray'
import { RistrettoError } from '../../errors.js'
import { copyValues, countOf, isNdArray, type Values } from '../../system/ndarrays.js'

/** An array of float32 values in row-major order. */
export interface DenseArray {
  readonly data: Float32Array
  readonly shape: readonly number[]
}

/** The values of an ndarray (any element type, any strides) in row-major order; not copied if they are so already. */
export function dense(values: NdArray | DenseArray): DenseArray {
  if (!isNdArray(values)) {
    const { data, shape } = (values ?? {}) as Partial<DenseArray>
    if (data !== undefined && Array.isArray(shape)) return values
    throw noArray(values)
  }
  const { shape } = values
  const count = countOf(values)
  if (values.data instanceof Float32Array && isRowMajor(values)) {
    const { data, offset } = values
    return { data: data.length === count ? data : data.subarray(offset, offset + count), shape }
  }
  const data = new Float32Array(count)
  copyValues(values, data)
  return { data, shape }
}

/** What to do with what is no picture yet. */
function noArray(value: unknown): RistrettoError {
  if (typeof value === 'string' || value instanceof URL)
    return new RistrettoError(`'${value}' is a file's name, not its picture: await loadImage('${value}') reads it`)
  const what =
    value instanceof Promise ? 'a promise: await it first' : typeof value === 'object' ? 'none' : String(value)
  return new RistrettoError(`a picture is an ndarray of H × W × C values, as loadImage gives it; this is ${what}`)
}

/** The shape of numbers, nested arrays or an ndarray. */
export function shapeOf(values: Values): number[] {
  if (isNdArray(values)) return [...values.shape]
  const first = (values as ArrayLike<unknown>)[0]
  return typeof first === 'object' && first !== null ? [values.length, ...shapeOf(first as Values)] : [values.length]
}

export function rowMajorStrides(shape: readonly number[]): number[] {
  const stride = Array<number>(shape.length)
  for (let i = shape.length - 1, step = 1; i >= 0; i--) {
    stride[i] = step
    step *= shape[i]
  }
  return stride
}

/** Whether the values follow each other without gaps, last axis fastest. */
export function isRowMajor({ shape, stride }: NdArray): boolean {
  const expected = rowMajorStrides(shape)
  return shape.every((size, i) => size === 1 || stride[i] === expected[i])
}

/**
 * An ndarray over any typed array; a plain object with the same fields where a content-security policy forbids
 * ndarray's own code.
 */
export function typedNdArray<T extends TypedArray>(
  data: T,
  shape: readonly number[],
  stride = rowMajorStrides(shape),
): NdArray<T> {
  try {
    return ndarray(data, [...shape], stride) as NdArray<T>
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    const dtype = data.constructor.name.replace('Array', '').toLowerCase()
    const plain = { data, shape: [...shape], stride, offset: 0, size: data.length, dimension: shape.length, dtype }
    return plain as unknown as NdArray<T>
  }
}

/** The values with their axes in another order: axis i of the result is axis order[i] of `array`. */
export function transposed({ data, shape }: DenseArray, order: readonly number[]): DenseArray {
  const from = rowMajorStrides(shape)
  const result = order.map(axis => shape[axis])
  const stride = order.map(axis => from[axis])
  const values = new Float32Array(data.length)
  copyValues({ data, shape: result, stride, offset: 0 } as unknown as NdArray, values)
  return { data: values, shape: result }
}

/** H × W × C of an image; a grey one may lack the last axis. */
export function imageSize(
  shape: readonly number[],
  what = 'the image',
): readonly [height: number, width: number, channels: number] {
  const [height, width, channels = 1] = shape
  if (shape.length < 2 || shape.length > 3 || !(height > 0 && width > 0 && channels > 0))
    throw new RistrettoError(`${what} must be height × width × channels, not [${shape.join(', ')}]`)
  return [height, width, channels]
}
