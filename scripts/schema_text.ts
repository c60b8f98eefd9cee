import protobuf from 'protobufjs'
import { namesake, SCALARS } from '../lib/proto/fields.js'
import { isAdded, isOfLayer, isOfText } from './proto_root.js'
import { namedType, nameTypes } from './schema_names.js'

/** Fields whose repeated floats are tensor values: they are held as typed arrays, not as lists of options. */
const isTensor = (field: protobuf.Field, owner: protobuf.Type): boolean =>
  ['BlobProto', 'Datum'].includes(owner.name) || field.name === 'float_data'

const NUMBERS = new Set(['int32', 'uint32', 'int64', 'uint64', 'float', 'double'])

interface FieldFacts {
  /** 0: of prototxts alone. */
  number: number
  name: string
  /** Scalar type, or the full name of a message or enum without the package: 'PoolingParameter.Engine'. */
  type: string
  /**
   * 'optional', 'required' or 'repeated', the last with 'packed' and 'array' (typed array) where they apply; 'fork'
   * behind it where Caffe 1.0 has no such field in the message.
   */
  label: string
  default?: string | number | boolean
  kind: 'scalar' | 'message' | 'enum'
  /** Of a string whose values are known: the union of them. */
  names: string | undefined
  comment: string | null
}

/** `isCaffe`: with names of known values, and types of messages with their defaults. */
export async function schemaText(scope: protobuf.Namespace, isCaffe: boolean): Promise<string> {
  const messages: protobuf.Type[] = []
  const enums: protobuf.Enum[] = []
  const collect = (space: protobuf.NamespaceBase): void => {
    for (const item of space.nestedArray) {
      if (item instanceof protobuf.Type) messages.push(item)
      if (item instanceof protobuf.Enum) enums.push(item)
      if (item instanceof protobuf.Namespace) collect(item)
    }
  }
  collect(scope)
  const nameOf = (item: protobuf.ReflectionObject): string => item.fullName.slice(scope.fullName.length + 1)
  const facts = new Map(
    messages.map(message => [message, message.fieldsArray.map(field => fieldFacts(field, message, nameOf))]),
  )

  const lines = [
    "import type { SchemaTables } from '../proto/fields.js'",
    '',
    ...enums.flatMap(item => [
      ...enumDoc(item, enumComment(nameOf(item), facts)),
      `export type ${typeName(nameOf(item))} = ${Object.keys(item.values).map(quote).join(' | ')}`,
    ]),
    ...(isCaffe ? await nameTypes() : []),
    '',
  ]
  for (const message of messages)
    lines.push(...interfaceLines(message.name, message.comment, facts.get(message)!, isCaffe), '')
  lines.push('/** Message types by name. */', 'export interface Messages {')
  for (const message of messages) lines.push(`  ${message.name}: ${message.name}`)
  if (isCaffe) {
    lines.push('}', '', '/** Message types by name, defaults applied. */', 'export interface FilledMessages {')
    for (const message of messages) lines.push(`  ${message.name}: Filled${message.name}`)
  }
  lines.push(
    '}',
    '',
    '/** The enums and messages as lib/proto/fields.ts reads them. */',
    'export const schema: SchemaTables = {',
    '  enums: {',
  )
  for (const item of enums) lines.push(`    ${quote(nameOf(item))}: ${quote(enumText(item))},`)
  lines.push('  },', '  messages: {')
  for (const message of messages)
    lines.push(`    ${message.name}: ${quote(messageText(message.name, facts.get(message)!))},`)
  lines.push('  },', '}', '')
  return lines.join('\n')
}

/** Names, each with its number where that is not the one after the last. */
function enumText(item: protobuf.Enum): string {
  let last = -1
  const words = Object.entries(item.values).map(([name, number]) => {
    const word = number === last + 1 ? name : `${name}=${number}`
    last = number
    return word
  })
  return words.join(' ')
}

const letters = new Map<string, string>(Object.entries(SCALARS).map(([letter, type]) => [type, letter]))

/** A field's type, as short as lib/proto/fields.ts reads it. */
function shortType(message: string, field: string, type: string): string {
  if (type === namesake(field)) return '_'
  if (type.startsWith(`${message}.`)) return type.slice(message.length)
  return letters.get(type) ?? type
}

