import protobuf from 'protobufjs/minimal.js'
import { FormatError } from '../errors.js'
import type { BlobProto, BlobProtoVector, Messages, NetParameter, SolverState } from '../generated/caffe.js'
import {
  dependsOnType,
  isSegNet,
  layerField,
  RFCN_NONE,
  readLoss,
  readNumbers,
  readValues,
  v1Dialects,
  variantOf,
} from './dialects.js'
import { KEPT_TEXT, keep, keptFromText } from './kept.js'
import { unknownFields } from './message.js'
import {
  type FieldInfo,
  type MessageInfo,
  type MessageName,
  messageInfo,
  type PlainMessage,
  shortFloat,
} from './schema.js'
import { LENGTH, VARINT, wireType } from './wire_type.js'

// The binary form of the messages (caffemodel, solverstate, binaryproto), following the plain schema.
// Tensor values are taken and written as blocks of little-endian memory, which is what every platform with typed arrays
// has in practice.

export { writeMessage } from './write.js'

export interface WireOptions {
  /** Name of the file the bytes came from, for error messages. */
  file?: string
  /**
   * Nobody else needs the bytes: tensor values that do not lie as float32 arrays must are moved to where they do,
   * within `bytes`.
   */
  own?: boolean
}

/** Read a model file. Old forms are read as they stand: upgradeNet brings them up to date. */
export function readNetParameter(bytes: Uint8Array, options?: WireOptions): NetParameter {
  return readMessage('NetParameter', bytes, options)
}

/** Read a solver state file. */
export function readSolverState(bytes: Uint8Array, options?: WireOptions): SolverState {
  return readMessage('SolverState', bytes, options)
}

/** Read one array, such as a mean file. */
export function readBlobProto(bytes: Uint8Array, options?: WireOptions): BlobProto {
  return readMessage('BlobProto', bytes, options)
}

export function readBlobProtoVector(bytes: Uint8Array, options?: WireOptions): BlobProtoVector {
  return readMessage('BlobProtoVector', bytes, options)
}

/**
 * Read a message of the given type: a plain object with only the fields that were written.
 * Tensor values and `bytes` are views of `bytes` where alignment allows, so leave these alone while the message is in
 * use. Fields that the schema does not know are kept, byte for byte, under the key `unknownFields`.
 */
export function readMessage<K extends MessageName>(type: K, bytes: Uint8Array, options?: WireOptions): Messages[K] {
  const steps = readMessageSteps(type, bytes, options)
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
}

/** The same in steps, one for each field on top: whoever reads large files can let others have their turn. */
export function* readMessageSteps<K extends MessageName>(
  type: K,
  bytes: Uint8Array,
  { file = `this ${type}`, own }: WireOptions = {},
): Generator<void, Messages[K]> {
  const reader = new MessageReader(bytes, own)
  try {
    return (yield* reader.steps(messageInfo(type), bytes.length)) as Messages[K]
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    const problem = text.startsWith('index out of range') ? 'it is cut short' : text
    throw new FormatError(
      `${file}: byte ${reader.at} of ${bytes.length}, in ${[type, ...reader.path].join('.')}: ${problem}`,
      {
        cause: error,
      },
    )
  }
}

/**
 * Messages and stretches of unknown fields that one file may hold; a file of a few bytes each could otherwise fill the
 * memory.
 */
const MAX_PIECES = 1 << 20
const MAX_VARINT_BYTES = 10

/** Sizes from here on take two bytes to write. */
const LONG = 128

type NumberArray = Float32Array | Float64Array

/** Values of one tensor field that come in several pieces. */
interface Growing {
  values: NumberArray
  length: number
}

/** A message that is being read. */
interface Open {
  readonly message: PlainMessage
  readonly growing: Map<FieldInfo, Growing>
  /** Where its last unknown field ends. */
  unknownEnd: number
}

/** So many bytes are copied faster one by one. */
const FEW_BYTES = 64

class MessageReader {
  /** Names of the fields that lead to where the reader is. */
  readonly path: string[] = []
  private readonly reader: protobuf.Reader
  private pieces = 0
  /** How many known fields were of another wire type, or enum value, than theirs. */
  private mismatches = 0
  /** How many fields no message has. */
  private strangers = 0

