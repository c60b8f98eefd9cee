import { FormatError, joinErrors, RistrettoError } from '../errors.js'
import type { Messages, NetParameter, SolverParameter } from '../generated/caffe.js'
import { whatIs } from '../system/arguments.js'
import { aList, anything, checkOptions } from '../system/check_options.js'
import { shortFloat } from '../system/format.js'
import { didYouMean, oneOf } from '../system/names.js'
import { keep } from './kept.js'
import { newerType, olderType } from './old_types.js'
import { advanceQuietly, rememberPlace, skipValue, WHOLE } from './places.js'
import { errorAt, Scanner, Source } from './scanner.js'
import {
  type EnumInfo,
  type FieldInfo,
  fieldNames,
  isLayer,
  type MessageInfo,
  type MessageName,
  messageInfo,
  otherFile,
  type PlainMessage,
  unknownField,
  type ValueKind,
} from './schema.js'

// The text form of the messages (prototxt), after the grammar of protobuf's text format.
//
// Why not protobufjs' own reader, ext/textformat: it reports no line for a wrong value, an unknown enum name or a field
// given twice, and its message classes come from `new Function`, which a strict content security policy forbids.
// Following the plain schema takes neither, reads a 7,000-line net in 7 ms instead of 60, and keeps 23 kB of reflection
// (compressed) out of browser bundles. The tests hold this reader against ext/textformat.

/** How a prototxt is read. */
export interface TextOptions {
  /** Name of the file the text came from, for error messages. */
  file?: string
  /**
   * Takes what is wrong with the text, in its order: reading then goes on behind each mistake, and what could be read
   * is returned. Left out, all of it is thrown as one FormatError, whose `causes` they are.
   */
  errors?: FormatError[]
}

/** Read a net description. Old forms are read as they stand: upgradeNet brings them up to date. */
export function parseNet(text: string, options?: TextOptions): NetParameter {
  return parseText('NetParameter', text, options)
}

/** Read a solver description. */
export function parseSolver(text: string, options?: TextOptions): SolverParameter {
  return parseText('SolverParameter', text, options)
}

/** Read a message of the given type: a plain object with only the fields that were written. */
export function parseText<K extends MessageName>(type: K, text: string, options: TextOptions = {}): Messages[K] {
  checkOptions('reading a text', options, { file: anything, errors: aList })
  const steps = readText(type, text, options)
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
}

/** The same in steps, of one field on top or of some thousand values: whoever reads large texts can let others have their turn. */
export function* readText<K extends MessageName>(
  type: K,
  text: string,
  { file = 'prototxt', errors }: TextOptions = {},
): Generator<void, Messages[K]> {
  if (typeof text !== 'string')
    throw new RistrettoError(
      `the text of a prototxt is wanted, not ${whatIs(text)}: bytes and paths are read by Net.create`,
    )
  const found: FormatError[] = []
  const reader = new TextReader(new Source(text, file), found)
  const info = messageInfo(type)
  const message = reader.start(info)
  while (yield* reader.next(info, message)) yield
  reader.finish(info, message)
  if (errors) errors.push(...found)
  else if (found.length) throw joinErrors(found)
  return message as Messages[K]
}

const CLOSING: Record<string, string> = { '{': '}', '<': '>' }
const INTEGER_RANGE: Record<string, readonly [low: number, high: number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
}
/** After so many mistakes the text is taken for something else. */
const MAX_ERRORS = 100
/** Messages in one text, and values of one field that is no tensor: far beyond any net, long before memory is short. */
const MAX_PIECES = 1 << 20
const encoder = new TextEncoder()

/** A message that has been opened: where, and the bracket that closes it ('' for the text itself). */
interface Open {
  readonly info: MessageInfo
  readonly at: number
  readonly close: string
}

class TextReader {
  private readonly scanner: Scanner
  private readonly open: Open[] = []
  private pieces = 0
  /** Fields and values inside messages so far. */
  private read = 0
  /** How many closing brackets the text lacks; counted when it matters. */
  private lacking: number | undefined
  private stopped = false

  constructor(
    private readonly source: Source,
    private readonly errors: FormatError[],
  ) {
    this.scanner = new Scanner(source)
  }

  /** The message that the text is. */
  start(info: MessageInfo): PlainMessage {
    const message: PlainMessage = {}
    rememberPlace(message, this.source, WHOLE)
    this.open.push({ info, at: 0, close: '' })
    this.enter()
    return message
  }

  /** Go to the first token inside a message. */
  private enter(): void {
    try {
      this.scanner.advance()
    } catch (error) {
      this.note(error)
      this.recover(-1)
    }
  }

