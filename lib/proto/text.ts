import { FormatError } from '../errors.js'
import type { Messages, NetParameter, SolverParameter } from '../generated/caffe.js'
import { checkMessage } from './message.js'
import {
  type EnumInfo,
  type FieldInfo,
  type MessageInfo,
  type MessageName,
  messageInfo,
  type PlainMessage,
  shortFloat,
  unknownField,
} from './schema.js'

// The text form of the messages (prototxt), after the grammar of protobuf's text format.
//
// Why not protobufjs' own reader, ext/textformat: it reports no line for a wrong value, an unknown enum name or a field
// given twice,
// and its message classes come from `new Function`, which a strict content security policy forbids. Following the plain
// schema
// takes neither, reads a 7,000-line net in 7 ms instead of 60, and keeps 23 kB of reflection (compressed) out of
// browser bundles.
// The tests hold this reader against ext/textformat.

/** How a prototxt is read. */
export interface TextOptions {
  /** Name of the file the text came from, for error messages. */
  file?: string
}

/** Read a net description. Old forms are read as they stand: upgradeNet brings them up to date. */
export function parseNet(text: string, options?: TextOptions): NetParameter {
  return parseText('NetParameter', text, options)
}

/** Read a solver description. */
export function parseSolver(text: string, options?: TextOptions): SolverParameter {
  return parseText('SolverParameter', text, options)
}

/** The text of a net description, as Caffe reads it. */
export function printNet(net: NetParameter): string {
  return printText('NetParameter', net)
}

/** The text of a solver description, as Caffe reads it. */
export function printSolver(solver: SolverParameter): string {
  return printText('SolverParameter', solver)
}

/** Read a message of the given type: a plain object with only the fields that were written. */
export function parseText<K extends MessageName>(
  type: K,
  text: string,
  { file = 'prototxt' }: TextOptions = {},
): Messages[K] {
  return new TextReader(text, file).message(messageInfo(type), undefined) as Messages[K]
}

type Kind = 'word' | 'number' | 'string' | 'mark' | 'end'