  constructor(
    private readonly bytes: Uint8Array,
    private readonly own = false,
  ) {
    this.reader = protobuf.Reader.create(bytes)
  }

  get at(): number {
    return this.reader.pos
  }

  /** Read the fields of the whole, one a step. */
  *steps(info: MessageInfo, end: number): Generator<void, PlainMessage> {
    const open: Open = { message: {}, growing: new Map(), unknownEnd: -1 }
    while (this.reader.pos < end) {
      this.next(info, open)
      yield
    }
    return this.finish(info, open)
  }

  /** Read fields up to byte `end` into `message`. No message of the schema can hold itself, so recursion ends. */
  private message(info: MessageInfo, end: number, message: PlainMessage = {}): PlainMessage {
    const { reader } = this
    const outerEnd = reader.len
    // the reader refuses to go beyond its length, so this bounds every size and number in the message
    reader.len = end
    if (++this.pieces > MAX_PIECES) throw new Error(`more than ${MAX_PIECES} messages in one file`)
    const open: Open = { message, growing: new Map(), unknownEnd: -1 }
    while (reader.pos < end) this.next(info, open)
    this.finish(info, open)
    reader.len = outerEnd
    return message
  }

  private next(info: MessageInfo, open: Open): void {
    const { reader } = this
    const start = reader.pos
    const tag = reader.tag()
    const number = tag >>> 3
    if (info.name === 'LayerParameter' && dependsOnType(number)) {
      if (this.byType(info, number, tag & 7, open)) return
      this.skip(tag)
    } else {
      if (info.name === 'V1LayerParameter' && this.byV1Type(info, number, tag & 7, open)) return
      const field = info.byNumber.get(number)
      if (field && this.field(field, tag & 7, open.message, open.growing)) return
      if (number === KEPT_TEXT && (tag & 7) === LENGTH) {
        keep(open.message, keptFromText(info, reader.string()))
        return
      }
      this.skip(tag)
      if (field) this.mismatches++
      else this.strangers++
    }
    open.unknownEnd = this.keep(open.message, start, open.unknownEnd)
  }

  /**
   * Read a message of a layer whose number says nothing without the layer's type. False, with nothing read, where it is
   * none that is known, or not of that form.
   */
  private byType(info: MessageInfo, number: number, wire: number, { message, growing }: Open): boolean {
    const { reader } = this
    const start = reader.pos
    const type = (message['type'] as string | undefined) ?? this.typeAhead(start, wire)
    const field = layerField(info, number, type)
    if (!field?.message || wire !== LENGTH) return field !== undefined && this.field(field, wire, message, growing)
    const end = this.checkedEnd()
    const begin = reader.pos
    const outerEnd = reader.len
    const variant = variantOf(field.message)
    const forms = variant && isSegNet(message) ? [variant] : variant ? [field.message, variant] : [field.message]
    let found: PlainMessage | undefined
    for (const form of forms) {
      const { mismatches, strangers } = this
      reader.pos = begin
      reader.len = outerEnd
      try {
        const before = message[field.name] as PlainMessage | undefined
        const read = this.message(form, end, before && { ...before })
        if (this.mismatches > mismatches) continue
        if (form === variant) noteNumbers(read, field.message, form)
        // the form that knows all of it, else the first that nothing speaks against
        const knowsAll = this.strangers === strangers
        if (knowsAll || !found) found = read
        if (knowsAll) break
      } catch (error) {
        if (error instanceof FormatError) throw error
      }
    }
    reader.len = outerEnd
    if (!found) {
      reader.pos = start
      return false
    }
    reader.pos = end
    message[field.name] = found
    if (number !== field.number) noteNumber(message, field.name, number)
    return true
  }

