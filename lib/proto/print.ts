import type { Messages, NetParameter, SolverParameter } from '../generated/caffe.js'
import { shortFloat } from '../system/format.js'
import { keptOf } from './kept.js'
import { checkMessage } from './message.js'
import { type FieldInfo, type MessageInfo, type MessageName, messageInfo, type PlainMessage } from './schema.js'

/** The text of a net description, as Caffe reads it. */
export function printNet(net: NetParameter): string {
  return printText('NetParameter', net)
}

/** The text of a solver description, as Caffe reads it. */
export function printSolver(solver: SolverParameter): string {
  return printText('SolverParameter', solver)
}

/**
 * The text of a message, which is checked like a hand-written one first: fields in the order of their numbers, two
 * spaces for each level. Fields that the schema does not know stand last, as they were in the text that they came from;
 * those of binary files have no names and are left out.
 */
export function printText<K extends MessageName>(type: K, value: Messages[K]): string {
  const lines: string[] = []
  printMessage(messageInfo(type), checkMessage(type, value) as PlainMessage, '', lines)
  return lines.join('')
}

function printMessage(info: MessageInfo, message: PlainMessage, indent: string, lines: string[]): void {
  for (const field of info.fields) {
    const value = message[field.name]
    if (value === undefined) continue
    if (field.repeated) for (const item of value as Iterable<unknown>) printField(field, item, indent, lines)
    else printField(field, value, indent, lines)
  }
  for (const { text } of keptOf(message)) lines.push(`${indent}${text}\n`)
}

function printField(field: FieldInfo, value: unknown, indent: string, lines: string[]): void {
  if (field.message) {
    lines.push(`${indent}${field.name} {\n`)
    printMessage(field.message, value as PlainMessage, `${indent}  `, lines)
    lines.push(`${indent}}\n`)
  } else lines.push(`${indent}${field.name}: ${scalarText(field, value)}\n`)
}

/** A value of a field in one line: as text has it, messages in braces. */
export function valueText(field: FieldInfo, value: unknown): string {
  if (!field.message) return scalarText(field, value)
  const parts = field.message.fields.flatMap(inner => {
    const own = (value as PlainMessage)[inner.name]
    if (own === undefined) return []
    const all = inner.repeated ? [...(own as Iterable<unknown>)] : [own]
    return all.map(item => `${inner.name}${inner.message ? '' : ':'} ${valueText(inner, item)}`)
  })
  return parts.length ? `{ ${parts.join(' ')} }` : '{ }'
}

function scalarText(field: FieldInfo, value: unknown): string {
  if (field.type === 'string') return quoted(value as string)
  if (field.type === 'bytes') return quotedBytes(value as Uint8Array)
  if (field.type !== 'float' && field.type !== 'double') return String(value)
  const number = field.type === 'float' ? shortFloat(value as number) : (value as number)
  if (Number.isNaN(number)) return 'nan'
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf'
  return Object.is(number, -0) ? '-0' : String(number)
}

const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\' }
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that need escaping
const UNPRINTABLE = /[\x00-\x1F"\\\x7F]/g
/** What a terminal would obey beside them, as UTF-8: C1 controls, ends of lines, turns of direction. */
const OBEYED = /[\x80-\x9F\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]/g
const octets = (char: string): string =>
  Array.from(new TextEncoder().encode(char), byte => escaped(String.fromCharCode(byte))).join('')

const escaped = (char: string): string => NAMED[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`

/** Characters beyond ASCII stay as they are: Caffe reads UTF-8. */
const quoted = (text: string): string => `"${text.replace(UNPRINTABLE, escaped).replace(OBEYED, octets)}"`

const quotedBytes = (bytes: Uint8Array): string => {
  const parts = Array.from(bytes, byte =>
    byte < 128 ? String.fromCharCode(byte).replace(UNPRINTABLE, escaped) : escaped(String.fromCharCode(byte)),
  )
  return `"${parts.join('')}"`
}
