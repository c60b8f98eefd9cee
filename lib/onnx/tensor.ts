import { FormatError } from '../errors.js'
import type { TensorProto } from '../generated/onnx.js'
import { fromHalves } from '../proto/halves.js'
import { countOf, type Tensor, type TensorData, type TensorType } from './graph.js'

/** Types by their numbers in files. */
const TYPES: readonly TensorType[] = [
  'unknown',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
]

export const typeOf = (number = 0): TensorType => TYPES[number] ?? 'unknown'
export const numberOf = (type: TensorType): number => TYPES.indexOf(type)

const MAX_COUNT = 2 ** 31 - 1
const MAX_AXES = 32

/** The sizes of a file, or a FormatError: none is negative, and there are no more values than memory could hold. */
export function checkedShape(dims: readonly number[], where: string): number[] {
  if (dims.length > MAX_AXES || dims.some(size => size < 0) || countOf(dims) > MAX_COUNT)
    throw new FormatError(`${where} has the impossible shape [${dims.slice(0, MAX_AXES + 1).join(', ')}]`)
  return [...dims]
}

/** Where the bytes of a tensor are, if they are in a file of their own. */
export interface External {
  readonly location: string
  readonly offset: number
  /** undefined: as many as it needs. */
  readonly length: number | undefined
}

/** Where in another file a tensor's bytes are: a path below the folder of the model. */
export function externalOf(proto: TensorProto, where: string): External | undefined {
  if (proto.data_location !== 1) return undefined
  const entries = new Map((proto.external_data ?? []).map(({ key, value }) => [key ?? '', value ?? '']))
  const location = entries.get('location') ?? ''
  const steps = location.split(/[/\\]/)
  if (!location || steps[0] === '' || steps.includes('..') || /^[a-z][a-z0-9+.-]*:/i.test(location))
    throw new FormatError(
      `${where}: its values are in the file '${location}'; only files in the folder of the model, or below it, are read`,
    )
  const whole = (key: string): number | undefined => {
    const text = entries.get(key)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : -1
    if (value < 0) throw new FormatError(`${where}: the ${key} of its values in '${location}' is '${text}'`)
    return value
  }
  return { location, offset: whole('offset') ?? 0, length: whole('length') }
}

/** The bytes that an entry of external data means, of the file that it names. */
export function externalBytes(proto: TensorProto, external: External, file: Uint8Array, where: string): Uint8Array {
  const { location, offset } = external
  const length = external.length ?? countOf(checkedShape(proto.dims ?? [], where)) * widthOf(proto, where)
  if (offset + length > file.length)
    throw new FormatError(
      `${where}: its values are bytes ${offset} to ${offset + length} of '${location}', which has ${file.length}`,
    )
  return file.subarray(offset, offset + length)
}

/** A constant: its values are a view of the file where alignment allows. */
export function tensorOf(proto: TensorProto, where: string): Tensor {
  const type = typeOf(proto.data_type)
  const shape = checkedShape(proto.dims ?? [], where)
  const data = proto.raw_data?.length ? fromBytes(proto, proto.raw_data, where) : fromList(proto, where)
  const count = countOf(shape)
  if (data.length !== count)
    throw new FormatError(
      `${where} has the shape [${shape.join(', ')}] of ${count} values, but ${data.length} are there`,
    )
  return { type, shape, data }
}

/** Bytes of a value, by type. */
const WIDTHS: Partial<Record<TensorType, number>> = {
  float: 4,
  double: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  bool: 1,
}

function widthOf(proto: TensorProto, where: string): number {
  const type = typeOf(proto.data_type)
  const width = WIDTHS[type]
  if (width) return width
  const name = type === 'unknown' ? `type ${proto.data_type ?? 0}` : type
  throw new FormatError(`${where} holds values of ${name}, which are not read`)
}

function fromBytes(proto: TensorProto, given: Uint8Array, where: string): TensorData {
  const width = widthOf(proto, where)
  if (given.length % width)
    throw new FormatError(`${where}: ${given.length} bytes do not make whole values of ${width} bytes`)
  // a copy of memory of its own: the slice of a Buffer is none
  const { buffer, byteOffset } = given.byteOffset % width ? new Uint8Array(given) : given
  const length = given.length / width
  switch (typeOf(proto.data_type)) {
    case 'float':
      return new Float32Array(buffer, byteOffset, length)
    case 'double':
      return new Float64Array(buffer, byteOffset, length)
    case 'float16':
      return fromHalves(new Uint16Array(buffer, byteOffset, length))
    case 'bfloat16':
      return fromBrainFloats(new Uint16Array(buffer, byteOffset, length))
    case 'int8':
      return new Int8Array(buffer, byteOffset, length)
    case 'int16':
      return new Int16Array(buffer, byteOffset, length)
    case 'int32':
      return new Int32Array(buffer, byteOffset, length)
    case 'int64':
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, length), clamped)
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, length)
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'uint64':
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, length), clamped)
    default:
      return new Uint8Array(buffer, byteOffset, length)
  }
}

const clamped = (value: bigint): number =>
  Math.min(Math.max(Number(value), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)

function fromList(proto: TensorProto, where: string): TensorData {
  const { float_data, int32_data = [], int64_data = [], double_data, uint64_data = [] } = proto
  widthOf(proto, where)
  switch (typeOf(proto.data_type)) {
    case 'float':
      return float_data ?? new Float32Array(0)
    case 'double':
      return double_data ?? new Float64Array(0)
    case 'float16':
      return fromHalves(Uint16Array.from(int32_data))
    case 'bfloat16':
      return fromBrainFloats(Uint16Array.from(int32_data))
    case 'int8':
      return Int8Array.from(int32_data)
    case 'int16':
      return Int16Array.from(int32_data)
    case 'int32':
      return Int32Array.from(int32_data)
    case 'int64':
      return Float64Array.from(int64_data)
    case 'uint16':
      return Uint16Array.from(int32_data)
    case 'uint32':
      return Uint32Array.from(uint64_data)
    case 'uint64':
      return Float64Array.from(uint64_data)
    default:
      return Uint8Array.from(int32_data)
  }
}

/** The upper halves of float32. */
function fromBrainFloats(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length)
  const bits = new Uint32Array(values.buffer)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i] << 16
  return values
}

/** The bytes of a constant as a file has them. */
export function bytesOf({ type, data }: Tensor): Uint8Array {
  if (type === 'int64') {
    const whole = BigInt64Array.from(data as Float64Array, BigInt)
    return new Uint8Array(whole.buffer)
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
