import { type FilledMessages, type Messages, schema } from '../generated/caffe.js'

export type MessageName = keyof Messages & keyof FilledMessages

export type ScalarType = 'int32' | 'uint32' | 'int64' | 'float' | 'double' | 'bool' | 'string' | 'bytes'

/** One field, as the readers and writers need it. */
export interface FieldInfo {
  readonly name: string
  readonly number: number
  /** What its values are; `message` and `enum` then hold the description of these. */
  readonly type: ScalarType | 'enum' | 'message'
  /** The type as proto/caffe.proto names it, for error messages. */
  readonly typeName: string
  readonly repeated: boolean
  readonly required: boolean
  readonly packed: boolean
  /** Repeated numbers held in a Float32Array or Float64Array instead of a list. */
  readonly array: boolean
  readonly default: string | number | boolean | undefined
  readonly message: MessageInfo | undefined
  readonly enum: EnumInfo | undefined
}

export interface MessageInfo {
  readonly name: string
  /** In the order of their numbers, which is the order of writing. */
  readonly fields: readonly FieldInfo[]
  readonly byName: ReadonlyMap<string, FieldInfo>
  readonly byNumber: ReadonlyMap<number, FieldInfo>
  readonly required: readonly FieldInfo[]
}

export interface EnumInfo {
  readonly names: readonly string[]
  readonly byName: ReadonlyMap<string, number>
  readonly byNumber: ReadonlyMap<number, string>
}

/** A message as the generic code sees it: fields by name. */
export type PlainMessage = Record<string | symbol, unknown>

type FieldRow = readonly [number: number, name: string, type: string, label: string, value?: string | number | boolean]

const messages = new Map<string, MessageInfo>()
const enums = new Map<string, EnumInfo>()

/** The description of a message type, built when it is first asked for. */
export function messageInfo(name: MessageName): MessageInfo {
  return messages.get(name) ?? buildMessage(name)
}

function buildMessage(name: string): MessageInfo {
  const rows = (schema.messages as unknown as Record<string, FieldRow[]>)[name]
  const fields = [...rows].sort((a, b) => a[0] - b[0]).map(buildField)
  const info: MessageInfo = {
    name,
    fields,
    byName: new Map(fields.map(field => [field.name, field])),
    byNumber: new Map(fields.map(field => [field.number, field])),
    required: fields.filter(field => field.required),
  }
  messages.set(name, info)
  return info
}

function buildField([number, name, typeName, label, value]: FieldRow): FieldInfo {
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

const solverHas = (name: string): boolean =>
  (messages.get('SolverParameter') ?? buildMessage('SolverParameter')).byName.has(name)

/** What to say about a field that `message` does not have: what was probably meant. */
export function unknownField(message: MessageInfo, name: string): string {
  const text = `${message.name} has no field '${name.slice(0, 80)}'`
  if (message.name === 'NetParameter' && solverHas(name))
    return `${text}; a solver has one: is this a solver's prototxt?`
  if (message.name === 'SolverParameter' && message.byName.get('net_param')?.message?.byName.has(name))
    return `${text}; a net has one: is this a net's prototxt? A solver's names the net, as in net: "train_test.prototxt"`
  const owners = message.fields.filter(field => field.message?.byName.has(name)).map(field => field.name)
  if (owners.length)
    return `${text}; it is a field of ${owners.slice(0, 5).join(', ')}${owners.length > 5 ? ', …' : ''}`
  const nearest = nearestName(name, [...message.byName.keys()])
  return `${text}; ${nearest.close ? `did you mean '${nearest.name}'?` : `the nearest known field is '${nearest.name}'`}`
}

/** The candidate with the fewest insertions, deletions and replacements; close when these are few for its length. */
export function nearestName(name: string, candidates: readonly string[]): { name: string; close: boolean } {
  const wanted = name.slice(0, 80).toLowerCase()
  let best = ''
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase())
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  return { name: best, close: least <= Math.max(2, best.length / 3) }
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
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