  /** Read one field; false at the end of the message. A mistake is noted, and stepped over. */
  *next(info: MessageInfo, message: PlainMessage): Generator<void, boolean> {
    const { scanner, open } = this
    const { close } = open[open.length - 1]
    if (this.stopped || scanner.kind === 'end' || (close && scanner.is(close))) return false
    if (close && scanner.kind === 'word' && !info.byName.has(scanner.text) && this.isBehindItsMessage()) return false
    const depth = open.length
    const { at } = scanner
    try {
      yield* this.field(info, message)
      if (!scanner.take(',')) scanner.take(';')
    } catch (error) {
      this.note(error)
      open.length = depth
      this.recover(at)
    }
    return !this.stopped
  }

  /** What is done when all fields of a message are read. */
  finish(info: MessageInfo, message: PlainMessage): void {
    for (const field of info.required)
      if (message[field.name] === undefined && !this.stopped) this.note(this.error(`${info.name} needs ${field.name}`))
    for (const field of info.arrays) {
      const values = message[field.name] as number[] | undefined
      if (values) message[field.name] = field.type === 'double' ? new Float64Array(values) : new Float32Array(values)
    }
  }

  /** The message that is opened by the token at hand. No message of the schema can hold itself, so recursion ends. */
  private *message(info: MessageInfo, start: number): Generator<void, PlainMessage> {
    const { scanner } = this
    const message: PlainMessage = {}
    if (++this.pieces > MAX_PIECES) this.fail(`more than ${MAX_PIECES} messages in one text`, true)
    if (isLayer(info)) rememberPlace(message, this.source, start)
    const close = CLOSING[scanner.text]
    this.open.push({ info, at: scanner.at, close })
    this.enter()
    while (yield* this.next(info, message)) if (this.isTurn()) yield
    const closed = scanner.is(close)
    if (scanner.kind === 'end' && !this.stopped) this.noteEnd()
    else if (closed || !this.stopped) this.finish(info, message)
    this.open.pop()
    if (closed) scanner.advance()
    return message
  }

  private *field(info: MessageInfo, message: PlainMessage): Generator<void> {
    const { scanner } = this
    if (scanner.kind !== 'word') {
      const closed = scanner.is('}') && this.open.length === 1 ? ': every bracket before it is closed' : ''
      this.fail(`a field name of ${info.name} is expected, not ${this.shown()}${closed}`)
    }
    const { text: name, at } = scanner
    const field = info.byName.get(name)
    if (!field) {
      this.unknown(info, message, name)
      return
    }
    if (!field.repeated && message[name] !== undefined)
      this.note(this.error(`${name} is given twice in one ${info.name}`))
    scanner.advance()
    if (!scanner.take(':') && !field.message) this.fail(`':' is missing after ${name}`)
    if (field.enum && this.isForeign(info, field, field.enum)) {
      const problem = `${name} cannot be ${this.shown()}${oneOf(scanner.text, field.enum.names)}`
      scanner.advance()
      this.keep(message, name, at, problem)
      return
    }
    if (!field.repeated) {
      message[name] = field.message ? yield* this.opened(field, field.message, at) : this.value(info, field)
      return
    }
    const values = (message[name] ??= []) as unknown[]
    const list = scanner.take('[')
    if (!list || !scanner.take(']')) {
      do {
        values.push(field.message ? yield* this.opened(field, field.message, at) : this.value(info, field))
        if (list && this.isTurn()) yield
      } while (list && scanner.take(','))
      if (list && !scanner.take(']')) this.fail(`',' or ']' is expected in the list of ${name}, not ${this.shown()}`)
    }
    if (values.length > MAX_PIECES && !field.array) this.fail(`more than ${MAX_PIECES} values of ${name}`, true)
  }

  /** A field that the schema does not know: one of a fork, which is kept as it stands, or a mistake. */
  private unknown(info: MessageInfo, message: PlainMessage, name: string): void {
    const { scanner } = this
    // what follows belongs to another message, too
    if (otherFile(info, name)) this.fail(unknownField(info, name), true)
    const { at } = scanner
    const kind = scanner.opensMessage ? 'message' : 'scalar'
    const problem = unknownField(info, name, kind)
    const mistake = scanner.isField && !this.isMistaken(info, name, kind) ? undefined : this.error(problem)
    scanner.advance()
    scanner.take(':')
    const { line } = this
    const whole = this.skipValues()
    if (mistake) this.note(mistake)
    // within a message its own bracket is missing, too
    else if (!whole && this.open.length === 1)
      this.fail(
        scanner.kind === 'end'
          ? `the text ends inside the value of ${name.slice(0, 80)}, which begins in line ${line}`
          : `the value of ${name.slice(0, 80)} is expected, not ${this.shown()}`,
      )
    else if ((scanner.kind as string) !== 'end' || this.open.length === 1) this.keep(message, name, at, problem)
  }

