import type { Datum } from '../generated/caffe.js'
import { readMessage, type WireOptions, writeMessage } from './wire.js'

/** A Datum as read: `data` is a view of the record, of length 0 where the values are in `float_data`. */
export interface ReadDatum {
  channels: number
  height: number
  width: number
  data: Uint8Array
  label: number
  float_data: Float32Array | undefined
  encoded: boolean
}

const NOTHING = new Uint8Array(0)
const FLOAT_TAG = (6 << 3) | 5

/**
 * Read a record of an image database. This runs once for each training picture, so what conversion tools write is read
 * in one pass without the schema: it allocates nothing but the result and a view of the bytes. Everything else,
 * malformed records included, is left to the general reader.
 */
export function readDatum(bytes: Uint8Array, options?: WireOptions): ReadDatum {
  const datum: ReadDatum = {
    channels: 0,
    height: 0,
    width: 0,
    data: NOTHING,
    label: 0,
    float_data: undefined,
    encoded: false,
  }
  return readFast(bytes, datum) ? datum : readGeneral(bytes, options)
}

function readFast(bytes: Uint8Array, datum: ReadDatum): boolean {
  const end = bytes.length
  let pos = 0
  while (pos < end) {
    const tag = bytes[pos++]
    if (tag === FLOAT_TAG) {
      let stop = pos - 1
      while (stop + 5 <= end && bytes[stop] === FLOAT_TAG) stop += 5
      // false for values in several runs or cut short
      if (datum.float_data || stop < pos + 4) return false
      datum.float_data = taggedFloats(bytes, pos, (stop - pos + 1) / 5)
      pos = stop
      continue
    }
    let value = 0
    let shift = 0
    for (;;) {
      // false for a number cut short, negative or of more than 28 bits
      if (pos >= end || shift > 21) return false
      const byte = bytes[pos++]
      value |= (byte & 127) << shift
      if (byte < 128) break
      shift += 7
    }
    if (tag === 0x08) datum.channels = value
    else if (tag === 0x10) datum.height = value
    else if (tag === 0x18) datum.width = value
    else if (tag === 0x28) datum.label = value
    else if (tag === 0x38) datum.encoded = value !== 0
    else if (tag === 0x22 && value <= end - pos) {
      datum.data = bytes.subarray(pos, pos + value)
      pos += value
    } else return false
  }
  return true
}

/** `count` values from byte `pos` on, each but the first behind a tag of one byte. */
function taggedFloats(bytes: Uint8Array, pos: number, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = view.getFloat32(pos + 5 * i, true)
  return values
}

function readGeneral(bytes: Uint8Array, options?: WireOptions): ReadDatum {
  const {
    channels = 0,
    height = 0,
    width = 0,
    data = NOTHING,
    label = 0,
    float_data,
    encoded = false,
  } = readMessage('Datum', bytes, options)
  return { channels, height, width, data, label, float_data, encoded }
}

/** The record for an image database. */
export function writeDatum(datum: Datum): Uint8Array<ArrayBuffer> {
  return writeMessage('Datum', datum)
}