const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?/y
const AFTER_NUMBER = /[A-Za-z0-9_.]/
const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([abfnrtv?\\'"]))/y
const ESCAPED: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const MARKS = '{}<>:[],;-'
const CLOSING: Record<string, string> = { '{': '}', '<': '>' }
const INTEGER_RANGE: Record<string, readonly [low: number, high: number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
}
const encoder = new TextEncoder()

/** Reads one text: `kind` and `text` are the token at hand, `line` is where it stands. */
class TextReader {
  private pos = 0
  private line = 1
  private kind: Kind = 'end'
  private text = ''
  /** Of a string token: stretches of text, and bytes that were written as \xFF or \377. */
  private parts: (string | number)[] = []

  constructor(
    private readonly source: string,
    private readonly file: string,
  ) {
    if (source.startsWith('\uFEFF')) this.pos = 1
    this.advance()
  }

  /**
   * The fields up to the bracket `close`, or to the end of the text. No message of the schema can hold itself, so
   * recursion ends.
   */
  message(info: MessageInfo, close?: string, opened = 1): PlainMessage {
    const message: PlainMessage = {}
    while (close ? !this.at(close) : this.kind !== 'end') {
      if (this.kind === 'end')
        this.fail(`the text ends inside ${info.name}: '${close}' is missing for the bracket of line ${opened}`)
      this.field(info, message)
      if (!this.take(',')) this.take(';')
    }
    for (const field of info.required)
      if (message[field.name] === undefined) this.fail(`${info.name} needs ${field.name}`)
    if (close) this.advance()
    for (const field of info.fields) {
      if (!field.array || !message[field.name]) continue
      const values = message[field.name] as number[]
      message[field.name] = field.type === 'double' ? Float64Array.from(values) : Float32Array.from(values)
    }
    return message
  }

  private field(info: MessageInfo, message: PlainMessage): void {
    if (this.kind !== 'word') this.fail(`a field name of ${info.name} is expected, not ${this.shown()}`)
    const name = this.text
    const field = info.byName.get(name)
    if (!field) this.fail(unknownField(info, name))
    if (!field.repeated && message[name] !== undefined) this.fail(`${name} is given twice in one ${info.name}`)
    this.advance()
    if (!this.take(':') && !field.message) this.fail(`':' is missing after ${name}`)
    if (!field.repeated) {
      message[name] = this.value(field)
      return
    }
    const values = (message[name] ??= []) as unknown[]
    if (!this.take('[')) values.push(this.value(field))
    else if (!this.take(']')) {
      do values.push(this.value(field))
      while (this.take(','))
      if (!this.take(']')) this.fail(`',' or ']' is expected in the list of ${name}, not ${this.shown()}`)
    }
  }

  private value(field: FieldInfo): unknown {
    if (field.message) {
      const close = this.kind === 'mark' ? CLOSING[this.text] : undefined
      if (!close) this.fail(`${field.name} is a ${field.typeName} and needs '{', not ${this.shown()}`)
      const { line } = this
      this.advance()
      return this.message(field.message, close, line)
    }
    if (field.type === 'string' || field.type === 'bytes') return this.stringValue(field)
    const sign = this.take('-') ? '-' : ''
    const value = field.enum
      ? this.enumValue(field, field.enum, sign)
      : field.type === 'bool'
        ? this.boolValue(field, sign)
        : field.type === 'float' || field.type === 'double'
          ? this.floatValue(field, sign)
          : this.integerValue(field, sign)
    this.advance()
    return value
  }

  private enumValue(field: FieldInfo, names: EnumInfo, sign: string): string {
    if (this.kind === 'word' && !sign && names.byName.has(this.text)) return this.text
    const name = this.kind === 'number' ? names.byNumber.get(this.integerValue(field, sign)) : undefined
    return name ?? this.fail(`${field.name} cannot be ${this.shown(sign)}; it is one of ${names.names.join(', ')}`)
  }

  private boolValue(field: FieldInfo, sign: string): boolean {
    if (this.kind === 'word' && !sign && ['true', 'True', 't'].includes(this.text)) return true
    if (this.kind === 'word' && !sign && ['false', 'False', 'f'].includes(this.text)) return false
    const number = this.kind === 'number' && !sign ? this.integerValue(field, sign) : -1
    if (number !== 0 && number !== 1) this.fail(`${field.name} is true or false, not ${this.shown(sign)}`)
    return number === 1
  }

  private floatValue(field: FieldInfo, sign: string): number {
    let value = Number.NaN
    if (this.kind === 'word' && /^inf(inity)?$/i.test(this.text)) value = Number.POSITIVE_INFINITY
    else if (this.kind === 'number' && !/^0[0-9xX]/.test(this.text)) value = Number(this.text.replace(/[fF]$/, ''))
    else if (this.kind !== 'word' || !/^nan$/i.test(this.text))
      this.fail(`${field.name} is a number, not ${this.shown(sign)}`)
    const signed = sign ? -value : value
    return field.type === 'float' ? shortFloat(signed) : signed
  }

  /** Decimal, 0x hexadecimal or 0 octal. */
  private integerValue(field: FieldInfo, sign: string): number {
    const isInteger = this.kind === 'number' && /^(0[xX].*|0[0-7]*|[1-9][0-9]*)$/.test(this.text)
    if (!isInteger) this.fail(`${field.name} is an integer, not ${this.shown(sign)}`)
    const size = Number(this.text.replace(/^0(?=[0-7])/, '0o'))
    const value = sign && size ? -size : size
    const [low, high] = INTEGER_RANGE[field.enum ? 'int32' : field.type === 'bool' ? 'uint32' : field.type]
    if (value < low || value > high)
      this.fail(`${field.name} cannot be ${this.shown(sign)}: it goes from ${low} to ${high}`)
    return value
  }

  /** One or more quoted strings in a row, which make one value. */
  private stringValue(field: FieldInfo): string | Uint8Array {
    if (this.kind !== 'string') this.fail(`${field.name} is a string in quotes, not ${this.shown()}`)
    const parts: (string | number)[] = []
    for (; this.kind === 'string'; this.advance()) for (const part of this.parts) parts.push(part)
    if (field.type === 'string' && parts.every(part => typeof part === 'string')) return parts.join('')
    const bytes = joinBytes(parts)
    return field.type === 'bytes' ? bytes : new TextDecoder().decode(bytes)
  }

  private at(mark: string): boolean {
    return this.kind === 'mark' && this.text === mark
  }

  /** Step over the mark if it is the token at hand. */
  private take(mark: string): boolean {
    if (!this.at(mark)) return false
    this.advance()
    return true
  }

  private advance(): void {
    this.skipSpace()
    const { source, pos } = this
    if (pos >= source.length) {
      this.kind = 'end'
      this.text = ''
      return
    }
    const first = source[pos]
    if (first === '"' || first === "'") this.scanString(first)
    else if (this.match(WORD)) this.kind = 'word'
    else if (this.match(NUMBER)) {
      this.kind = 'number'
      const after = source[this.pos]
      if (after !== undefined && AFTER_NUMBER.test(after)) this.fail(`'${this.text}${after}' is not a number`)
    } else if (MARKS.includes(first)) {
      this.kind = 'mark'
      this.text = first
      this.pos++
    } else
      this.fail(`a character that has no place here: ${JSON.stringify(String.fromCodePoint(source.codePointAt(pos)!))}`)
  }

  private match(pattern: RegExp): boolean {
    pattern.lastIndex = this.pos
    const found = pattern.exec(this.source)
    if (!found) return false
    this.text = found[0]
    this.pos += this.text.length
    return true
  }

  private skipSpace(): void {
    const { source } = this
    let pos = this.pos
    for (; pos < source.length; pos++) {
      const char = source[pos]
      if (char === '#') {
        const end = source.indexOf('\n', pos)
        pos = end < 0 ? source.length - 1 : end
        if (end >= 0) this.line++
      } else if (char === '\n') this.line++
      else if (char !== ' ' && char !== '\t' && char !== '\r' && char !== '\v' && char !== '\f') break
    }
    this.pos = pos
  }

  private scanString(quote: string): void {
    const { source } = this
    const start = this.pos
    this.kind = 'string'
    this.parts = []
    let from = start + 1
    for (let pos = from; pos < source.length; ) {
      const char = source[pos]
      if (char === '\n') break
      if (char !== quote && char !== '\\') {
        pos++
        continue
      }
      if (pos > from) this.parts.push(source.slice(from, pos))
      if (char === quote) {
        this.pos = pos + 1
        this.text = source.slice(start, this.pos)
        return
      }
      ESCAPE.lastIndex = pos
      const found = ESCAPE.exec(source)
      if (!found) this.fail(`'${source.slice(pos, pos + 2)}' is no escape sequence`)
      this.parts.push(this.unescape(found))
      pos += found[0].length
      from = pos
    }
    this.fail(`the string ${source.slice(start, start + 40).split('\n')[0]} is not closed in its line`)
  }

  private unescape([all, octal, hex, short, long, letter]: RegExpExecArray): string | number {
    if (letter) return ESCAPED[letter] ?? letter
    if (octal || hex) {
      const byte = (octal ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16)) & 255
      return byte < 128 ? String.fromCharCode(byte) : byte
    }
    const code = Number.parseInt(short ?? long, 16)
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) this.fail(`'${all}' is no character`)
    return String.fromCodePoint(code)
  }

  private shown(sign = ''): string {
    if (this.kind === 'end') return 'the end of the text'
    const text = this.text.length > 40 ? `${this.text.slice(0, 40)}…` : this.text
    return this.kind === 'string' ? text : `'${sign}${text}'`
  }

  private fail(message: string): never {
    throw new FormatError(`${this.file}:${this.line}: ${message}`)
  }
}

