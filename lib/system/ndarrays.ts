import ndarray, { type NdArray } from 'ndarray'
import { g6 } from './format.js'

/** What can be copied into a blob: numbers in row-major order, an ndarray with any strides, or nested arrays. */
export type Values = ArrayLike<number> | NdArray | NestedValues
/** [[1, 2], [3, 4]]: all rows of one length. */
export type NestedValues = readonly (number | NestedValues)[]

/**
 * An ndarray over `array`. ndarray generates code for each rank; where a content-security policy forbids that, the
 * result is a plain object with the same `data`, `shape`, `stride`, `offset` and `size`.
 */
export function ndarrayOf(array: Float32Array, shape: readonly number[]): NdArray<Float32Array> {
  try {
    return readable(ndarray(array, [...shape]))
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    const stride = shape.map((_, i) => shape.slice(i + 1).reduce((n, d) => n * d, 1))
    const plain = {
      data: array,
      shape: [...shape],
      stride,
      offset: 0,
      size: array.length,
      dimension: shape.length,
      dtype: 'float32',
    }
    return readable(plain as unknown as NdArray<Float32Array>)
  }
}

/** Node's console asks for this. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Printed, an array shows its shape and first values instead of `[object Object]`, or of how it is stored. */
function readable(view: NdArray<Float32Array>): NdArray<Float32Array> {
  const text = { value: () => `ndarray ${valuesText(view.shape, view.data.subarray(view.offset))}`, configurable: true }
  return Object.defineProperties(view, { toString: text, [INSPECT]: text })
}

/** How many values are shown. */
const FIRST = 8

/** `2×3 (6): 0.5, -1, …`: a shape, how many values it has, and the first of them. */
export function valuesText(shape: readonly number[], values: ArrayLike<number>): string {
  const count = shape.reduce((n, d) => n * d, 1)
  const shown = Array.from({ length: Math.min(count, FIRST) }, (_, i) => g6(values[i]))
  return `${shape.join('×') || 'a single value'} (${count}): ${shown.join(', ')}${count > FIRST ? ', …' : ''}`
}

export function isNdArray(values: unknown): values is NdArray {
  return typeof values === 'object' && values !== null && 'stride' in values && 'offset' in values && 'data' in values
}

/** Number of values, or −1 for nested arrays of uneven length. */
export function countOf(values: Values): number {
  if (isNdArray(values)) return values.shape.reduce((n, d) => n * d, 1)
  if (!Array.isArray(values) || typeof values[0] === 'number') return values.length
  const inner = values.map(item => countOf(item as Values))
  return inner.every(n => n === inner[0]) ? inner.length * (inner[0] ?? 0) : -1
}

/** Copy values into `into` from `at` on, in row-major order; `into` must be long enough (see countOf). */
export function copyValues(values: Values, into: Float32Array, at = 0): void {
  if (isNdArray(values)) copyStrided(values, into, at)
  else if (Array.isArray(values) && typeof values[0] !== 'number') {
    for (const item of values) {
      copyValues(item as Values, into, at)
      at += countOf(item as Values)
    }
  } else into.set(values as ArrayLike<number>, at)
}

function copyStrided({ data, shape, stride, offset }: NdArray, into: Float32Array, at: number): void {
  const source = data as unknown as ArrayLike<number>
  const last = shape.length - 1
  const walk = (axis: number, from: number): void => {
    if (axis > last) {
      into[at++] = source[from]
      return
    }
    for (let i = 0; i < shape[axis]; i++, from += stride[axis]) walk(axis + 1, from)
  }
  walk(0, offset)
}