  /** The same for an older layer: its type, if its message stands behind it, or the message of the type that was read. */
  private byV1Type(info: MessageInfo, number: number, wire: number, { message, growing }: Open): boolean {
    const { reader } = this
    const start = reader.pos
    if (number === V1_TYPE && wire === VARINT) {
      const value = reader.int32()
      const own = v1Dialects.find(item => item.value === value)
      if (own && this.ahead(start, wire, own.number)) {
        message['type'] = own.type
        noteValue(message, 'type', own.type, value)
        return true
      }
    }
    reader.pos = start
    const own = v1Dialects.find(item => item.number === number && item.type === message['type'])
    if (!own || wire !== LENGTH || !this.field(info.byName.get(own.message)!, wire, message, growing)) return false
    noteNumber(message, own.message, number)
    return true
  }

  /** The type of the layer that is being read, which stands behind `from`, if it stands there. */
  private typeAhead(from: number, wire: number): string | undefined {
    return this.ahead(from, wire, 2)?.string()
  }

  /** A reader of the field of this number, one of a length, if it stands behind the field of which `from` is the value. */
  private ahead(from: number, wire: number, number: number): protobuf.Reader | undefined {
    const ahead = protobuf.Reader.create(this.bytes)
    ahead.len = this.reader.len
    ahead.pos = from
    try {
      ahead.skipType(wire)
      while (ahead.pos < ahead.len) {
        const tag = ahead.tag()
        if (tag >>> 3 === number && (tag & 7) === LENGTH) return ahead
        ahead.skipType(tag & 7, 0, tag >>> 3)
      }
    } catch {
      // what is broken there is told when it is reached
    }
    return undefined
  }

  private finish(info: MessageInfo, { message, growing }: Open): PlainMessage {
    for (const [field, { values, length }] of growing) message[field.name] = values.slice(0, length)
    if (info.name === 'LossParameter') readLoss(message)
    for (const field of info.required)
      if (message[field.name] === undefined && field.number) throw new Error(`${field.name} is missing`)
    return message
  }

  /** Read one field after its tag; false, with nothing read, if its wire type or enum value is not in the schema. */
  private field(field: FieldInfo, wire: number, message: PlainMessage, growing: Map<FieldInfo, Growing>): boolean {
    const { name } = field
    const { reader } = this
    if (field.message) {
      if (wire !== LENGTH) return false
      this.path.push(name)
      const end = this.checkedEnd()
      // a second piece of a single message adds to the first
      if (field.repeated) append(message, name, this.message(field.message, end))
      else message[name] = this.message(field.message, end, message[name] as PlainMessage | undefined)
      this.path.pop()
      return true
    }
    if (field.repeated && wire === LENGTH && wireType(field) !== LENGTH) {
      this.path.push(name)
      if (field.array) this.block(field, message, growing)
      else for (const end = this.checkedEnd(); reader.pos < end; ) append(message, name, this.packedValue(field, end))
      this.path.pop()
      return true
    }
    if (wire !== wireType(field)) return false
    const start = reader.pos
    const value = this.scalar(field) ?? this.foreignValue(field, start, message)
    if (value === undefined) {
      reader.pos = start
      return false
    }
    if (!field.repeated) {
      if (name === 'pre_fixed_normalizer' && message[name] !== undefined)
        append(message, 'class_weighting', message[name])
      message[name] = value
    } else if (field.array) {
      const list = this.grow(field, message, growing, 1)
      list.values[list.length - 1] = value as number
    } else append(message, name, value)
    return true
  }

  /** The values of a packed tensor field, without going through them one by one. */
  private block(field: FieldInfo, message: PlainMessage, growing: Map<FieldInfo, Growing>): void {
    const { reader, bytes } = this
    const end = this.checkedEnd()
    const size = end - reader.pos
    const ArrayType = field.type === 'double' ? Float64Array : Float32Array
    const width = ArrayType.BYTES_PER_ELEMENT
    if (size % width) throw new Error(`${size} bytes do not make whole ${field.type} values`)
    if (size <= FEW_BYTES && message[field.name] !== undefined) {
      const { values, length } = this.grow(field, message, growing, size / width)
      for (let i = length - size / width; i < length; i++)
        values[i] = field.type === 'double' ? reader.double() : reader.float()
      return
    }
    const offset = bytes.byteOffset + reader.pos
    const buffer = bytes.buffer as ArrayBuffer
    const misplaced = offset % width
    let values: NumberArray
    if (misplaced === 0) values = new ArrayType(buffer, offset, size / width)
    else if (this.own && width === 4 && size >= LONG) {
      // over the end of the field's tag and size, three bytes at least, which have been read
      bytes.copyWithin(reader.pos - misplaced, reader.pos, end)
      values = new ArrayType(buffer, offset - misplaced, size / width)
    } else values = new ArrayType(buffer.slice(offset, offset + size), 0, size / width)
    reader.pos = end
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
    if (this.reader.pos > end) throw new Error('a value goes beyond the end of its list')
    return value
  }

