import type { NdArray } from 'ndarray'
import type { Blob } from '../blob.js'
import { RistrettoError } from '../errors.js'
import { copyValues, countOf, isNdArray, named, ndarrayOf, type Values } from '../system/ndarrays.js'

/**
 * Values by blob name, as ndarrays on buffers of their own. Without code generation they are plain objects: see
 * docs/csp.md.
 */
export type Arrays = Record<string, NdArray<Float32Array>>

/** Why values cannot be what a pass is given; undefined if they can. */
export function refuseValues(values: Record<string, Values>, inputs: readonly string[]): RistrettoError | undefined {
  if (
    typeof values !== 'object' ||
    values === null ||
    Array.isArray(values) ||
    ArrayBuffer.isView(values) ||
    isNdArray(values)
  )
    return new RistrettoError(`values are given by name: { ${inputs[0] ?? 'data'}: values }`)
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'object' && value !== null && !(value instanceof Promise)) continue
    const given =
      value instanceof Promise
        ? 'a promise: await it first'
        : value === null || value === undefined
          ? value
          : `a ${typeof value}`
    return new RistrettoError(`blob '${name}' takes an array, an ndarray or nested arrays of numbers, not ${given}`)
  }
  return undefined
}

/** The values as they are now, on buffers of their own. */
export function copiesOf(values: Record<string, Values>): Record<string, Values> {
  const copies: Record<string, Values> = Object.create(null)
  for (const [name, value] of Object.entries(values)) {
    const copy = named(`blob '${name}'`, () => {
      const copy = new Float32Array(Math.max(0, countOf(value)))
      // what is uneven is refused with the blob's shape beside it
      if (copy.length) copyValues(value, copy)
      return copy
    })
    copies[name] = isNdArray(value) ? ndarrayOf(copy, value.shape) : copy
  }
  return copies
}

/** Copy values into the data or the diff of a blob. Throws a RistrettoError where the counts differ. */
export function writeValues(blob: Blob, values: Values, into: Float32Array): void {
  const count = named(`blob '${blob.name}'`, () => countOf(values))
  if (count !== into.length)
    throw new RistrettoError(
      `blob '${blob.name}' is ${blob.shape.join('×')} (${into.length} values), but ${count < 0 ? 'the nested arrays are of uneven length' : `${count} values were given`}; net.blobs['${blob.name}'].reshape([…]) changes its shape`,
    )
  named(`blob '${blob.name}'`, () => copyValues(values, into))
}

/** Copies of the data or the diffs of blobs, by their names. */
export async function collect(blobs: readonly Blob[], part: 'data' | 'diff'): Promise<Arrays> {
  const result: [name: string, values: Arrays[string]][] = []
  for (const blob of blobs) {
    const memory = blob.memory[part]
    await memory.pull()
    result.push([blob.name, ndarrayOf(new Float32Array(memory.values), blob.shape)])
  }
  // not assigned one by one: a blob named __proto__ is a blob like any other
  return Object.fromEntries(result)
}
