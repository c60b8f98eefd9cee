import { FormatError } from '../errors.js'
import type { BlobProto, Type } from '../generated/caffe.js'
import { fromHalves } from './halves.js'

const MAX_AXES = 32
const MAX_COUNT = 2 ** 31 - 1

const isLegacy = (proto: BlobProto): boolean =>
  (proto.num ?? proto.channels ?? proto.height ?? proto.width) !== undefined

const legacyShape = ({ num = 0, channels = 0, height = 0, width = 0 }: BlobProto): number[] => [
  num,
  channels,
  height,
  width,
]

/**
 * The axis sizes: num × channels × height × width if any of the four is written, else `shape`, which is [] for a single
 * value.
 */
export function blobShape(proto: BlobProto, where = 'the blob'): number[] {
  const shape = isLegacy(proto) ? legacyShape(proto) : [...(proto.shape?.dim ?? [])]
  const count = shape.reduce((product, size) => product * size, 1)
  if (shape.length > MAX_AXES || shape.some(size => size < 0) || count > MAX_COUNT)
    throw new FormatError(`${where} has the impossible shape [${shape.slice(0, MAX_AXES + 1).join(', ')}]`)
  return shape
}

/**
 * The values, from `data`, `double_data` or NVCaffe's and OpenCV's `raw_data`; as many as the shape says, or a
 * FormatError. May be a view of the file it came from.
 */
export function blobData(proto: BlobProto, where = 'the blob'): Float32Array {
  const { double_data, data, raw_data, raw_data_type } = proto
  const values = asFloats(double_data, data) ?? fromRaw(raw_data, raw_data_type, `${where}: raw_data`)
  return checkedCount(values ?? new Float32Array(0), proto, where, 'values')
}

/** The gradients, or undefined where none were written. */
export function blobDiff(proto: BlobProto, where = 'the blob'): Float32Array | undefined {
  const { double_diff, diff, raw_diff, raw_diff_type } = proto
  const values = asFloats(double_diff, diff) ?? fromRaw(raw_diff, raw_diff_type, `${where}: raw_diff`)
  return values && checkedCount(values, proto, where, 'gradients')
}

const WIDTHS: Partial<Record<Type, number>> = { FLOAT16: 2, FLOAT: 4, DOUBLE: 8 }

/** Values that stand as bytes, little-endian. */
function fromRaw(bytes: Uint8Array | undefined, type: Type | undefined, where: string): Float32Array | undefined {
  if (!bytes?.length) return undefined
  const width = WIDTHS[type ?? 'BOOL']
  if (!width) throw new FormatError(`${where} is of type ${type ?? 'none'}; it has to be FLOAT, FLOAT16 or DOUBLE`)
  if (bytes.length % width)
    throw new FormatError(`${where}: ${bytes.length} bytes do not make whole values of ${width} bytes`)
  const isPlaced = bytes.byteOffset % width === 0
  const { buffer, byteOffset, length } = isPlaced ? bytes : bytes.slice()
  if (type === 'FLOAT') return new Float32Array(buffer, byteOffset, length / 4)
  if (type === 'DOUBLE') return Float32Array.from(new Float64Array(buffer, byteOffset, length / 8))
  return fromHalves(new Uint16Array(buffer, byteOffset, length / 2))
}

function asFloats(doubles: Float64Array | undefined, floats: Float32Array | undefined): Float32Array | undefined {
  if (doubles?.length) return Float32Array.from(doubles)
  return floats?.length ? floats : undefined
}

function checkedCount(values: Float32Array, proto: BlobProto, where: string, what: string): Float32Array {
  const shape = blobShape(proto, where)
  const count = shape.reduce((product, size) => product * size, 1)
  if (values.length !== count)
    throw new FormatError(
      `${where} has the shape [${shape.join(', ')}] of ${count} values, but ${values.length} ${what}`,
    )
  return values
}

/** The message for an array; `data` and `diff` are not copied. */
export function toBlobProto(shape: readonly number[], data: Float32Array, diff?: Float32Array): BlobProto {
  return { shape: { dim: [...shape] }, data, ...(diff && { diff }) }
}

/**
 * Whether the blob fits an array of this shape. Old files hold all blobs with four axes, shorter shapes at the end:
 * a bias is 1 × 1 × 1 × N, the weights of an inner product 1 × 1 × M × N.
 */
export function sameShape(proto: BlobProto, shape: readonly number[]): boolean {
  const legacy = isLegacy(proto)
  if (legacy && shape.length > 4) return false
  const found = legacy ? legacyShape(proto) : (proto.shape?.dim ?? [])
  const wanted = legacy ? [...Array<number>(4 - shape.length).fill(1), ...shape] : shape
  return found.length === wanted.length && found.every((size, i) => size === wanted[i])
}
