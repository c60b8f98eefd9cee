import { FormatError, type Place } from '../errors.js'
import { Scanner, type Source } from './scanner.js'

// Where messages were read from. Kept beside them, so that what a reader returns stays plain objects: a copy that is
// made of one has to be told (`keepPlace`). Only layers and whole files are remembered; where a field of theirs stands
// is looked up in the text when somebody asks, which is when something is wrong.

interface Start {
  readonly source: Source
  /** Where the field that holds the message begins; WHOLE for the text itself. */
  readonly at: number
}

/** Where a message begins that no field holds. */
export const WHOLE = -1

const starts = new WeakMap<object, Start>()

/** Note that the message was read from `source` at offset `at`. */
export function rememberPlace(message: object, source: Source, at: number): void {
  starts.set(message, { source, at })
}

/** Say that `copy` was made of `message`; returns the copy. */
export function keepPlace<T extends object>(message: object, copy: T): T {
  const start = starts.get(message)
  if (start && copy !== message) starts.set(copy, start)
  return copy
}

/**
 * Where a message stands in its file, or one of its fields: `pooling_param.kernel_size`, `bottom[1]`. A field that is
 * not written has the place of the message. Undefined for messages that were not read from a text.
 */
export function placeOf(message: object, field = ''): Place | undefined {
  const start = starts.get(message)
  if (!start) return undefined
  const { source, at } = start
  const scanner = new Scanner(source, at === WHOLE ? undefined : at)
  try {
    scanner.advance()
    const whole = source.place(scanner.at, scanner.text.length)
    // inside the message's own braces, or at the top of the file
    if (at !== WHOLE) enter(scanner)
    for (const step of field.split('.').filter(Boolean)) {
      const [, name, index = '0'] = /^([^[]*)(?:\[(\d+)\])?$/.exec(step)!
      if (!find(scanner, name, Number(index))) return whole
    }
    return field ? source.place(scanner.at, scanner.text.length) : whole
  } catch {
    // the text is broken behind the message's beginning
    return source.place(Math.max(0, at), 1)
  }
}

/**
 * The field of a layer that a message about it speaks of first: messages name fields as the prototxt does. Only fields
 * that are written count, as the path that `placeOf` takes.
 */
export function fieldNamed(param: object, message: string): string | undefined {
  const paths = new Map<string, string>()
  for (const [name, value] of Object.entries(param)) {
    paths.set(name, name)
    if (!name.endsWith('_param') || typeof value !== 'object' || value === null) continue
    for (const inner of Object.keys(value)) paths.set(inner, `${name}.${inner}`)
  }
  for (const [word] of message.matchAll(/[a-z][a-z0-9_]*/g)) {
    const path = NOT_MEANT.has(word) ? undefined : paths.get(word)
    if (path) return path
  }
  return undefined
}

/** Fields whose names are everyday words of messages. */
const NOT_MEANT = new Set([
  'name',
  'type',
  'param',
  'blobs',
  'shape',
  'source',
  'scale',
  'value',
  'min',
  'max',
  'engine',
  'layer',
])

/** From the field that holds a message into the message. */
function enter(scanner: Scanner): void {
  while (scanner.kind === 'word' || scanner.is(':')) scanner.advance()
  scanner.advance()
}

/** Go to the value of the index-th field of that name at this level of braces; false if there is none. */
function find(scanner: Scanner, name: string, index: number): boolean {
  for (let left = index; scanner.kind === 'word'; ) {
    const isWanted = scanner.text === name
    scanner.advance()
    scanner.take(':')
    const list = scanner.take('[')
    do {
      if (isWanted && left-- === 0) {
        if (!scanner.take('{')) scanner.take('<')
        return true
      }
      skipValue(scanner)
    } while (list && scanner.take(','))
    if (list) scanner.take(']')
    if (!scanner.take(',')) scanner.take(';')
  }
  return false
}

/**
 * Step over one value: a message with all that is in it, or a word, number or strings with its sign. Returns whether there
 * was a whole one.
 */
export function skipValue(scanner: Scanner): boolean {
  if (scanner.is('{') || scanner.is('<')) {
    let depth = 0
    do {
      if (scanner.is('{') || scanner.is('<')) depth++
      else if (scanner.is('}') || scanner.is('>')) depth--
      advanceQuietly(scanner)
    } while (depth > 0 && scanner.kind !== 'end')
    return depth === 0
  }
  if (scanner.is('-')) advanceQuietly(scanner)
  const { kind } = scanner
  if (kind === 'string') while ((scanner.kind as string) === 'string') advanceQuietly(scanner)
  else if (kind === 'word' || kind === 'number' || kind === 'bad') advanceQuietly(scanner)
  else return false
  return true
}

/** Go on to the next token, or to what is none. */
export function advanceQuietly(scanner: Scanner): void {
  try {
    scanner.advance()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
}
