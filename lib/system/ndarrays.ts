import ndarray, { type NdArray } from 'ndarray'
import { RistrettoError } from '../errors.js'
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

/**
 * Number of values, or −1 for nested arrays of uneven length. Throws a RistrettoError that names the place for what is
 * no number where rows stand.
 */
export function countOf(values: Values): number {
  if (isNdArray(values)) return values.shape.reduce((n, d) => n * d, 1)
  if (!isNested(values)) return lengthOf(values)
  const inner = values.map((item, i) => (typeof item === 'number' ? -1 : within(i, () => countOf(item as Values))))
  return inner.every(n => n === inner[0]) ? inner.length * inner[0] : -1
}

/**
 * Copy values into `into` from `at` on, in row-major order; `into` must be long enough (see countOf). NaN and infinities
 * are numbers; null, undefined, holes, booleans, texts, BigInts and objects are a RistrettoError that names the place.
 */
export function copyValues(values: Values, into: Float32Array, at = 0): void {
  if (isNdArray(values)) copyStrided(values, into, at)
  else if (isNested(values))
    for (let i = 0; i < values.length; i++) {
      const item = values[i] as Values
      at += within(i, () => {
        copyValues(item, into, at)
        return countOf(item)
      })
    }
  else {
    if (!isTyped(values)) mustBeNumbers(values as ArrayLike<unknown>)
    into.set(values as ArrayLike<number>, at)
  }
}

/** `task` with a RistrettoError about values said to be of `what`. */
export function named<T>(what: string, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof WrongValue ? new RistrettoError(`${what}: ${error.message}`) : error
  }
}

/** A value that is no number, and where it stands: [2][0]. */
class WrongValue extends RistrettoError {
  constructor(
    readonly place: string,
    readonly value: unknown,
  ) {
    super(`the value ${place ? `at ${place} ` : ''}is ${valueText(value)}, which is no number`)
  }
}

function valueText(value: unknown): string {
  if (value === null) return 'null (JSON writes NaN and Infinity as null)'
  if (value === undefined) return 'undefined'
  if (typeof value === 'string') return `the text '${value.slice(0, 40)}'`
  if (typeof value === 'bigint') return `the BigInt ${value}n (Number(value) makes it a number)`
  if (typeof value === 'boolean') return `${value} (write ${Number(value)})`
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

function within<T>(index: number, task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw error instanceof WrongValue ? new WrongValue(`[${index}]${error.place}`, error.value) : error
  }
}

/** Typed arrays of numbers hold nothing else, and need no look at each value. */
const isTyped = (values: unknown): boolean =>
  ArrayBuffer.isView(values) &&
  !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array)

const isNested = (values: unknown): values is readonly (number | NestedValues)[] =>
  Array.isArray(values) && values.some(item => typeof item === 'object' && item !== null)

function lengthOf(values: unknown): number {
  const { length } = (typeof values === 'object' && values !== null ? values : {}) as { length?: unknown }
  if (typeof length !== 'number') throw new WrongValue('', values)
  return length
}

function mustBeNumbers(values: ArrayLike<unknown>): void {
  for (let i = 0; i < lengthOf(values); i++)
    if (typeof values[i] !== 'number') throw new WrongValue(`[${i}]`, values[i])
}

function copyStrided({ data, shape, stride, offset }: NdArray, into: Float32Array, at: number): void {
  const source = data as unknown as ArrayLike<number>
  const last = shape.length - 1
  const typed = isTyped(data)
  const begin = at
  const walk = (axis: number, from: number): void => {
    if (axis > last) {
      if (!typed && typeof source[from] !== 'number') throw new WrongValue(placeIn(shape, at - begin), source[from])
      into[at++] = source[from]
      return
    }
    for (let i = 0; i < shape[axis]; i++, from += stride[axis]) walk(axis + 1, from)
  }
  walk(0, offset)
}

/** [n][c][h][w] of the i-th value. */
function placeIn(shape: readonly number[], i: number): string {
  let text = ''
  for (let axis = shape.length - 1; axis >= 0; i = Math.floor(i / shape[axis--])) text = `[${i % shape[axis]}]${text}`
  return text
}
