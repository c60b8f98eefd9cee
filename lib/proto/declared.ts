/**
 * Messages of layers that the schema does not know: a class of layers declares them, and from its registration on the
 * text form, the checks and, where numbers are given, the binary form take them as they take Caffe's.
 */
import { NetError } from '../errors.js'
import type { LayerParameter, Messages } from '../generated/caffe.js'
import {
  type FieldInfo,
  type MessageInfo,
  messageInfo,
  type OpenMessageInfo,
  type PlainMessage,
  schema,
} from './schema.js'

/** The values that a field may be declared to have, with what they are in JavaScript. */
export interface DeclaredTypes {
  int32: number
  uint32: number
  int64: number
  float: number
  double: number
  bool: boolean
  string: string
  bytes: Uint8Array
}

/** One field of a declared message. */
export interface FieldDeclaration {
  /** A scalar, a message of the schema ('FillerParameter'), or the words of an enum, numbered from 0. */
  readonly type: keyof DeclaredTypes | keyof Messages | readonly string[]
  /** Any number of values: a list. */
  readonly repeated?: boolean
  /** Without it the layer is refused. */
  readonly required?: boolean
  /** What counts where nothing is written. */
  readonly default?: string | number | boolean
  /** Its number in binary files. Without one it is a field of prototxts alone. */
  readonly number?: number
}

/**
 * A message by its fields. `number` is its own in binary files, as in `{ number: 8266711, pooled_h: { type: 'uint32' } }`;
 * without one it is a message of prototxts alone.
 */
export type MessageDeclaration = { readonly [field: string]: FieldDeclaration | number }

/**
 * The messages of a layer: names of those that the schema has, or declarations by name, with `true` for one that the
 * schema has.
 */
export type ParamDeclaration =
  | readonly (keyof LayerParameter)[]
  | { readonly [message: `${string}_param`]: MessageDeclaration | true }

type Value<F> = F extends { type: infer T }
  ? T extends keyof DeclaredTypes
    ? DeclaredTypes[T]
    : T extends keyof Messages
      ? Messages[T]
      : T extends readonly (infer Word)[]
        ? Word
        : never
  : never
/** What a declared message holds once defaults are applied: fields without one may be missing. */
export type DeclaredValues<M> = {
  readonly [K in keyof M as M[K] extends FieldDeclaration ? K : never]: M[K] extends { repeated: true }
    ? Value<M[K]>[]
    : M[K] extends { default: unknown } | { required: true }
      ? Value<M[K]>
      : Value<M[K]> | undefined
}

/** Names of the messages of a declaration. */
export const namesOf = (param: ParamDeclaration): readonly string[] =>
  Array.isArray(param) ? param : Object.keys(param)

/** Take a class's messages into LayerParameter. The last declaration of a name counts, as with registered types. */
export function declareParams(type: string, param: ParamDeclaration): void {
  const layer = messageInfo('LayerParameter')
  for (const name of namesOf(param)) {
    const declared = (param as Record<string, MessageDeclaration | true>)[name]
    const known = layer.byName.get(name)
    if (Array.isArray(param) || declared === true) {
      if (!known) throw new NetError(`${type}: the schema has no ${name}; declare its fields: { ${name}: { … } }`)
    } else addMessage(type, layer, known, name, declared)
  }
}

function addMessage(
  type: string,
  layer: OpenMessageInfo,
  known: FieldInfo | undefined,
  name: string,
  declared: MessageDeclaration,
): void {
  const number = declared.number
  const own = Object.entries(declared).filter((entry): entry is [string, FieldDeclaration] => isField(entry[1]))
  const fields = own.map(([field, facts]) => fieldOf(type, `${name}.${field}`, field, facts))
  const taken = typeof number === 'number' ? layer.byNumber.get(number) : undefined
  if (taken && taken !== known && !taken.fork)
    throw new NetError(`${type}: ${name} cannot have number ${number}, which is that of ${taken.name}`)
  if (known?.fork && known.message) {
    // forks differ in what a message holds: the class says what it is for its layers, and the rest stays
    const others = known.message.fields.filter(field => !fields.some(({ name: own }) => own === field.name))
    layer.add({
      ...known,
      number: typeof number === 'number' ? number : known.number,
      message: messageOf(name, [...others, ...fields]),
    })
    return
  }
  if (known && !known.declared) {
    // what has come into the schema since may be declared as it stands there
    const other = fields.find(({ name: field, typeName, repeated }) => {
      const there = known.message?.byName.get(field)
      return there?.typeName !== typeName || there.repeated !== repeated
    })
    if (other)
      throw new NetError(
        `${type}: ${name} is a message of the schema, in which ${other.name} is not what is declared: name the message, ['${name}'], or give yours another name`,
      )
    return
  }
  layer.add({
    ...schema.field(typeof number === 'number' ? number : 0, name, 'string', ''),
    type: 'message',
    typeName: name,
    message: messageOf(name, fields),
    declared: true,
  })
}

const messageOf = (name: string, fields: FieldInfo[]): MessageInfo => ({
  name,
  fields: fields.sort((a, b) => a.number - b.number),
  byName: new Map(fields.map(field => [field.name, field])),
  byNumber: new Map(fields.filter(field => field.number).map(field => [field.number, field])),
  required: fields.filter(field => field.required),
  arrays: [],
  declared: true,
})

const isField = (value: FieldDeclaration | number | undefined): value is FieldDeclaration => typeof value === 'object'

function fieldOf(layer: string, at: string, name: string, facts: FieldDeclaration): FieldInfo {
  const { type, repeated, required, default: value, number = 0 } = facts
  const words = typeof type === 'object' ? type : undefined
  if (!words && !schema.hasType(type as string))
    throw new NetError(
      `${layer}: ${at} has the type '${String(type)}'; it is int32, uint32, int64, float, double, bool, string, bytes, a message of the schema, or a list of words`,
    )
  const marks = repeated ? '*' : required ? '!' : ''
  const field = schema.field(number, name, words ? 'string' : (type as string), marks, value)
  if (!words) return field
  const pairs = words.map((word, i): [string, number] => [word, i])
  const names = { names: words, byName: new Map(pairs), byNumber: new Map(words.map((word, i) => [i, word])) }
  return { ...field, type: 'enum', typeName: words.join(', '), enum: names }
}

/** The message of this name in a layer, with its defaults. */
export function withDeclaredDefaults(name: string, layer: LayerParameter): PlainMessage {
  const filled: PlainMessage = { ...((layer as PlainMessage)[name] as PlainMessage | undefined) }
  for (const field of messageInfo('LayerParameter').byName.get(name)?.message?.fields ?? []) {
    if (filled[field.name] !== undefined) continue
    if (field.repeated) filled[field.name] = []
    else if (field.default !== undefined) filled[field.name] = field.default
  }
  return filled
}
