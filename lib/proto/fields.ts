/**
 * What the readers and writers of messages follow: descriptions of messages, built from a schema's tables. Which schema
 * it is, nothing here knows.
 */

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
}

/** A message that takes more fields: classes of layers add messages of their own. */
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

/**
 * Under this key a message read from a binary file keeps the fields that the schema does not know, each as it stood in
 * the file.
 */
export const unknownFields: unique symbol = Symbol('unknownFields')

/** Under this key a layer that was read from a binary file has the numbers of its messages, where they are not ours. */
export const readNumbers: unique symbol = Symbol('readNumbers')

/** Under this key a message has the numbers of enums' values that were read, where they are not ours: the value, its number. */
export const readValues: unique symbol = Symbol('readValues')

/**
 * A schema as its generator writes it, short because every page loads it. Enums: names, each with `=number` where that is
 * not the one after the last. Messages: fields between `;`, each `[number] name type marks [=default]`, the number where
 * it is not the one after the last, 0 for a field that is in no binary file. A type is a scalar or its letter in
 * SCALARS, a message, an enum, `.Name` for an enum of the message itself, or `_` for the message that the field is called
 * after: PoolingParameter of pooling_param. Marks: `!` required, `*` repeated, `#` packed, `@` array, `+` fork.
 */
export interface SchemaTables {
  readonly enums: Readonly<Record<string, string>>
  readonly messages: Readonly<Record<string, string>>
}

const ROW = /^(?:(\d+) )?(\w+) ([\w.]+)([!*#@+]*)(?:=(.*))?$/

/** Behind every number: fields without one are written last. */
const LAST = Number.MAX_SAFE_INTEGER

/** By the letters that stand for them in a schema's tables. */
export const SCALARS: Readonly<Record<string, ScalarType>> = {
  i: 'int32',
  u: 'uint32',
  l: 'int64',
  f: 'float',
  d: 'double',
  b: 'bool',
  s: 'string',
  y: 'bytes',
}

/** The message that a field is called after. */
export const namesake = (field: string): string =>
  field.replace(/_param$/, '_parameter').replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** A property that is made when it is first read. */
const late = <K extends keyof FieldInfo>(field: FieldInfo, key: K, get: () => FieldInfo[K]): unknown =>
  Object.defineProperty(field, key, { get, enumerable: true, configurable: true })

/** The descriptions of a schema's messages, each built when it is first asked for. */
export class Schema {
  private readonly messages = new Map<string, OpenMessageInfo>()
  private readonly enums = new Map<string, EnumInfo>()

  constructor(private readonly tables: SchemaTables) {}

  /** A message by its name, which the schema must have. */
  message(name: string): OpenMessageInfo {
    return this.messages.get(name) ?? this.build(name)
  }

  /** Whether a field can be of this type: a scalar or a message of the schema. */
  hasType(name: string): boolean {
    return Object.values<string>(SCALARS).includes(name) || Object.hasOwn(this.tables.messages, name)
  }

  /** Names of the messages. */
  get names(): string[] {
    return Object.keys(this.tables.messages)
  }

  /** A field of a type of the schema, with the marks of SchemaTables. */
  field(number: number, name: string, typeName: string, marks: string, value?: string | number | boolean): FieldInfo {
    const isMessage = Object.hasOwn(this.tables.messages, typeName)
    const isEnum = Object.hasOwn(this.tables.enums, typeName)
    const field: FieldInfo = {
      name,
      number,
      type: isMessage ? 'message' : isEnum ? 'enum' : (typeName as ScalarType),
      typeName,
      repeated: marks.includes('*'),
      required: marks.includes('!'),
      packed: marks.includes('#'),
      array: marks.includes('@'),
      fork: marks.includes('+'),
      default: value,
      message: undefined,
      enum: undefined,
    }
    // a layer has a hundred messages, of which a net uses five
    if (isMessage) late(field, 'message', () => this.message(typeName))
    if (isEnum) late(field, 'enum', () => this.enum(typeName))
    return field
  }

  private build(name: string): OpenMessageInfo {
    const fields: FieldInfo[] = []
    const byName = new Map<string, FieldInfo>()
    const byNumber = new Map<number, FieldInfo>()
    const required: FieldInfo[] = []
    const arrays: FieldInfo[] = []
    const take = (field: FieldInfo): void => {
      fields.push(field)
      byName.set(field.name, field)
      if (field.number) byNumber.set(field.number, field)
    }
    const sort = (): unknown => fields.sort((a, b) => (a.number || LAST) - (b.number || LAST))
    const add = (field: FieldInfo): void => {
      const old = byName.get(field.name)
      if (old) fields.splice(fields.indexOf(old), 1)
      if (old?.number) byNumber.delete(old.number)
      take(field)
      sort()
    }
    const info = { name, fields, byName, byNumber, required, arrays, add }
    // before its fields, which may be messages of its own kind
    this.messages.set(name, info)
    let last = 0
    for (const row of this.tables.messages[name].split(';')) {
      const [, number = last + 1, own, short, marks, value] = ROW.exec(row)!
      last = Number(number)
      const type = short === '_' ? namesake(own) : short[0] === '.' ? name + short : (SCALARS[short] ?? short)
      take(this.field(last, own, type, marks, this.defaultOf(type, value)))
    }
    sort()
    required.push(...fields.filter(field => field.required))
    arrays.push(...fields.filter(field => field.array))
    return info
  }

  private defaultOf(type: string, value: string | undefined): string | number | boolean | undefined {
    if (value === undefined || type === 'string' || Object.hasOwn(this.tables.enums, type)) return value
    return type === 'bool' ? value === 'true' : Number(value)
  }

  private enum(name: string): EnumInfo {
    const known = this.enums.get(name)
    if (known) return known
    let last = -1
    const pairs = this.tables.enums[name].split(' ').map((word): [string, number] => {
      const [value, number = last + 1] = word.split('=')
      last = Number(number)
      return [value, last]
    })
    const info: EnumInfo = {
      names: pairs.map(([value]) => value),
      byName: new Map(pairs),
      byNumber: new Map(pairs.map(([value, number]) => [number, value])),
    }
    this.enums.set(name, info)
    return info
  }
}
