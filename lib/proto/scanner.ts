import { FormatError, type Place } from '../errors.js'

/** A text and the name of the file that it came from. */
export class Source {
  private starts: number[] | undefined

  constructor(
    readonly text: string,
    readonly file: string,
  ) {}

  /** The line, counted from 1, of the character at `offset`. */
  line(offset: number): number {
    const starts = (this.starts ??= lineStarts(this.text))
    let low = 0
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1
      if (starts[middle] <= offset) low = middle
      else high = middle
    }
    return low + 1
  }

  /** The stretch from `offset` on, as far as its line goes. */
  place(offset: number, length: number): Place {
    const line = this.line(offset)
    const start = this.starts![line - 1]
    const end = this.text.indexOf('\n', start)
    const sourceLine = this.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '')
    const column = offset - start + 1
    return {
      file: this.file,
      line,
      column,
      length: Math.max(1, Math.min(length, sourceLine.length - column + 1)),
      sourceLine,
    }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** `bad` is what `advance` has refused. */
export type TokenKind = 'word' | 'number' | 'string' | 'mark' | 'end' | 'bad'

const NUMBER = /0[xX][0-9A-Fa-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?/y
const GLUED = /[A-Za-z0-9_.]*/y
const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([abfnrtv?\\'"]))/y
const ESCAPED: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }
const AFTER_NAME = /\s*[:{<]/y
const BEFORE_MESSAGE = /\s*:?\s*[{<]/y
const MARKS = '{}<>:[],;-'

/** What each character below 128 may begin: nothing, white space, a word, a number. */
const HASH = 35
const DOT = 46
const SPACE = 1
const WORD = 2
const DIGIT = 3
const classes = new Uint8Array(128)
for (const char of ' \t\n\r\v\f') classes[char.charCodeAt(0)] = SPACE
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_') classes[char.charCodeAt(0)] = WORD
for (const char of '0123456789') classes[char.charCodeAt(0)] = DIGIT

/** The words, numbers, strings and marks of a prototxt, one after the other: `kind` and `text` are those at hand. */
export class Scanner {
  kind: TokenKind = 'end'
  text = ''
  /** Where the token at hand begins. */
  at = 0
  /** Where the token before it ends. */
  before = 0
  /** Of a string token: stretches of text, and bytes that were written as \xFF or \377. */
  parts: (string | number)[] = []
  private pos: number

  /** Starts before the first token: call `advance`. */
  constructor(
    readonly source: Source,
    from = source.text.startsWith('\uFEFF') ? 1 : 0,
  ) {
    this.pos = from
  }

  /** Whether the mark is the token at hand. */
  is(mark: string): boolean {
    return this.kind === 'mark' && this.text === mark
  }

  /** Step over the mark if it is the token at hand. */
  take(mark: string): boolean {
    if (!this.is(mark)) return false
    this.advance()
    return true
  }

  /** Whether the token at hand is the name of a field: a word before a colon or a bracket. */
  get isField(): boolean {
    return this.kind === 'word' && match(AFTER_NAME, this.source.text, this.pos) !== null
  }

  /** Whether a bracket follows the token at hand. */
  get opensMessage(): boolean {
    return match(BEFORE_MESSAGE, this.source.text, this.pos) !== null
  }

  /** Go on to the next token. A FormatError for what is none has been stepped over: the next call goes on behind it. */
  advance(): void {
    const { text } = this.source
    let pos = this.pos
    this.before = pos
    let code = 0
    for (; pos < text.length; pos++) {
      code = text.charCodeAt(pos)
      if (code === HASH) {
        pos = text.indexOf('\n', pos)
        if (pos < 0) pos = text.length
      } else if (code > 127 || classes[code] !== SPACE) break
    }
    this.at = pos
    this.pos = pos
    if (pos >= text.length) {
      this.kind = 'end'
      this.text = ''
      return
    }
    const type = code < 128 ? classes[code] : 0
    const char = text[pos]
    if (type === WORD) {
      this.kind = 'word'
      while (++pos < text.length && (code = text.charCodeAt(pos)) < 128 && classes[code] >= WORD);
      this.end(pos)
    } else if (type === DIGIT || char === '.') this.scanNumber()
    else if (char === '"' || char === "'") this.scanString(char)
    else if (MARKS.includes(char)) {
      this.kind = 'mark'
      this.text = char
      this.pos++
    } else this.refuseCharacter()
  }

  private end(end: number): void {
    this.text = this.source.text.slice(this.pos, end)
    this.pos = end
  }

  private scanNumber(): void {
    const { text } = this.source
    this.kind = 'number'
    let pos = this.pos
    while (isDigit(text, pos)) pos++
    if (text[pos] === '.') while (isDigit(text, ++pos));
    const after = text.charCodeAt(pos)
    // most numbers are digits and a point
    if (pos > this.pos + 1 || isDigit(text, this.pos))
      if (!(after > 127 || classes[after] >= WORD || after === DOT)) {
        this.end(pos)
        return
      }
    const found = match(NUMBER, text, this.pos)
    if (!found) {
      this.refuseCharacter()
      return
    }
    this.end(this.pos + found[0].length)
    const glued = match(GLUED, text, this.pos)![0]
    this.pos += glued.length
    if (glued) this.fail(`'${this.text}${glued[0]}' is not a number`, this.at)
  }

  private scanString(quote: string): void {
    const { text } = this.source
    this.kind = 'string'
    this.parts = []
    let broken: (() => never) | undefined
    let from = this.at + 1
    for (let pos = from; pos < text.length; ) {
      const char = text[pos]
      if (char === '\n') break
      if (char !== quote && char !== '\\') {
        pos++
        continue
      }
      if (pos > from) this.parts.push(text.slice(from, pos))
      if (char === quote) {
        this.end(pos + 1)
        broken?.()
        return
      }
      const found = match(ESCAPE, text, pos)
      const part = found ? unescaped(found) : undefined
      if (part === undefined) {
        const [shown, start] = [found?.[0] ?? text.slice(pos, pos + 2), pos]
        broken ??= () => this.fail(`'${shown}' is no ${found ? 'character' : 'escape sequence'}`, start, shown.length)
      } else this.parts.push(part)
      pos += found?.[0].length ?? 2
      from = pos
    }
    const end = text.indexOf('\n', this.at)
    this.end(end < 0 ? text.length : end)
    this.fail(`the string ${this.text.slice(0, 40)} is not closed in its line`, this.at)
  }

  private refuseCharacter(): never {
    const char = String.fromCodePoint(this.source.text.codePointAt(this.pos)!)
    this.pos += char.length
    this.fail(`a character that has no place here: ${JSON.stringify(char)}`, this.at)
  }

  private fail(message: string, at: number, length = this.pos - at): never {
    this.kind = 'bad'
    throw errorAt(this.source, message, at, length)
  }
}

/** `file:line: message`, with the place in the text. */
export function errorAt(source: Source, message: string, at: number, length: number): FormatError {
  const place = source.place(at, length)
  return new FormatError(`${place.file}:${place.line}: ${message}`, { place })
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

/** What an escape sequence stands for: a character, a byte beyond ASCII, or nothing that there is. */
function unescaped([, octal, hex, short, long, letter]: RegExpExecArray): string | number | undefined {
  if (letter) return ESCAPED[letter] ?? letter
  if (octal || hex) {
    const byte = (octal ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16)) & 255
    return byte < 128 ? String.fromCharCode(byte) : byte
  }
  const code = Number.parseInt(short ?? long, 16)
  return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? undefined : String.fromCodePoint(code)
}
