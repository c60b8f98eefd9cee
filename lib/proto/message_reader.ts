import { FormatError } from '../errors.js'
import { shortFloat } from '../system/format.js'
import { ByteReader, MAX_DEPTH } from './byte_reader.js'
import { type FieldInfo, type MessageInfo, type PlainMessage, unknownFields } from './fields.js'
import { LENGTH, wireType } from './wire_type.js'

// The binary form of messages of any schema. Tensor values are taken as blocks of little-endian memory, which is what
// every platform with typed arrays has in practice.

/**
 * Messages and stretches of unknown fields that one file may hold; a file of a few bytes each could otherwise fill the
 * memory.
 */
const MAX_PIECES = 1 << 20

/** Sizes from here on take two bytes to write. */
const LONG = 128

type NumberArray = Float32Array | Float64Array

/** Values of one tensor field that come in several pieces. */
interface Growing {
  values: NumberArray
  length: number
}

/** A message that is being read. */
export interface Open {
  readonly message: PlainMessage
  readonly growing: Map<FieldInfo, Growing>
  /** Where its last unknown field ends. */
  unknownEnd: number
}

/** So many bytes are copied faster one by one. */
const FEW_BYTES = 64

/**
 * Reads a message: a plain object with only the fields that were written. Tensor values and `bytes` are views of the
 * file's bytes where alignment allows. Fields that the schema does not know are kept, byte for byte, under the key
 * `unknownFields`. Subclasses know what is special about a schema.
 */
export class MessageReader {
  protected readonly reader: ByteReader
  /** Names of the fields that lead to where the reader is. */
  private readonly path: string[] = []
  private pieces = 0
  private depth = 0
  /** How many known fields were of another wire type, or enum value, than theirs. */
  protected mismatches = 0
  /** How many fields no message has. */
  protected strangers = 0

  /**
   * `own`: nobody else needs the bytes, so tensor values that do not lie as float32 arrays must are moved to where they
   * do, within `bytes`.
   */
  constructor(
    protected readonly bytes: Uint8Array,
    private readonly own = false,
  ) {
    this.reader = new ByteReader(bytes)
  }

  /**
   * Read the whole, one field a step. A FormatError says where in `file` the bytes are not as they must be.
   */
  *read(info: MessageInfo, file: string): Generator<void, PlainMessage> {
    const { reader } = this
    const open: Open = { message: {}, growing: new Map(), unknownEnd: -1 }
    try {
      while (reader.at < reader.end) {
        this.next(info, open)
        yield
      }
      return this.finish(info, open)
    } catch (error) {
      const at = [info.name, ...this.path].join('.')
      const problem = error instanceof Error ? error.message : String(error)
      throw new FormatError(`${file}: byte ${reader.at} of ${this.bytes.length}, in ${at}: ${problem}`, {
        cause: error,
      })
    }
  }