  /** A name that is nearly that of a field, or that of a field elsewhere, is no fork's but a mistake. */
  private isMistaken(info: MessageInfo, name: string, kind: ValueKind): boolean {
    if (info.declared || this.open.some(({ info }) => info.byName.has(name))) return true
    if (info.name === 'LayerParameter' && name.endsWith('_param')) return false
    return (
      didYouMean(name, fieldNames(info, kind)) !== '' ||
      info.fields.some(field => !field.fork && field.message?.byName.has(name))
    )
  }

  /** Keep what stands between `start` and the token at hand. */
  private keep(message: PlainMessage, name: string, start: number, problem: string): void {
    if (++this.pieces > MAX_PIECES) this.fail(`more than ${MAX_PIECES} messages in one text`, true)
    keep(message, { name, text: this.source.text.slice(start, this.scanner.before), problem })
  }

  /** Step over a value, or a list of them; returns whether it was whole. */
  private skipValues(): boolean {
    const { scanner } = this
    const list = scanner.take('[')
    if (list && scanner.take(']')) return true
    let whole = true
    do whole = skipValue(scanner) && whole
    while (list && scanner.take(','))
    return (!list || scanner.take(']')) && whole
  }

  /** Of the token at hand. */
  private get line(): number {
    return this.source.line(this.scanner.at)
  }

  /** The message at the token at hand, of the field whose name is at `start`. */
  private *opened(field: FieldInfo, info: MessageInfo, start: number): Generator<void, PlainMessage> {
    const { kind, text } = this.scanner
    if (kind !== 'mark' || !CLOSING[text])
      this.fail(`${field.name} is a ${field.typeName} and needs '{', not ${this.shown()}`)
    return yield* this.message(info, start)
  }

  /** Whether so much was read that others should have their turn. */
  private isTurn(): boolean {
    return (++this.read & 4095) === 0
  }

  /** The value at the token at hand, of a field that is no message. */
  private value(info: MessageInfo, field: FieldInfo): unknown {
    const { scanner } = this
    if (field.type === 'string' || field.type === 'bytes') return this.stringValue(info, field)
    const sign = scanner.take('-') ? '-' : ''
    const value = field.enum
      ? this.enumValue(info, field, field.enum, sign)
      : field.type === 'bool'
        ? this.boolValue(field, sign)
        : field.type === 'float' || field.type === 'double'
          ? this.floatValue(field, sign)
          : this.integerValue(field, sign)
    scanner.advance()
    return value
  }

  /** Whether the value is a word of a fork: a type of V1 layers, or an engine, that Caffe 1.0 does not have. */
  private isForeign(info: MessageInfo, field: FieldInfo, { byName }: EnumInfo): boolean {
    const { kind, text } = this.scanner
    if (kind !== 'word' || byName.has(text) || didYouMean(text, [...byName.keys()])) return false
    return field.name === 'engine' || (info.name === 'V1LayerParameter' && field.name === 'type' && !newerType(text))
  }

  private enumValue(info: MessageInfo, field: FieldInfo, names: EnumInfo, sign: string): string {
    const { kind, text } = this.scanner
    if (kind === 'word' && !sign && names.byName.has(text)) return text
    const name = kind === 'number' ? names.byNumber.get(this.integerValue(field, sign)) : undefined
    if (name) return name
    const newer = info.name === 'V1LayerParameter' && field.name === 'type' ? newerType(text) : ''
    this.fail(`${field.name} cannot be ${this.shown(sign)}${newer ? `; ${newer}` : oneOf(text, names.names)}`)
  }

  private boolValue(field: FieldInfo, sign: string): boolean {
    const { kind, text } = this.scanner
    if (kind === 'word' && !sign && (text === 'true' || text === 'True' || text === 't')) return true
    if (kind === 'word' && !sign && (text === 'false' || text === 'False' || text === 'f')) return false
    const number = kind === 'number' && !sign ? this.integerValue(field, sign) : -1
    if (number !== 0 && number !== 1) this.fail(`${field.name} is true or false, not ${this.shown(sign)}`)
    return number === 1
  }

  private floatValue(field: FieldInfo, sign: string): number {
    const { kind, text } = this.scanner
    let value = Number.NaN
    if (kind === 'number' && !(text[0] === '0' && /^0[0-9xX]/.test(text))) value = decimal(text)
    else if (kind === 'word' && /^inf(inity)?$/i.test(text)) value = Number.POSITIVE_INFINITY
    else if (kind !== 'word' || !/^nan$/i.test(text)) this.fail(`${field.name} is a number, not ${this.shown(sign)}`)
    const signed = sign ? -value : value
    // an array rounds by itself, and six digits are kept by float32
    const isShort = text.length <= 6 && value > 1e-30 && value < 1e30
    return field.type === 'float' && !field.array && !isShort ? shortFloat(signed) : signed
  }