  private scalar(field: FieldInfo): unknown {
    const { reader } = this
    switch (field.type) {
      case 'int32':
        return reader.int32()
      case 'uint32':
        return reader.uint32()
      case 'int64':
        return safeInteger(reader.int64())
      case 'float':
        return field.array ? reader.float() : shortFloat(reader.float())
      case 'double':
        return reader.double()
      case 'bool':
        return reader.bool()
      case 'string':
        return reader.string()
      case 'bytes': {
        const end = this.checkedEnd()
        const { pos } = reader
        reader.pos = end
        return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + pos, end - pos)
      }
      default:
        return field.enum?.byNumber.get(reader.int32())
    }
  }

  /** The value of an enum by a number that a fork alone has. */
  private foreignValue(field: FieldInfo, start: number, message: PlainMessage): string | undefined {
    const { reader } = this
    if (field.typeName !== 'LossParameter.NormalizationMode') return undefined
    reader.pos = start
    if (reader.int32() !== RFCN_NONE) return undefined
    noteValue(message, field.name, 'NONE', RFCN_NONE)
    return 'NONE'
  }

  /** Read a size; where what it covers ends. */
  private checkedEnd(): number {
    const { reader } = this
    const size = reader.size()
    const left = reader.len - reader.pos
    if (size > left) throw new Error(`${size} bytes are announced where ${left} are left`)
    return reader.pos + size
  }

  private skip(tag: number): void {
    const { reader } = this
    const start = reader.pos
    reader.skipType(tag & 7, 0, tag >>> 3)
    if ((tag & 7) === VARINT && reader.pos - start > MAX_VARINT_BYTES)
      throw new Error('an integer of more than 64 bits')
  }

  /** Keep the bytes from `start` up to here as unknown; neighbours make one piece. */
  private keep(message: PlainMessage, start: number, unknownEnd: number): number {
    const { pos } = this.reader
    const { buffer, byteOffset } = this.bytes
    const kept = (message[unknownFields] ??= []) as Uint8Array[]
    const last = kept.at(-1)
    if (last && unknownEnd === start)
      kept[kept.length - 1] = new Uint8Array(buffer, last.byteOffset, last.length + pos - start)
    else {
      if (++this.pieces > MAX_PIECES) throw new Error(`more than ${MAX_PIECES} unknown fields in one file`)
      kept.push(new Uint8Array(buffer, byteOffset + start, pos - start))
    }
    return pos
  }
}

/** The number of an older layer's type. */
const V1_TYPE = 5

function noteNumber(message: PlainMessage, name: string, number: number): void {
  ;((message[readNumbers] ??= {}) as Record<string, number>)[name] = number
}

/** The numbers of what was read in another form than ours; fields that ours has no number for tell the form themselves. */
function noteNumbers(read: PlainMessage, info: MessageInfo, form: MessageInfo): void {
  for (const { name, number } of form.fields) {
    const ours = info.byName.get(name)!.number
    if (read[name] !== undefined && ours && ours !== number) noteNumber(read, name, number)
  }
}

function noteValue(message: PlainMessage, name: string, value: string, number: number): void {
  ;((message[readValues] ??= {}) as Record<string, unknown>)[name] = [value, number]
}

function append(message: PlainMessage, name: string, value: unknown): void {
  const list = message[name] as unknown[] | undefined
  if (list) list.push(value)
  else message[name] = [value]
}

function safeInteger(value: unknown): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new Error(`the integer ${value} is beyond 2^53`)
  return number
}
