import { FIXED32, FIXED64, GROUP, GROUP_END, LENGTH, VARINT } from './wire_type.js'

/** Groups within groups, and messages within messages, to this depth. */
export const MAX_DEPTH = 100

const MAX_SIZE = 2 ** 31 - 1
const MAX_TAG_BYTES = 5
const MAX_VARINT_BYTES = 10
/** Text up to here is read faster one by one. */
const FEW_BYTES = 64

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The wire format's numbers, texts and tags, one after the other. What is not as it must be is an Error without a place. */
export class ByteReader {
  /** Where it is. */
  at = 0
  /** Where it ends: nothing is read beyond, so this bounds every size and number. */
  end: number
  /** Bits 32 to 63 of the integer that was read last. */
  private high = 0
  private readonly view: DataView

  constructor(readonly bytes: Uint8Array) {
    this.end = bytes.length
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** An integer's low 32 bits, as a signed number. */
  int32(): number {
    const { bytes, end } = this
    this.high = 0
    if (this.at < end && bytes[this.at] < 128) return bytes[this.at++]
    let low = 0
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      if (this.at >= end) throw cutShort()
      const byte = bytes[this.at++]
      if (i < 5) low |= (byte & 127) << (7 * i)
      if (i === 4) this.high = (byte & 127) >> 4
      else if (i > 4) this.high |= (byte & 127) << (7 * i - 32)
      if (byte < 128) return low
    }
    throw new Error('invalid varint encoding: an integer of more than 64 bits')
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  /** A signed integer of 64 bits, if a number can hold it. */
  int64(): number {
    const low = this.int32() >>> 0
    const value = this.high * 2 ** 32 + low
    if (!Number.isSafeInteger(value))
      throw new Error(`the integer ${(BigInt(this.high) << 32n) | BigInt(low)} is beyond 2^53`)
    return value
  }

  /** A signed integer of 64 bits; beyond what a number can hold, the nearest that one can. */
  clampedInt64(): number {
    const low = this.int32() >>> 0
    const value = this.high * 2 ** 32 + low
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  }

  bool(): boolean {
    return this.int32() !== 0 || this.high !== 0
  }

  float(): number {
    return this.view.getFloat32(this.skipped(4), true)
  }

  double(): number {
    return this.view.getFloat64(this.skipped(8), true)
  }

  /** The size of what follows, in bytes. */
  size(): number {
    const size = this.int32() >>> 0
    if (this.high || size > MAX_SIZE) throw new Error('invalid length encoding')
    return size
  }

  /** Read a size; where what it covers ends. */
  sizedEnd(): number {
    const size = this.size()
    const left = this.end - this.at
    if (size > left) throw new Error(`${size} bytes are announced where ${left} are left`)
    return this.at + size
  }

  /** UTF-8 behind its size; what is none is replaced. */
  string(): string {
    const { bytes } = this
    const size = this.size()
    const from = this.skipped(size)
    if (size < FEW_BYTES) {
      let text = ''
      for (let i = from; ; i++) {
        if (i === this.at) return text
        if (bytes[i] > 127) break
        text += String.fromCharCode(bytes[i])
      }
    }
    const whole = bytes.subarray(from, this.at)
    // decoders take no view of shared memory
    return decoder.decode(bytes.buffer instanceof ArrayBuffer ? whole : whole.slice())
  }

  /** A field's number and wire type, as number · 8 + type. */
  tag(): number {
    const from = this.at
    const tag = this.int32() >>> 0
    if (this.high || this.at - from > MAX_TAG_BYTES) throw new Error('invalid tag encoding')
    if (tag < 8) throw new Error('illegal tag: field number 0')
    return tag
  }

  /** Pass over the value behind a tag. */
  skip(tag: number, depth = 0): void {
    switch (tag & 7) {
      case VARINT:
        this.int32()
        break
      case FIXED64:
        this.skipped(8)
        break
      case LENGTH:
        this.skipped(this.size())
        break
      case FIXED32:
        this.skipped(4)
        break
      case GROUP:
        if (depth === MAX_DEPTH) throw new Error('max depth exceeded: too many groups in groups')
        for (;;) {
          const next = this.tag()
          if ((next & 7) !== GROUP_END) this.skip(next, depth + 1)
          else if (next >>> 3 === tag >>> 3) return
          else throw new Error('invalid end group tag: another group ends')
        }
      default:
        throw new Error(`invalid wire type ${tag & 7}`)
    }
  }

  /** Go on by so many bytes; where they begin. */
  private skipped(count: number): number {
    const from = this.at
    if (count > this.end - from) throw cutShort()
    this.at = from + count
    return from
  }
}

const cutShort = (): Error => new Error('it is cut short')
