import type { BlobProto, BlobProtoVector, Messages, NetParameter, SolverState } from '../generated/caffe.js'
import { ByteReader } from './byte_reader.js'
import {
  dependsOnType,
  isSegNet,
  isVariant,
  layerField,
  RFCN_NONE,
  readLoss,
  v1Dialects,
  variantOf,
  withRfcnMode,
} from './dialects.js'
import {
  type FieldInfo,
  type MessageInfo,
  type PlainMessage,
  readNumbers,
  readValues,
  unknownFields,
} from './fields.js'
import { KEPT_TEXT, keep, keptFromText, keptOf } from './kept.js'
import { checkMessage } from './message.js'
import { append, MessageReader, type Open } from './message_reader.js'
import { MessageWriter } from './message_writer.js'
import { type MessageName, messageInfo } from './schema.js'
import { FIXED32, LENGTH, VARINT } from './wire_type.js'

// Caffe's binary files (caffemodel, solverstate, binaryproto), and what forks make of them.

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
export function readMessageSteps<K extends MessageName>(
  type: K,
  bytes: Uint8Array,
  { file = `this ${type}`, own }: WireOptions = {},
): Generator<void, Messages[K]> {
  return new CaffeReader(bytes, own).read(messageInfo(type), file) as Generator<void, Messages[K]>
}

/**
 * The binary form of a message, which is checked like a hand-written one first. Fields go in the order of their
 * numbers, as Caffe writes them, and unknown fields that were read go last. Tensor values are copied once, into the
 * result.
 */
export function writeMessage<K extends MessageName>(type: K, value: Messages[K]): Uint8Array<ArrayBuffer> {
  const writer = new CaffeWriter()
  writer.message(messageInfo(type), checkMessage(type, value) as PlainMessage)
  return writer.finish()
}

class CaffeReader extends MessageReader {
  protected override special(info: MessageInfo, tag: number, open: Open): 'read' | 'unknown' | undefined {
    const number = tag >>> 3
    if (info.name === 'LayerParameter' && dependsOnType(number))
      return this.byType(info, tag, open) ? 'read' : 'unknown'
    if (info.name === 'V1LayerParameter' && this.byV1Type(info, tag, open)) return 'read'
    if (info.name === 'LossParameter') keepWeights(info, tag, open.message)
    if (number !== KEPT_TEXT || (tag & 7) !== LENGTH || info.byNumber.has(number)) return undefined
    keep(open.message, keptFromText(info, this.reader.string()))
    return 'read'
  }

  /**
   * Read a message of a layer whose number says nothing without the layer's type. False, with nothing read, where it is
   * none that is known, or not of that form.
   */
  private byType(info: MessageInfo, tag: number, open: Open): boolean {
    const { reader } = this
    const { message } = open
    const number = tag >>> 3
    const wire = tag & 7
    const type = (message['type'] as string | undefined) ?? this.ahead(tag, 2)?.string()
    const field = layerField(info, number, type)
    if (!field?.message || wire !== LENGTH) return field !== undefined && this.field(field, wire, open)
    const start = reader.at
    const end = reader.sizedEnd()
    const begin = reader.at
    const variant = variantOf(field.message)
    const forms = variant && isSegNet(message) ? [variant] : variant ? [field.message, variant] : [field.message]
    let found: PlainMessage | undefined
    for (const form of forms) {
      const { mismatches, strangers } = this
      reader.at = begin
      const read = this.attempt(() => {
        const before = message[field.name] as PlainMessage | undefined
        const whole = this.message(form, end, before && { ...before })
        return this.mismatches > mismatches ? undefined : whole
      })
      if (!read) continue
      if (form === variant) noteNumbers(read, field.message, form)
      // the form that knows all of it, else the first that nothing speaks against
      const knowsAll = this.strangers === strangers
      if (knowsAll || !found) found = read
      if (knowsAll) break
    }
    reader.at = found ? end : start
    if (!found) return false
    message[field.name] = found
    if (number !== field.number) noteNumber(message, field.name, number)
    return true
  }

