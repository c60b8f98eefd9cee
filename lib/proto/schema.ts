import { type FilledMessages, type Messages, schema } from '../generated/caffe.js'
import { didYouMean } from '../system/names.js'

export type MessageName = keyof Messages & keyof FilledMessages

export type ScalarType = 'int32' | 'uint32' | 'int64' | 'float' | 'double' | 'bool' | 'string' | 'bytes'

/** One field, as the readers and writers need it. */
export interface FieldInfo {
  readonly name: string
  /** 0: it is in no binary file. */
  readonly number: number
  /** What its values are; `message` and `enum` then hold the description of these. */
  readonly type: ScalarType | 'enum' | 'message'
  /** The type as proto/*.proto name it, for error messages. */
  readonly typeName: string
  readonly repeated: boolean
  readonly required: boolean
  readonly packed: boolean
  /** Repeated numbers held in a Float32Array or Float64Array instead of a list. */
  readonly array: boolean
  readonly default: string | number | boolean | undefined
  readonly message: MessageInfo | undefined
  readonly enum: EnumInfo | undefined
  /** Added to a message of Caffe 1.0 by a fork. */
  readonly fork: boolean
  /** From a class of layers, not from the schema. */
  readonly declared?: boolean
}

export interface MessageInfo {
  readonly name: string
  /** In the order of their numbers, which is the order of writing. */
  readonly fields: readonly FieldInfo[]
  readonly byName: ReadonlyMap<string, FieldInfo>
  readonly byNumber: ReadonlyMap<number, FieldInfo>
  readonly required: readonly FieldInfo[]
  /** Those held in typed arrays. */
  readonly arrays: readonly FieldInfo[]
  /** From a class of layers, which knows all fields that it has. */
  readonly declared?: boolean
  /** A layer of a net, in any version of the format: its place in the text is remembered. */
  readonly isLayer: boolean
}

/** LayerParameter: classes of layers add messages of their own to it. */
export interface OpenMessageInfo extends MessageInfo {
  /** Takes a field that the schema has not got; one that was added under this name before is replaced. */
  add(field: FieldInfo): void
}

export interface EnumInfo {
  readonly names: readonly string[]
  readonly byName: ReadonlyMap<string, number>
  readonly byNumber: ReadonlyMap<number, string>
}

/** A message as the generic code sees it: fields by name. */
export type PlainMessage = Record<string | symbol, unknown>

type FieldRow = readonly [number: number, name: string, type: string, label: string, value?: string | number | boolean]

/** Behind every number: fields without one are written last. */
const LAST = Number.MAX_SAFE_INTEGER

const messages = new Map<string, MessageInfo>()
const enums = new Map<string, EnumInfo>()

/** The description of a message type, built when it is first asked for. */
export function messageInfo(name: 'LayerParameter'): OpenMessageInfo
export function messageInfo(name: MessageName): MessageInfo
export function messageInfo(name: MessageName): MessageInfo {
  return messages.get(name) ?? buildMessage(name)
}

/** Whether a field can be of this type: a scalar or a message of the schema. */
export const isTypeName = (name: string): boolean =>
  ['int32', 'uint32', 'int64', 'float', 'double', 'bool', 'string', 'bytes'].includes(name) ||
  Object.hasOwn(schema.messages, name)

function buildMessage(name: string): MessageInfo {
  const rows = (schema.messages as unknown as Record<string, FieldRow[]>)[name]
  const fields = [...rows].sort((a, b) => (a[0] || LAST) - (b[0] || LAST)).map(buildField)
  const byName = new Map(fields.map(field => [field.name, field]))
  const byNumber = new Map(fields.filter(field => field.number).map(field => [field.number, field]))
  const info: OpenMessageInfo = {
    name,
    fields,
    byName,
    byNumber,
    required: fields.filter(field => field.required),
    arrays: fields.filter(field => field.array),
    isLayer: name === 'LayerParameter' || name === 'V1LayerParameter',
    add(field) {
      const old = byName.get(field.name)
      if (old) fields.splice(fields.indexOf(old), 1)
      if (old?.number) byNumber.delete(old.number)
      byName.set(field.name, field)
      if (field.number) byNumber.set(field.number, field)
      fields.push(field)
      fields.sort((a, b) => (a.number || LAST) - (b.number || LAST))
    },
  }
  messages.set(name, info)
  return info
}

/** A field by its row in the schema. */
export function buildField([number, name, typeName, label, value]: FieldRow): FieldInfo {
  const isMessage = Object.hasOwn(schema.messages, typeName)
  const isEnum = Object.hasOwn(schema.enums, typeName)
  return {
    name,
    number,
    type: isMessage ? 'message' : isEnum ? 'enum' : (typeName as ScalarType),
    typeName,
    repeated: label.startsWith('repeated'),
    required: label === 'required',
    packed: label.includes('packed'),
    array: label.includes('array'),
    fork: label.endsWith('fork'),
    default: value,
    message: isMessage ? (messages.get(typeName) ?? buildMessage(typeName)) : undefined,
    enum: isEnum ? (enums.get(typeName) ?? buildEnum(typeName)) : undefined,
  }
}

function buildEnum(name: string): EnumInfo {
  const pairs = (schema.enums as unknown as Record<string, [string, number][]>)[name]
  const info: EnumInfo = {
    names: pairs.map(([value]) => value),
    byName: new Map(pairs),
    byNumber: new Map(pairs.map(([value, number]) => [number, value])),
  }
  enums.set(name, info)
  return info
}

/** So many fields are soon read. */
const FEW = 10

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
  return `${text}${near || (known.length <= FEW ? `; its fields are ${known.join(', ')}` : '')}`
}

/** The shortest decimal number that rounds to the same float32 as `value`: 0.1, not 0.10000000149. */
export function shortFloat(value: number): number {
  const float = Math.fround(value)
  if (float === 0 || !Number.isFinite(float)) return float
  // six digits are always exact enough to be kept, except in subnormal numbers
  for (let digits = Math.abs(float) < 2 ** -126 ? 1 : 6; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits))
    if (Math.fround(short) === float) return short
  }
  return Number(float.toPrecision(9))
}