  /** Decimal, 0x hexadecimal or 0 octal. */
  private integerValue(field: FieldInfo, sign: string): number {
    const { kind, text } = this.scanner
    const isInteger = kind === 'number' && /^(?:[1-9][0-9]*|0[0-7]*|0[xX].*)$/.test(text)
    if (!isInteger) this.fail(`${field.name} is an integer, not ${this.shown(sign)}`)
    const size = Number(text[0] === '0' ? text.replace(/^0(?=[0-7])/, '0o') : text)
    const value = sign && size ? -size : size
    const [low, high] = INTEGER_RANGE[field.enum ? 'int32' : field.type === 'bool' ? 'uint32' : field.type]
    if (value < low || value > high)
      this.fail(`${field.name} cannot be ${this.shown(sign)}: it goes from ${low} to ${high}`)
    return value
  }

  /** One or more quoted strings in a row, which make one value. */
  private stringValue(info: MessageInfo, field: FieldInfo): string | Uint8Array {
    const { scanner } = this
    if (scanner.kind !== 'string') {
      const older = info.name === 'LayerParameter' && field.name === 'type' ? olderType(scanner.text) : ''
      this.fail(`${field.name} is a string in quotes, not ${this.shown()}${older}`)
    }
    let parts = scanner.parts
    scanner.advance()
    // further strings go on with it
    if (scanner.kind === 'string') parts = [...parts]
    for (; scanner.kind === 'string'; scanner.advance()) for (const part of scanner.parts) parts.push(part)
    if (field.type === 'string' && parts.every(part => typeof part === 'string')) return parts.join('')
    const bytes = joinBytes(parts)
    return field.type === 'bytes' ? bytes : new TextDecoder().decode(bytes)
  }

  /**
   * Whether the field at hand, which the innermost message does not have, belongs to one outside of it, in a text that
   * lacks a closing bracket: then it is missing here.
   */
  private isBehindItsMessage(): boolean {
    const { scanner, open } = this
    if (!open.slice(0, -1).some(({ info }) => info.byName.has(scanner.text))) return false
    // people begin a line for each field; what stands in one line is more likely misplaced
    if (!isFirstInLine(this.source.text, scanner.at)) return false
    this.lacking ??= open.length - 1 + bracketsLacking(this.source, scanner.at)
    if (this.lacking <= 0) return false
    this.lacking--
    const { info, at, close } = open[open.length - 1]
    this.note(
      this.error(
        `'${close}' is missing before ${scanner.text}: the ${info.name} that was opened in line ${this.source.line(at)} has no such field`,
      ),
    )
    return true
  }

  /** The text has ended within a message: one word for all that are open. */
  private noteEnd(): void {
    const { info, at, close } = this.open[this.open.length - 1]
    this.note(
      this.error(
        `the text ends inside ${info.name}: '${close}' is missing for the bracket of line ${this.source.line(at)}`,
      ),
    )
    this.stopped = true
  }

  /** After a mistake in the field that begins at `start`: go to where the next one begins, or its message ends. */
  private recover(start: number): void {
    const { scanner } = this
    if (scanner.at === start) advanceQuietly(scanner)
    else if (!scanner.is('}') && !scanner.is('>')) skipValue(scanner)
    while (!this.stopped && scanner.kind !== 'end' && !scanner.isField && !scanner.is('}') && !scanner.is('>')) {
      const { at } = scanner
      skipValue(scanner)
      if (scanner.at === at) advanceQuietly(scanner)
    }
  }

  private shown(sign = ''): string {
    const { kind, text } = this.scanner
    if (kind === 'end') return 'the end of the text'
    const short = text.length > 40 ? `${text.slice(0, 40)}…` : text
    return kind === 'string' ? short : `'${sign}${short}'`
  }

  private note(error: unknown): void {
    if (!(error instanceof FormatError)) throw error
    this.errors.push(error)
    if (this.errors.length >= MAX_ERRORS) this.stopped = true
  }

  /** An error at the token at hand. */
  private error(message: string): FormatError {
    const { at, text } = this.scanner
    return errorAt(this.source, message, at, text.length)
  }

  private fail(message: string, isLast = false): never {
    this.stopped ||= isLast
    throw this.error(message)
  }
}

/** A number as C writes it, perhaps with an f behind it. */
function decimal(text: string): number {
  const last = text[text.length - 1]
  return Number(last === 'f' || last === 'F' ? text.slice(0, -1) : text)
}

function isFirstInLine(text: string, at: number): boolean {
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--
  return at === 0 || text[at - 1] === '\n'
}

/** How many more brackets are opened than closed from `at` on. */
function bracketsLacking(source: Source, at: number): number {
  const scanner = new Scanner(source, at)
  let open = 0
  for (;;) {
    advanceQuietly(scanner)
    if (scanner.kind === 'end') return open
    if (scanner.kind === 'mark') open += { '{': 1, '<': 1, '}': -1, '>': -1 }[scanner.text] ?? 0
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
