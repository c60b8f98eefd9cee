import protobuf from 'protobufjs/minimal.js'
import { FormatError } from '../errors.js'
import type { Messages } from '../generated/caffe.js'
import { isVariant, readNumbers, readValues, variantOf, withRfcnMode } from './dialects.js'
import { KEPT_TEXT, keptOf } from './kept.js'
import { checkMessage, unknownFields } from './message.js'
import { type FieldInfo, type MessageInfo, type MessageName, messageInfo, type PlainMessage } from './schema.js'
import { LENGTH, wireType } from './wire_type.js'

const MAX_BYTES = 2 ** 31 - 1

type NumberArray = Float32Array | Float64Array

/**
 * The binary form of a message, which is checked like a hand-written one first. Fields go in the order of their
 * numbers, as Caffe writes them, and unknown fields that were read go last. Tensor values are copied once, into the
 * result.
 */
export function writeMessage<K extends MessageName>(type: K, value: Messages[K]): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter()
  writer.message(messageInfo(type), checkMessage(type, value) as PlainMessage)
  return writer.finish()
}

class MessageWriter {
  private readonly parts: Uint8Array[] = []
  private length = 0
  /** Small fields that are not yet in `parts`. */
  private writer = protobuf.Writer.create()

  message(info: MessageInfo, message: PlainMessage): void {
    if (isVariant(info, message)) info = variantOf(info)!
    if (info.name === 'LossParameter') message = withRfcnMode(message)
    const values = message[readValues] as Record<string, [value: unknown, number: number]> | undefined
    for (const field of fieldsOf(info, message)) {
      const own = message[field.name]
      const value = own !== undefined && values?.[field.name]?.[0] === own ? values[field.name][1] : own
      // of prototxts alone
      if (value === undefined || field.number === 0) continue
      if (field.message) {
        for (const item of field.repeated ? (value as PlainMessage[]) : [value as PlainMessage])
          this.nested(field, field.message, item)
      } else if (field.array && field.packed) this.block(field, value as NumberArray)
      else if (field.packed) this.packed(field, value as unknown[])
      else if (field.repeated) for (const item of value as Iterable<unknown>) this.tagged(field, item)
      else this.tagged(field, value)
    }
    for (const { text } of keptOf(message)) this.writer.uint32(((KEPT_TEXT << 3) | LENGTH) >>> 0).string(text)
    for (const bytes of (message[unknownFields] as Uint8Array[] | undefined) ?? []) this.push(bytes)
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.flush()
    if (this.length > MAX_BYTES)
      throw new FormatError(`a message of ${this.length} bytes cannot be written: the format ends at ${MAX_BYTES}`)
    const bytes = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }

  /** A message within: its size goes before it, and is known only after it. */
  private nested(field: FieldInfo, info: MessageInfo, message: PlainMessage): void {
    this.flush()
    const place = this.parts.push(NOTHING) - 1
    const before = this.length
    this.message(info, message)
    this.flush()
    const head = protobuf.Writer.create()
      .uint32(tagOf(field, LENGTH))
      .uint32(this.length - before)
      .finish()
    this.parts[place] = head
    this.length += head.length
  }

  private block(field: FieldInfo, values: NumberArray): void {
    if (!values.length) return
    this.writer.uint32(tagOf(field, LENGTH)).uint32(values.byteLength)
    this.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  private packed(field: FieldInfo, values: readonly unknown[]): void {
    if (!values.length) return
    this.writer.uint32(tagOf(field, LENGTH)).fork()
    for (const value of values) this.scalar(field, value)
    this.writer.ldelim()
  }

  private tagged(field: FieldInfo, value: unknown): void {
    this.writer.uint32(tagOf(field, wireType(field)))
    this.scalar(field, value)
  }

  private scalar(field: FieldInfo, value: unknown): void {
    const { writer } = this
    if (field.enum) writer.int32(typeof value === 'number' ? value : field.enum.byName.get(value as string)!)
    else if (field.type === 'string') writer.string(value as string)
    else if (field.type === 'bytes') writer.bytes(value as Uint8Array)
    else if (field.type === 'bool') writer.bool(value as boolean)
    else writer[field.type as 'int32' | 'uint32' | 'int64' | 'float' | 'double'](value as number)
  }

  private push(bytes: Uint8Array): void {
    this.flush()
    this.parts.push(bytes)
    this.length += bytes.length
  }

  private flush(): void {
    if (!this.writer.pos) return
    const bytes = this.writer.finish()
    this.writer = protobuf.Writer.create()
    this.parts.push(bytes)
    this.length += bytes.length
  }
}

/** The fields in the order of their numbers, which are those that the message was read with. */
function fieldsOf(info: MessageInfo, message: PlainMessage): readonly FieldInfo[] {
  const numbers = message[readNumbers] as Record<string, number> | undefined
  if (!numbers) return info.fields
  return info.fields
    .map(field => (numbers[field.name] ? { ...field, number: numbers[field.name] } : field))
    .sort((a, b) => a.number - b.number)
}

const NOTHING = new Uint8Array(0)

const tagOf = (field: FieldInfo, wire: number): number => ((field.number << 3) | wire) >>> 0
