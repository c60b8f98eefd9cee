import { FormatError } from '../errors.js'
import { ByteWriter } from './byte_writer.js'
import { type FieldInfo, type MessageInfo, type PlainMessage, unknownFields } from './fields.js'
import { LENGTH, wireType } from './wire_type.js'

const MAX_BYTES = 2 ** 31 - 1

/** Writes messages of any schema, which fit it. Fields go in the order of their numbers, unknown ones last. */
export class MessageWriter {
  private readonly writer = new ByteWriter()

  message(info: MessageInfo, message: PlainMessage): void {
    this.fields(info.fields, message)
    this.blocks(message[unknownFields] as Uint8Array[] | undefined)
  }

  finish(): Uint8Array<ArrayBuffer> {
    const { size } = this.writer
    if (size > MAX_BYTES)
      throw new FormatError(`a message of ${size} bytes cannot be written: the format ends at ${MAX_BYTES}`)
    return this.writer.finish()
  }

  protected fields(fields: readonly FieldInfo[], message: PlainMessage): void {
    const { writer } = this
    for (const field of fields) {
      const value = message[field.name]
      // of prototxts alone
      if (value === undefined || field.number === 0) continue
      if (field.message) {
        for (const item of field.repeated ? (value as PlainMessage[]) : [value as PlainMessage]) {
          this.tag(field.number, LENGTH)
          writer.sized(() => this.message(field.message!, item))
        }
      } else if (field.array && field.packed) this.array(field, value as Float32Array | Float64Array)
      else if (field.packed) this.packed(field, value as unknown[])
      else
        for (const item of field.repeated ? (value as Iterable<unknown>) : [value]) {
          this.tag(field.number, wireType(field))
          this.scalar(field, item)
        }
    }
  }

  protected text(number: number, text: string): void {
    this.tag(number, LENGTH)
    this.writer.string(text)
  }

  /** Fields as they stood in a file. */
  protected blocks(blocks: readonly Uint8Array[] = []): void {
    for (const bytes of blocks) this.writer.block(bytes)
  }

  private array(field: FieldInfo, values: Float32Array | Float64Array): void {
    if (!values.length) return
    this.tag(field.number, LENGTH)
    this.writer.bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  }

  private packed(field: FieldInfo, values: readonly unknown[]): void {
    if (!values.length) return
    this.tag(field.number, LENGTH)
    this.writer.sized(() => {
      for (const value of values) this.scalar(field, value)
    })
  }

  private scalar(field: FieldInfo, value: unknown): void {
    const { writer } = this
    if (field.enum) writer.int64(typeof value === 'number' ? value : field.enum.byName.get(value as string)!)
    else if (field.type === 'string') writer.string(value as string)
    else if (field.type === 'bytes') writer.bytes(value as Uint8Array)
    else if (field.type === 'float') writer.float(value as number)
    else if (field.type === 'double') writer.double(value as number)
    else writer.int64(Number(value))
  }

  private tag(number: number, wire: number): void {
    this.writer.uint32((number << 3) | wire)
  }
}
