import type { NdArray } from 'ndarray'
import { FormatError, RistrettoError } from '../../errors.js'
import { parseLiteral } from '../../proto/param_str.js'
import { mustTake } from '../../system/arguments.js'
import { isRowMajor, rowMajorStrides, typedNdArray } from './arrays.js'

/** What a .npy file is read into: int64 and uint64 become float64, if they fit; bool becomes bytes. */
export type NpyArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

type Get = (view: DataView, at: number, little: boolean) => number

interface Kind {
  readonly size: number
  readonly make: (count: number) => NpyArray
  readonly get: Get
}

const bigInt = (value: bigint): number => {
  const number = Number(value)
  if (!Number.isSafeInteger(number))
    throw new FormatError(`.npy: the integer ${value} is too large for a number here (2^53)`)
  return number
}

const KINDS: Record<string, Kind> = {
  f4: { size: 4, make: n => new Float32Array(n), get: (view, at, little) => view.getFloat32(at, little) },
  f8: { size: 8, make: n => new Float64Array(n), get: (view, at, little) => view.getFloat64(at, little) },
  u1: { size: 1, make: n => new Uint8Array(n), get: (view, at) => view.getUint8(at) },
  b1: { size: 1, make: n => new Uint8Array(n), get: (view, at) => view.getUint8(at) },
  i1: { size: 1, make: n => new Int8Array(n), get: (view, at) => view.getInt8(at) },
  u2: { size: 2, make: n => new Uint16Array(n), get: (view, at, little) => view.getUint16(at, little) },
  i2: { size: 2, make: n => new Int16Array(n), get: (view, at, little) => view.getInt16(at, little) },
  u4: { size: 4, make: n => new Uint32Array(n), get: (view, at, little) => view.getUint32(at, little) },
  i4: { size: 4, make: n => new Int32Array(n), get: (view, at, little) => view.getInt32(at, little) },
  u8: { size: 8, make: n => new Float64Array(n), get: (view, at, little) => bigInt(view.getBigUint64(at, little)) },
  i8: { size: 8, make: n => new Float64Array(n), get: (view, at, little) => bigInt(view.getBigInt64(at, little)) },
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const MAX_HEADER = 2 ** 16
const MAX_AXES = 32

export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte)

/**
 * The array in a .npy file: versions 1 to 3, either byte order, C or Fortran order (which becomes strides).
 * Everything that is not plain numbers is refused with a FormatError.
 */
export function readNpy(bytes: Uint8Array): NdArray<NpyArray> {
  mustTake(bytes instanceof Uint8Array, 'readNpy', 'the bytes of a file', bytes)
  const { descr, fortran, shape, start } = readHeader(bytes)
  const match = /^([<>|=]?)([a-z]\d+)$/.exec(descr)
  const kind = match ? KINDS[match[2]] : undefined
  if (!match || !kind)
    throw new FormatError(
      `.npy: values of type '${descr.slice(0, 40)}' are not supported: save the array as one of ${Object.keys(KINDS).join(', ')}`,
    )
  const count = shape.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(count) || count * kind.size > bytes.length - start)
    throw new FormatError(
      `.npy: the shape (${shape.join(', ')}) of '${descr}' needs ${count * kind.size} bytes, the file has ${bytes.length - start}`,
    )
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, count * kind.size)
  const little = match[1] !== '>'
  const values = kind.make(count)
  for (let i = 0; i < count; i++) values[i] = kind.get(view, i * kind.size, little)
  const stride = fortran ? rowMajorStrides([...shape].reverse()).reverse() : rowMajorStrides(shape)
  return typedNdArray(values, shape, stride)
}

