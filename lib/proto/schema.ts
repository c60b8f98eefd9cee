import { type FilledMessages, type Messages, schema as tables } from '../generated/caffe.js'
import { didYouMean, LISTED } from '../system/names.js'
import { type MessageInfo, type OpenMessageInfo, Schema } from './fields.js'

export type { EnumInfo, FieldInfo, MessageInfo, OpenMessageInfo, PlainMessage } from './fields.js'

export type MessageName = keyof Messages & keyof FilledMessages

/** Caffe's messages, and its forks'. */
export const schema = new Schema(tables)

/** The description of a message type, built when it is first asked for. */
export const messageInfo = (name: MessageName): OpenMessageInfo => schema.message(name)

/** A layer of a net, in any version of the format: its place in the text is remembered. */
export const isLayer = (message: MessageInfo): boolean =>
  message.name === 'LayerParameter' || message.name === 'V1LayerParameter'

/** What a net's field says in a solver's prototxt, and the other way round: the text is another one; else nothing. */
export function otherFile(message: MessageInfo, name: string): string {
  const { byName } = messageInfo('SolverParameter')
  if (message.name === 'NetParameter' && byName.has(name)) return "a solver has one: is this a solver's prototxt?"
  if (message.name === 'SolverParameter' && byName.get('net_param')?.message?.byName.has(name))
    return `a net has one: is this a net's prototxt? A solver's names the net, as in net: "train_test.prototxt"`
  return ''
}

/** What the value of a field looks like, where it is known. */
export type ValueKind = 'message' | 'scalar'

/** Fields of a message that a value of this kind may be meant for. */
export const fieldNames = (message: MessageInfo, kind?: ValueKind): string[] =>
  message.fields
    .filter(field => kind === undefined || (field.message !== undefined) === (kind === 'message'))
    .map(field => field.name)

/**
 * What to say about a field that `message` does not have: what was probably meant, among the fields of the same kind.
 */
export function unknownField(message: MessageInfo, name: string, kind?: ValueKind): string {
  const text = `${message.name} has no field '${name.slice(0, 80)}'`
  const other = otherFile(message, name)
  if (other) return `${text}; ${other}`
  const owners = message.fields.filter(field => !field.fork && field.message?.byName.has(name)).map(field => field.name)
  if (owners.length)
    return `${text}; it is a field of ${owners.slice(0, 5).join(', ')}${owners.length > 5 ? ', …' : ''}`
  const known = [...message.byName.keys()]
  const near = didYouMean(name, fieldNames(message, kind))
  return `${text}${near || (known.length <= LISTED ? `; its fields are ${known.join(', ')}` : '')}`
}
