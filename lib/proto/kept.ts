import { mustTake } from '../system/arguments.js'
import { type MessageInfo, type PlainMessage, unknownField } from './schema.js'

/**
 * Under this key a message that was read from a text keeps the fields that the schema does not know, each as it stood
 * there: printing writes them as they were, and a class of layers that declares them later gets them.
 */
export const keptFields: unique symbol = Symbol('keptFields')

/** A field that no message of the schema has, or a value that its field has not. */
export interface KeptField {
  readonly name: string
  /** From its name to the end of its value, as written. */
  readonly text: string
  /** What is the matter with it, as in "PoolingParameter has no field 'x'". */
  readonly problem: string
}

/** What a message keeps. */
export const keptOf = (message: object): readonly KeptField[] =>
  ((message as PlainMessage)[keptFields] as KeptField[] | undefined) ?? []

/** Have `message` keep one more field. */
export function keep(message: object, field: KeptField): void {
  const fields = ((message as PlainMessage)[keptFields] ??= []) as KeptField[]
  fields.push(field)
}

/** A copy of `message` that keeps these fields alone. */
export function keeping<T extends object>(message: T, fields: readonly KeptField[]): T {
  const copy = { ...message } as PlainMessage
  if (fields.length) copy[keptFields] = fields
  else delete copy[keptFields]
  return copy as T
}

/**
 * Fields that the schema does not know of a message that was read from a prototxt, a NetParameter or a layer's `param`:
 * the name and the text of each, as written.
 */
export const unknownFieldsOf = (message: object): { name: string; text: string }[] => {
  // the specs of a layer's params are an array
  mustTake(
    typeof message === 'object' && message !== null,
    'unknownFieldsOf',
    'a message, as parseNet gives it',
    message,
  )
  return keptOf(message).map(({ name, text }) => ({ name, text }))
}

/** Number of a field that this library's binary files have in any message: the text of one that is kept. Caffe skips it. */
export const KEPT_TEXT = 1701

/** A field that was kept, from its text. */
export function keptFromText(info: MessageInfo, text: string): KeptField {
  const name = /^\w*/.exec(text)![0]
  return { name, text, problem: info.byName.has(name) ? `${name} has a value of a fork` : unknownField(info, name) }
}