function readHeader(bytes: Uint8Array) {
  if (!isNpy(bytes) || bytes.length < 12)
    throw new FormatError(
      `${bytes.length} bytes that are no .npy file: they start with ${[...bytes.subarray(0, 6)].join(', ')}`,
    )
  const version = bytes[6]
  if (version < 1 || version > 3)
    throw new FormatError(`.npy: version ${version}.${bytes[7]} is not known (1 to 3 are)`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const from = version === 1 ? 10 : 12
  if (length > MAX_HEADER || from + length > bytes.length)
    throw new FormatError(`.npy: the header says it has ${length} bytes, the file has ${bytes.length}`)
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(from, from + length))
  const header = parsed(text)
  const { descr, fortran_order: fortran, shape } = header
  if (typeof descr !== 'string')
    throw new FormatError('.npy: the header gives no simple type (records and objects are not read)')
  if (typeof fortran !== 'boolean') throw new FormatError('.npy: the header gives no fortran_order')
  const sizes = Array.isArray(shape) ? (shape as unknown[]) : undefined
  if (!sizes || sizes.length > MAX_AXES || !sizes.every(size => Number.isSafeInteger(size) && (size as number) >= 0))
    throw new FormatError(`.npy: the header gives the impossible shape ${JSON.stringify(shape)?.slice(0, 80)}`)
  return { descr, fortran, shape: sizes as number[], start: from + length }
}

function parsed(text: string): Record<string, unknown> {
  try {
    // Python 2 wrote sizes as 256L
    const header = parseLiteral(text.replace(/(\d)L\b/g, '$1'), '.npy header')
    if (typeof header === 'object' && header !== null && !Array.isArray(header))
      return header as Record<string, unknown>
  } catch (error) {
    throw new FormatError((error as Error).message, { cause: error })
  }
  throw new FormatError(`.npy: the header is no dictionary: ${text.slice(0, 80)}`)
}

const DESCR: Record<string, string> = {
  Float32Array: '<f4',
  Float64Array: '<f8',
  Uint8Array: '|u1',
  Uint8ClampedArray: '|u1',
  Int8Array: '|i1',
  Int16Array: '<i2',
  Uint16Array: '<u2',
  Int32Array: '<i4',
  Uint32Array: '<u4',
}

/**
 * The bytes of a .npy file (version 1.0, C order) that numpy.load reads, of the array's own type; plain arrays are
 * saved as float64.
 */
export function writeNpy(array: NdArray): Uint8Array {
  mustTake(Array.isArray(array?.shape) && typeof array.data === 'object', 'writeNpy', 'an ndarray', array)
  const source = array.data as ArrayLike<number> & { constructor: { name: string } }
  const descr = Array.isArray(source) ? '<f8' : DESCR[source.constructor.name]
  if (!descr) throw new RistrettoError(`a ${source.constructor.name} cannot be saved as .npy`)
  const { shape } = array
  const dims = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${dims}, }`
  // the values start at a multiple of 64 bytes
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10
  const text = `${dictionary.padEnd(length - 1)}\n`
  const kind = KINDS[descr.slice(1)]
  const count = shape.reduce((product, size) => product * size, 1)
  const bytes = new Uint8Array(10 + length + count * kind.size)
  bytes.set([...MAGIC, 1, 0, length & 255, length >> 8])
  bytes.set(new TextEncoder().encode(text), 10)
  const values = kind.make(count)
  fill(array, values)
  const view = new DataView(bytes.buffer, 10 + length)
  const put = PUT[descr.slice(1)]
  for (let i = 0; i < count; i++) put(view, i * kind.size, values[i])
  return bytes
}

const PUT: Record<string, (view: DataView, at: number, value: number) => void> = {
  f4: (view, at, value) => view.setFloat32(at, value, true),
  f8: (view, at, value) => view.setFloat64(at, value, true),
  u1: (view, at, value) => view.setUint8(at, value),
  i1: (view, at, value) => view.setInt8(at, value),
  u2: (view, at, value) => view.setUint16(at, value, true),
  i2: (view, at, value) => view.setInt16(at, value, true),
  u4: (view, at, value) => view.setUint32(at, value, true),
  i4: (view, at, value) => view.setInt32(at, value, true),
}

/** Values of an ndarray in row-major order, in full precision. */
function fill(array: NdArray, into: NpyArray): void {
  const { shape, stride, offset } = array
  const source = array.data as ArrayLike<number>
  if (isRowMajor(array)) {
    for (let i = 0; i < into.length; i++) into[i] = source[offset + i]
    return
  }
  const index = Array<number>(shape.length).fill(0)
  for (let i = 0, at = offset; i < into.length; i++) {
    into[i] = source[at]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += stride[axis]
      if (++index[axis] < shape[axis]) break
      at -= stride[axis] * shape[axis]
      index[axis] = 0
    }
  }
}