  /** Read fields up to byte `end` into `message`. */
  protected message(info: MessageInfo, end: number, message: PlainMessage = {}): PlainMessage {
    const { reader } = this
    const outerEnd = reader.end
    reader.end = end
    if (++this.depth > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} messages in messages`)
    if (++this.pieces > MAX_PIECES) throw new Error(`more than ${MAX_PIECES} messages in one file`)
    const open: Open = { message, growing: new Map(), unknownEnd: -1 }
    while (reader.at < end) this.next(info, open)
    this.finish(info, open)
    this.depth--
    reader.end = outerEnd
    return message
  }

  private next(info: MessageInfo, open: Open): void {
    const { reader } = this
    const start = reader.at
    const tag = reader.tag()
    const special = this.special(info, tag, open)
    if (special === 'read') return
    const field = special === 'unknown' ? undefined : info.byNumber.get(tag >>> 3)
    if (field && this.field(field, tag & 7, open)) return
    reader.skip(tag)
    if (field) this.mismatches++
    else if (!special) this.strangers++
    this.keep(open, start)
  }

  /**
   * For fields of which the schema does not tell what they are: whether it has been read, or is unknown, and nothing has.
   */
  protected special(_info: MessageInfo, _tag: number, _open: Open): 'read' | 'unknown' | undefined {
    return undefined
  }

  /** What `read` gives; undefined, with the reader where it was, if it gives nothing or the bytes are wrong for it. */
  protected attempt<T>(read: () => T | undefined): T | undefined {
    const { reader, depth } = this
    const { at, end } = reader
    const steps = this.path.length
    try {
      const found = read()
      if (found !== undefined) return found
    } catch {
      // what is broken is told when it is read otherwise, or kept as it stands
    }
    reader.at = at
    reader.end = end
    this.depth = depth
    this.path.length = steps
    return undefined
  }

  /** All of a message is read. */
  protected finish(info: MessageInfo, { message, growing }: Open): PlainMessage {
    for (const [field, { values, length }] of growing) message[field.name] = values.slice(0, length)
    for (const field of info.required)
      if (message[field.name] === undefined && field.number) throw new Error(`${field.name} is missing`)
    return message
  }

  /** Read one field after its tag; false, with nothing read, if its wire type or enum value is not in the schema. */
  protected field(field: FieldInfo, wire: number, { message, growing }: Open): boolean {
    const { name } = field
    const { reader } = this
    if (field.message) {
      if (wire !== LENGTH) return false
      this.path.push(name)
      const end = reader.sizedEnd()
      // a second piece of a single message adds to the first
      if (field.repeated) append(message, name, this.message(field.message, end))
      else message[name] = this.message(field.message, end, message[name] as PlainMessage | undefined)
      this.path.pop()
      return true
    }
    if (field.repeated && wire === LENGTH && wireType(field) !== LENGTH) {
      this.path.push(name)
      if (field.array) this.block(field, message, growing)
      else for (const end = reader.sizedEnd(); reader.at < end; ) append(message, name, this.packedValue(field, end))
      this.path.pop()
      return true
    }
    if (wire !== wireType(field)) return false
    const start = reader.at
    let value = this.scalar(field)
    if (value === undefined) {
      reader.at = start
      value = this.foreignValue(field, message)
      if (value === undefined) return false
    }
    if (!field.repeated) message[name] = value
    else if (field.array) {
      const list = this.grow(field, message, growing, 1)
      list.values[list.length - 1] = value as number
    } else append(message, name, value)
    return true
  }

  /** The values of a packed tensor field, without going through them one by one. */
  private block(field: FieldInfo, message: PlainMessage, growing: Map<FieldInfo, Growing>): void {
    const { reader, bytes } = this
    const end = reader.sizedEnd()
    const size = end - reader.at
    const ArrayType = field.type === 'double' ? Float64Array : Float32Array
    const width = ArrayType.BYTES_PER_ELEMENT
    if (size % width) throw new Error(`${size} bytes do not make whole ${field.type} values`)
    if (size <= FEW_BYTES && message[field.name] !== undefined) {
      const { values, length } = this.grow(field, message, growing, size / width)
      for (let i = length - size / width; i < length; i++)
        values[i] = field.type === 'double' ? reader.double() : reader.float()
      return
    }
    const offset = bytes.byteOffset + reader.at
    const buffer = bytes.buffer as ArrayBuffer
    const misplaced = offset % width
    let values: NumberArray
    if (misplaced === 0) values = new ArrayType(buffer, offset, size / width)
    else if (this.own && width === 4 && size >= LONG) {
      // over the end of the field's tag and size, three bytes at least, which have been read
      bytes.copyWithin(reader.at - misplaced, reader.at, end)
      values = new ArrayType(buffer, offset - misplaced, size / width)
    } else values = new ArrayType(buffer.slice(offset, offset + size), 0, size / width)
    reader.at = end
    if (message[field.name] === undefined) message[field.name] = values
    else {
      const list = this.grow(field, message, growing, values.length)
      list.values.set(values, list.length - values.length)
    }
  }

  /**
   * Room for `count` more values at the end of a tensor field; doubling keeps many small pieces from being copied over and over.
   */
  private grow(field: FieldInfo, message: PlainMessage, growing: Map<FieldInfo, Growing>, count: number): Growing {
    let list = growing.get(field)
    if (!list) {
      const values = (message[field.name] ?? new Float32Array(0)) as NumberArray
      message[field.name] = values
      growing.set(field, (list = { values, length: values.length }))
    }
    const length = list.length + count
    // the first piece may be a view of the file, so it is never written to: its capacity is its length
    if (length > list.values.length) {
      const values = new (field.type === 'double' ? Float64Array : Float32Array)(
        Math.max(length, 2 * list.values.length, 16),
      )
      values.set(list.values)
      list.values = values
    }
    list.length = length
    return list
  }

  private packedValue(field: FieldInfo, end: number): unknown {
    const value = this.scalar(field)
    if (value === undefined) throw new Error(`an unknown value of ${field.typeName}`)
    if (this.reader.at > end) throw new Error('a value goes beyond the end of its list')
    return value
  }

  /** The value of an enum by a number that the schema does not know; undefined, with nothing read, for one that nobody does. */
  protected foreignValue(_field: FieldInfo, _message: PlainMessage): unknown {
    return undefined
  }

  /** A whole number of 64 bits, which must be one that a number can hold. */
  protected int64(): number {
    return this.reader.int64()
  }

  private scalar(field: FieldInfo): unknown {
    const { reader } = this
    switch (field.type) {
      case 'int32':
        return reader.int32()
      case 'uint32':
        return reader.uint32()
      case 'int64':
        return this.int64()
      case 'float':
        return field.array ? reader.float() : shortFloat(reader.float())
      case 'double':
        return reader.double()
      case 'bool':
        return reader.bool()
      case 'string':
        return reader.string()
      case 'bytes': {
        const end = reader.sizedEnd()
        const { at } = reader
        reader.at = end
        return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + at, end - at)
      }
      default:
        return field.enum?.byNumber.get(reader.int32())
    }
  }

  /** Keep the bytes from `start` up to here as unknown; neighbours make one piece. */
  private keep(open: Open, start: number): void {
    const { at } = this.reader
    const { buffer, byteOffset } = this.bytes
    const kept = (open.message[unknownFields] ??= []) as Uint8Array[]
    const last = kept.at(-1)
    if (last && open.unknownEnd === start)
      kept[kept.length - 1] = new Uint8Array(buffer, last.byteOffset, last.length + at - start)
    else {
      if (++this.pieces > MAX_PIECES) throw new Error(`more than ${MAX_PIECES} unknown fields in one file`)
      kept.push(new Uint8Array(buffer, byteOffset + start, at - start))
    }
    open.unknownEnd = at
  }
}

export function append(message: PlainMessage, name: string, value: unknown): void {
  const list = message[name] as unknown[] | undefined
  if (list) list.push(value)
  else message[name] = [value]
}
