import type { NdArray } from 'ndarray'
import { fileKind } from '../../data/file_kind.js'
import { isInt32 } from '../../data/image_list.js'
import { FormatError, RistrettoError } from '../../errors.js'
import type { BlobProto, Datum } from '../../generated/caffe.js'
import { blobData, blobDiff, blobShape, toBlobProto } from '../../proto/blob_proto.js'
import { readMessage, writeMessage } from '../../proto/wire.js'
import { isFields, mustTake, whatIs } from '../../system/arguments.js'
import { type FileOptions, type FileSource, fileName, filesFor } from '../../system/files.js'
import { isNdArray, ndarrayOf } from '../../system/ndarrays.js'
import { dense, typedNdArray } from './arrays.js'
import { isNpy, readNpy } from './npy.js'

/** The values (or with `returnDiff` the gradients) of a BlobProto, given as a message or as the bytes of one. */
export function blobProtoToArray(blob: BlobProto | Uint8Array, returnDiff = false): NdArray<Float32Array> {
  mustTake(isFields(blob), 'blobProtoToArray', 'a BlobProto, or the bytes of one', blob)
  const proto = blob instanceof Uint8Array ? readMessage('BlobProto', blob) : blob
  const values = returnDiff ? blobDiff(proto) : blobData(proto)
  if (!values) throw new RistrettoError('this BlobProto holds no gradients')
  return ndarrayOf(values.slice(), blobShape(proto))
}

/** The BlobProto of an array of any shape; writeMessage('BlobProto', …) makes bytes of it. */
export function arrayToBlobProto(array: NdArray, diff?: NdArray): BlobProto {
  for (const given of diff ? [array, diff] : [array]) mustBeNdArray(given, 'a BlobProto')
  if (diff && diff.shape.join() !== array.shape.join())
    throw new RistrettoError(`the gradients are ${diff.shape.join('×')}, the values ${array.shape.join('×')}`)
  return toBlobProto(array.shape, dense(array).data.slice(), diff && dense(diff).data.slice())
}

function mustBeNdArray(array: NdArray, what: string): void {
  if (!isNdArray(array)) throw new RistrettoError(`${what} is made of an ndarray, not of ${whatIs(array)}`)
}

/** Bytes of a BlobProtoVector that holds the arrays. */
export function arrayListToBlobProtoVector(arrays: readonly NdArray[]): Uint8Array {
  mustTake(Array.isArray(arrays), 'arrayListToBlobProtoVector', 'a list of ndarrays', arrays)
  return writeMessage('BlobProtoVector', { blobs: arrays.map(array => arrayToBlobProto(array)) })
}

/** The arrays in the bytes of a BlobProtoVector. */
export function blobProtoVectorToArrayList(bytes: Uint8Array): NdArray<Float32Array>[] {
  mustTake(bytes instanceof Uint8Array, 'blobProtoVectorToArrayList', 'bytes', bytes)
  return (readMessage('BlobProtoVector', bytes).blobs ?? []).map(blob => blobProtoToArray(blob))
}

/** The Datum of an array C × H × W: bytes if it is an array of bytes, else float_data. */
export function arrayToDatum(array: NdArray, label?: number): Datum {
  mustBeNdArray(array, 'a Datum')
  if (label !== undefined && !isInt32(label))
    throw new RistrettoError(`the label of a Datum is a whole number of 32 bits, not ${String(label)}`)
  if (array.shape.length !== 3)
    throw new RistrettoError(`a Datum holds channels × height × width values, not [${array.shape.join(', ')}]`)
  const [channels, height, width] = array.shape
  const { data } = dense(array)
  const isBytes = array.data instanceof Uint8Array || array.data instanceof Uint8ClampedArray
  const values = isBytes ? { data: Uint8Array.from(data) } : { float_data: data.slice() }
  return { channels, height, width, ...values, ...(label !== undefined && { label }) }
}

/** The values of a Datum (a message or its bytes), C × H × W: bytes or float32. Its label is in `datum.label`. */
export function datumToArray(datum: Datum | Uint8Array): NdArray<Uint8Array> | NdArray<Float32Array> {
  mustTake(isFields(datum), 'datumToArray', 'a Datum, or the bytes of one', datum)
  const message = datum instanceof Uint8Array ? readMessage('Datum', datum) : datum
  const { channels = 0, height = 0, width = 0, data, float_data, encoded } = message
  if (encoded)
    throw new FormatError('this Datum holds a picture file (encoded: true): loadImage(datum.data) decodes it')
  const shape = [channels, height, width]
  const values = data?.length ? data : (float_data ?? new Float32Array(0))
  if (values.length !== channels * height * width)
    throw new FormatError(`this Datum says ${shape.join('×')}, but holds ${values.length} values`)
  return values instanceof Uint8Array ? typedNdArray(values.slice(), shape) : ndarrayOf(values.slice(), shape)
}

/** A mean, for Transformer.setMean: from a .binaryproto file (a leading axis of 1 is dropped) or a .npy file. */
export async function loadMean(source: FileSource, options: FileOptions = {}): Promise<NdArray<Float32Array>> {
  const bytes = await filesFor('loadMean', options).read(source)
  const found = isNpy(bytes) ? undefined : fileKind(bytes)
  if (found && found.kind !== 'blob')
    throw new FormatError(`${fileName(source)}: this is ${found.text}; a mean is a .binaryproto or .npy file`)
  const { data, shape } = dense(isNpy(bytes) ? (readNpy(bytes) as NdArray) : blobProtoToArray(bytes))
  return ndarrayOf(data, shape.length === 4 && shape[0] === 1 ? shape.slice(1) : shape)
}