  /** The same for an older layer: its type, if its message stands behind it, or the message of the type that was read. */
  private byV1Type(info: MessageInfo, tag: number, open: Open): boolean {
    const { reader } = this
    const { message } = open
    const number = tag >>> 3
    if (tag === V1_TYPE) {
      const { at } = reader
      const value = reader.int32()
      const own = v1Dialects.find(item => item.value === value)
      reader.at = at
      if (own && this.ahead(tag, own.number)) {
        reader.int32()
        message['type'] = own.type
        noteValue(message, 'type', own.type, value)
        return true
      }
    }
    const own = v1Dialects.find(item => item.number === number && item.type === message['type'])
    if (!own || (tag & 7) !== LENGTH || !this.field(info.byName.get(own.message)!, LENGTH, open)) return false
    noteNumber(message, own.message, number)
    return true
  }

  /** A reader of the field of this number, one of a length, if it stands behind the value that comes next. */
  private ahead(tag: number, number: number): ByteReader | undefined {
    const ahead = new ByteReader(this.bytes)
    ahead.at = this.reader.at
    ahead.end = this.reader.end
    try {
      ahead.skip(tag)
      while (ahead.at < ahead.end) {
        const next = ahead.tag()
        if (next === ((number << 3) | LENGTH)) return ahead
        ahead.skip(next)
      }
    } catch {
      // what is broken there is told when it is reached
    }
    return undefined
  }

  protected override foreignValue(field: FieldInfo, message: PlainMessage): unknown {
    const { reader } = this
    if (field.typeName !== 'LossParameter.NormalizationMode') return undefined
    const { at } = reader
    if (reader.int32() === RFCN_NONE) {
      noteValue(message, field.name, 'NONE', RFCN_NONE)
      return 'NONE'
    }
    reader.at = at
    return undefined
  }

  protected override finish(info: MessageInfo, open: Open): PlainMessage {
    const message = super.finish(info, open)
    if (info.name === 'LossParameter') readLoss(message)
    return message
  }
}

/** The tag of an older layer's type. */
const V1_TYPE = (5 << 3) | VARINT

/** SegNet's weights of classes have the number of R-FCN's normalizer, of which there is one. */
function keepWeights(info: MessageInfo, tag: number, message: PlainMessage): void {
  const last = message['pre_fixed_normalizer']
  if (last === undefined || (tag & 7) !== FIXED32) return
  if (info.byNumber.get(tag >>> 3)?.name === 'pre_fixed_normalizer') append(message, 'class_weighting', last)
}

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

type ReadValues = Record<string, readonly [value: unknown, number: number]>

function noteValue(message: PlainMessage, name: string, value: string, number: number): void {
  ;((message[readValues] ??= {}) as ReadValues)[name] = [value, number]
}

class CaffeWriter extends MessageWriter {
  override message(info: MessageInfo, message: PlainMessage): void {
    const form = isVariant(info, message) ? variantOf(info)! : info
    const whole = withReadValues(info.name === 'LossParameter' ? withRfcnMode(message) : message)
    this.fields(fieldsOf(form, whole), whole)
    for (const { text } of keptOf(message)) this.text(KEPT_TEXT, text)
    this.blocks(message[unknownFields] as Uint8Array[] | undefined)
  }
}

/** The message with the numbers of values that it was read with, where they still stand. */
function withReadValues(message: PlainMessage): PlainMessage {
  const values = message[readValues] as ReadValues | undefined
  if (!values) return message
  const whole = { ...message }
  for (const [name, [value, number]] of Object.entries(values)) if (whole[name] === value) whole[name] = number
  return whole
}

/** The fields in the order of their numbers, which are those that the message was read with. */
function fieldsOf(info: MessageInfo, message: PlainMessage): readonly FieldInfo[] {
  const numbers = message[readNumbers] as Record<string, number> | undefined
  if (!numbers) return info.fields
  return info.fields
    .map(field => (numbers[field.name] ? { ...field, number: numbers[field.name] } : field))
    .sort((a, b) => a.number - b.number)
}
