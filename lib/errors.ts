import { printable, printableLines } from './system/escape.js'

/** A stretch of a text. Lines and columns count from 1; columns and lengths count UTF-16 units, as strings do. */
export interface Place {
  /** Name of the file, as it was given. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** At least 1, and within the line. */
  readonly length: number
  /** The line itself. */
  readonly sourceLine: string
}

/** What an error may know beside its message. */
export interface ErrorDetails extends ErrorOptions {
  /** Where several things are wrong: each of them. */
  causes?: readonly RistrettoError[]
  /** Where in a text it is. */
  place?: Place
}

/** The base of every error the library throws on purpose: catch this to catch them all. */
export class RistrettoError extends Error {
  override name = 'RistrettoError'
  /** Where the mistake stands, if it stands in a text: see Place. */
  declare readonly file?: string
  declare readonly line?: number
  declare readonly column?: number
  declare readonly length?: number
  declare readonly sourceLine?: string
  #causes: readonly RistrettoError[]

  /**
   * A message of more than 4,000 characters is shortened in its middle, and control characters of names in it are
   * written as `\\n`, `\\x1b`, so that whoever prints it prints one line.
   */
  constructor(message: string, { causes = [], place, ...options }: ErrorDetails = {}) {
    // a program may give what is no text
    const text = String(message)
    // each cause is a line
    super(shortened(causes.length ? printableLines(text) : printable(text)), options)
    this.#causes = causes
    setPlace(this, place)
  }

  /** Where several things are wrong: each of them, in the order of the text; else nothing. */
  get causes(): readonly RistrettoError[] {
    return this.#causes
  }
}

/** Give the error its place. */
export function setPlace(error: RistrettoError, place: Place | undefined): void {
  if (!place) return
  const { sourceLine, ...where } = place
  Object.assign(error, where)
  // a line may be long, and whoever prints the error sees its message
  Object.defineProperty(error, 'sourceLine', { value: sourceLine })
}

/** Messages quote names and lists from files, which may be of any length. */
const MAX_MESSAGE = 4000

export const shortened = (message: string): string =>
  message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1000)} … ${message.slice(-999)}`

/**
 * A file or byte string that cannot be read as what it claims to be: truncated, hostile, or of another format. Of a
 * prototxt it has `file`, `line`, `column` and `length`.
 */
export class FormatError extends RistrettoError {
  override name = 'FormatError'
}

/** What a NetError may know beside its message. */
export interface NetErrorDetails extends ErrorDetails {
  layer?: string
  field?: string
}

/**
 * A net or solver description that breaks one of Caffe's rules. The message names the layer, the rule and the values;
 * where the net was read from a prototxt, `file`, `line`, `column` and `length` are those of the field or of the layer.
 */
export class NetError extends RistrettoError {
  override name = 'NetError'
  /** Name of the layer. */
  declare readonly layer?: string
  /** The field at fault, as in `convolution_param.kernel_size`. */
  declare readonly field?: string

  constructor(message: string, { layer, field, ...details }: NetErrorDetails = {}) {
    super(message, details)
    if (layer !== undefined) this.layer = layer
    if (field !== undefined) this.field = field
  }
}

/** How many errors one message lists; `causes` has them all. */
const LISTED = 20

/** Several errors as one: of the first one's class and place, with a line for each in its message. One is itself. */
export function joinErrors(errors: readonly RistrettoError[]): RistrettoError {
  if (errors.length === 1) return errors[0]
  errors = [...errors].sort((a, b) =>
    a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) : 0,
  )
  const [first] = errors
  const lines = errors.slice(0, LISTED).map(error => error.message)
  if (errors.length > LISTED) lines.push(`… and ${errors.length - LISTED} more`)
  const Class = first instanceof FormatError ? FormatError : NetError
  const { file, line, column, length, sourceLine } = first
  const place = file === undefined ? undefined : ({ file, line, column, length, sourceLine } as Place)
  return new Class(lines.join('\n'), { causes: errors, place })
}

/** Throw what has been collected, if anything has. */
export function throwAll(errors: readonly RistrettoError[]): void {
  if (errors.length) throw joinErrors(errors)
}

/** An engine, adapter or optional package that cannot be used here. The message says why and what to do. */
export class EngineError extends RistrettoError {
  override name = 'EngineError'
}

/** What the operating system refused, as an error that says what was wanted. */
export const systemError = (wanted: string, error: unknown): RistrettoError =>
  new RistrettoError(`${wanted}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
