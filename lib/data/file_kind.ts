import { ByteReader } from '../proto/byte_reader.js'
import type { Hdf5Reader } from './hdf5.js'
import { isHdf5 } from './is_hdf5.js'

/** What a file is, by its content; what it is called does not matter. */
export interface FileKind {
  /**
   * model: weights · state: of a solver · blob: a mean or matrix · datum: one record · hdf5: datasets · prototxt: a net
   * or solver description · other: something known that is none of Caffe's.
   */
  readonly kind: 'model' | 'state' | 'blob' | 'datum' | 'hdf5' | 'prototxt' | 'other'
  /** A phrase for "this is …". */
  readonly text: string
}

const other = (text: string): FileKind => ({ kind: 'other', text })

/** First bytes that tell: offset, bytes, what they say. */
const MAGICS: readonly (readonly [at: number, bytes: readonly number[] | string, text: string])[] = [
  [0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a], 'a PNG picture'],
  [0, [0xff, 0xd8, 0xff], 'a JPEG picture'],
  [0, 'GIF8', 'a GIF picture'],
  [8, 'WEBPVP8', 'a WebP picture'],
  [30, 'info.json', "an archive of a model, which 'classify', 'show' and Net.load take whole"],
  [0, [0x50, 0x4b, 3, 4], 'a zip archive (PyTorch, Keras and .npz files are such)'],
  [0, [0x1f, 0x8b], 'a file packed with gzip: unpack it first'],
  [0, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59], 'a NumPy array (.npy)'],
  [16, [0xde, 0xc0, 0xef, 0xbe], 'an LMDB database'],
  [257, 'ustar', 'a tar archive'],
  [4, 'TFL3', 'a TensorFlow Lite model'],
  [0, [0, 0, 8], 'an idx file, as MNIST comes in'],
  [0, [0x80, 2, 0x8a, 0x0a], 'a PyTorch file'],
  [0, 'version https://git-lfs', 'a pointer of Git LFS, not the file itself: git lfs pull fetches it'],
]

const holds = (bytes: Uint8Array, at: number, magic: readonly number[] | string): boolean =>
  typeof magic === 'string'
    ? [...magic].every((char, i) => bytes[at + i] === char.charCodeAt(0))
    : magic.every((byte, i) => bytes[at + i] === byte)

/**
 * What `bytes` are, or undefined where nothing tells. Costs a look at their beginning and jumps over the first fields;
 * what is in an HDF5 file tells hdf5Kind.
 */
export function fileKind(bytes: Uint8Array): FileKind | undefined {
  if (isHdf5(bytes)) return { kind: 'hdf5', text: 'an HDF5 file' }
  for (const [at, magic, text] of MAGICS) if (holds(bytes, at, magic)) return other(text)
  return isText(bytes) ? textKind(bytes) : messageKind(bytes)
}

/** What an open HDF5 file is. */
export function hdf5Kind(reader: Hdf5Reader): FileKind {
  const names = reader.names()
  if (names.includes('iter') && (names.includes('history') || names.includes('learned_net')))
    return stateKind(reader.text('learned_net'))
  // a model's data is a group of layers
  if (names.includes('data') && !reader.has('data')) return { kind: 'model', text: 'a model' }
  const list = names.slice(0, 5).map(name => `'${name.slice(0, 40)}'`)
  const text = list.length ? `an HDF5 file of ${list.join(', ')}, as HDF5Data layers read it` : 'an empty HDF5 file'
  return { kind: 'hdf5', text }
}

/** Other messages begin with a number and bytes, too: what is no model's name stands in no error. */
export const isModelName = (text: string): boolean => /^[^\n]{1,300}\.caffemodel(\.h5)?$/.test(text)

const stateKind = (model = ''): FileKind => ({
  kind: 'state',
  text: `a solver state${isModelName(model) ? `; its model is '${model}'` : ''}`,
})

/** A binary file of Caffe's has lengths and numbers near its beginning, which are no letters. */
const isText = (bytes: Uint8Array): boolean =>
  bytes.length > 8 && bytes.subarray(0, 256).every(b => b >= 32 || (b >= 9 && b <= 13))

function textKind(bytes: Uint8Array): FileKind {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096))
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) return other('a web page: the download failed')
  if (/^\s*(layers?\s*\{|(name|input|input_dim|force_backward)\s*:)/m.test(text) && !/^\s*base_lr\s*:/m.test(text))
    return { kind: 'prototxt', text: 'text, the prototxt of a net' }
  if (/^\s*(base_lr|lr_policy|max_iter|solver_mode|(train_|test_)?net)\s*:/m.test(text))
    return { kind: 'prototxt', text: 'text, the prototxt of a solver' }
  return other('text')
}

const VARINT = 0
const BYTES = 2
const FLOAT = 5
/** Fields that are looked at: a message tells within its first few. */
const LOOKED_AT = 64

/** By the numbers and wire types of the first fields, which differ between Caffe's messages. */
function messageKind(bytes: Uint8Array): FileKind | undefined {
  /** Wire type by field. */
  const types = new Map<number, number>()
  let text = ''
  try {
    const reader = new ByteReader(bytes)
    for (let i = 0; i < LOOKED_AT && reader.at < reader.end; i++) {
      const tag = reader.uint32()
      const [field, type] = [tag >>> 3, tag & 7]
      if (field === 0 || (type !== VARINT && type !== BYTES && type !== FLOAT && type !== 1)) return undefined
      types.set(field, types.get(field) ?? type)
      if (field === 2 && type === BYTES && !text) {
        const { at } = reader
        const length = reader.size()
        text = new TextDecoder().decode(bytes.subarray(reader.at, reader.at + Math.min(length, 320)))
        reader.at = at
      }
      reader.skip(tag)
    }
  } catch {
    // cut off: its first fields tell all the same
  }
  const is = (field: number, ...wanted: number[]) => wanted.includes(types.get(field) ?? -1)
  if (is(100, BYTES) || (is(1, BYTES) && !is(2, VARINT))) return { kind: 'model', text: 'a model' }
  if (is(1, VARINT) && is(7, BYTES) && !is(5, BYTES, FLOAT)) return other('an ONNX model')
  if (is(1, VARINT) && (is(2, BYTES) || is(3, BYTES))) return stateKind(text)
  if (is(1, VARINT) && is(2, VARINT) && is(3, VARINT) && (is(4, BYTES) || is(6, BYTES, FLOAT) || is(5, VARINT)))
    return { kind: 'datum', text: 'a Datum, one record of a database' }
  if ((is(7, BYTES) || is(1, VARINT)) && is(5, BYTES, FLOAT))
    return { kind: 'blob', text: 'a single blob, as a mean (.binaryproto) is' }
  return undefined
}