function joinBytes(parts: readonly (string | number)[]): Uint8Array {
  const chunks = parts.map(part => (typeof part === 'string' ? encoder.encode(part) : Uint8Array.of(part)))
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/**
 * The text of a message, which is checked like a hand-written one first: fields in the order of their numbers, two
 * spaces for each level. Fields that the schema does not know have no names and are left out.
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
}

function printField(field: FieldInfo, value: unknown, indent: string, lines: string[]): void {
  if (field.message) {
    lines.push(`${indent}${field.name} {\n`)
    printMessage(field.message, value as PlainMessage, `${indent}  `, lines)
    lines.push(`${indent}}\n`)
  } else lines.push(`${indent}${field.name}: ${scalarText(field, value)}\n`)
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

const escaped = (char: string): string => NAMED[char] ?? `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`

/** Characters beyond ASCII stay as they are: Caffe reads UTF-8. */
const quoted = (text: string): string => `"${text.replace(UNPRINTABLE, escaped)}"`

const quotedBytes = (bytes: Uint8Array): string => {
  const parts = Array.from(bytes, byte =>
    byte < 128 ? String.fromCharCode(byte).replace(UNPRINTABLE, escaped) : escaped(String.fromCharCode(byte)),
  )
  return `"${parts.join('')}"`
}
