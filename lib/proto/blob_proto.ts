import { FormatError } from '../errors.js'
import type { BlobProto } from '../generated/caffe.js'

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
 * The values, from `data` or `double_data`; as many as the shape says, or a FormatError. May be a view of the file it
 * came from.
 */
export function blobData(proto: BlobProto, where = 'the blob'): Float32Array {
  return checkedCount(asFloats(proto.double_data, proto.data) ?? new Float32Array(0), proto, where, 'values')
}

/** The gradients, or undefined where none were written. */
export function blobDiff(proto: BlobProto, where = 'the blob'): Float32Array | undefined {
  const diff = asFloats(proto.double_diff, proto.diff)
  return diff && checkedCount(diff, proto, where, 'gradients')
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