/** Fields as `[number] name type marks [=default]`, the number where it is not the one after the last. */
function messageText(message: string, fields: readonly FieldFacts[]): string {
  let last = 0
  const rows = fields.map(({ number, name, type, label, default: value }) => {
    const head = number === last + 1 ? '' : `${number} `
    last = number
    const marks = label.replace(/\w+ ?/g, word => MARKS[word.trim()])
    if (/[;'\\]/.test(String(value))) throw new Error(`the default of ${name} has a character that ends it`)
    return `${head}${name} ${shortType(message, name, type)}${marks}${value === undefined ? '' : `=${value}`}`
  })
  return rows.join(';')
}

const MARKS: Readonly<Record<string, string>> = {
  optional: '',
  required: '!',
  repeated: '*',
  packed: '#',
  array: '@',
  fork: '+',
}

function fieldFacts(
  field: protobuf.Field,
  owner: protobuf.Type,
  nameOf: (item: protobuf.ReflectionObject) => string,
): FieldFacts {
  const resolved = field.resolvedType
  const kind = resolved instanceof protobuf.Enum ? 'enum' : resolved ? 'message' : 'scalar'
  const array = field.repeated && (field.type === 'double' || (field.type === 'float' && isTensor(field, owner)))
  const label = [
    field.repeated ? 'repeated' : field.required ? 'required' : 'optional',
    field.repeated && field.options?.['packed'] ? 'packed' : '',
    array ? 'array' : '',
    isAdded(field) ? 'fork' : '',
  ]
    .filter(Boolean)
    .join(' ')
  const written = field.options?.['default'] as string | number | boolean | undefined
  return {
    number: isOfText(field) ? 0 : field.id,
    name: field.name,
    type: resolved ? nameOf(resolved) : field.type,
    label,
    default: written !== undefined && NUMBERS.has(field.type) ? Number(written) : written,
    kind,
    names: namedType(`${owner.name}.${field.name}`),
    // the options of a layer are what their message says
    comment: field.comment ?? (isOfLayer(owner) && resolved instanceof protobuf.Type ? resolved.comment : null),
  }
}

type Facts = ReadonlyMap<protobuf.Type, readonly FieldFacts[]>

/** Which fields take an enum. */
function enumComment(name: string, facts: Facts): string {
  const users = [...facts].flatMap(([message, fields]) =>
    fields.filter(({ type }) => type === name).map(field => `${message.name}.${field.name}`),
  )
  return `Values of ${users.join(', ')}.`
}

/** What an enum is for, and its values where their names do not say it. */
function enumDoc({ values, comments }: protobuf.Enum, use: string): string[] {
  const known = Object.keys(values).filter(value => comments[value])
  if (!known.length) return doc(use, '')
  const lines = known.map(value => ` * - \`${value}\`: ${sentence(comments[value]!)}`)
  return ['/**', ` * ${use}`, ' *', ...lines, ' */']
}

/** A field's comment, with its default. */
const fieldComment = ({ comment, default: value }: FieldFacts): string | null =>
  [comment && sentence(comment), value === undefined ? '' : `Default: ${value === '' ? 'empty' : value}.`]
    .filter(Boolean)
    .join(' ') || null

/** A comment as a sentence: a word at its start gets a capital letter, a name or formula does not. */
const sentence = (comment: string): string =>
  comment
    .replaceAll('\n', ' ')
    .replace(/^(?:a|[a-z]{2,}(?:'s)?)(?=[ ,:;.]|$)/, word => word[0].toUpperCase() + word.slice(1))
    .replace(/[^.:]$/, '$&.')

/**
 * The message with everything optional, and `Filled…`: the same with repeated fields and defaults certain to be there.
 */
function interfaceLines(
  name: string,
  comment: string | null,
  fields: readonly FieldFacts[],
  withFilled: boolean,
): string[] {
  const plain = fields.flatMap(field => [...doc(fieldComment(field), '  '), `  ${field.name}?: ${valueType(field)}`])
  const filled = fields
    .filter(field => field.label.startsWith('repeated') || field.default !== undefined)
    .map(field => `  ${field.name}: ${valueType(field)}`)
  const lines = [...doc(comment, ''), `export interface ${name} {`, ...plain, '}']
  if (!withFilled) return lines
  return [
    ...lines,
    `/** ${name} with its defaults. */`,
    filled.length ? `export interface Filled${name} extends ${name} {` : `export type Filled${name} = ${name}`,
    ...(filled.length ? [...filled, '}'] : []),
  ]
}

function valueType(field: FieldFacts): string {
  if (field.label.includes('array')) return field.type === 'double' ? 'Float64Array' : 'Float32Array'
  const one = field.names ?? (field.kind === 'scalar' ? scalarType(field.type) : typeName(field.type))
  return field.label.startsWith('repeated') ? `${one}[]` : one
}

function scalarType(type: string): string {
  if (NUMBERS.has(type)) return 'number'
  if (type === 'bool') return 'boolean'
  if (type === 'bytes') return 'Uint8Array'
  if (type === 'string') return 'string'
  throw new Error(`proto/*.proto uses type ${type}, which the readers do not know`)
}

/** Caffe's C++ name of a nested type: PoolingParameter_Engine. */
const typeName = (name: string): string => name.replaceAll('.', '_')

const quote = (text: string): string => `'${text}'`

const doc = (comment: string | null, indent: string): string[] =>
  comment ? [`${indent}/** ${comment.replaceAll('\n', ' ').replaceAll('*/', '* /')} */`] : []
