import { NetError } from '../errors.js'
import { mustTake } from '../system/arguments.js'

const MAX_LENGTH = 2 ** 20
const MAX_DEPTH = 64

/**
 * The settings in a layer's `param_str`: a Python dict, JSON, or YAML-like lines, with or without the outer braces.
 *
 *     'margin': 0.2, 'sizes': (1, 2)      {"margin": 0.2, "sizes": [1, 2]}      margin: 0.2
 *                                                                               sizes: [1, 2]
 *
 * True, False, None, true, false, null and ~ are what they say; tuples become lists; a bare word is a string; # starts
 * a comment, and tags such as !!python/tuple say nothing that the value does not. Nothing is evaluated. Throws a NetError that names the place for anything else.
 */
export function parseParamStr(text: string): Record<string, unknown> {
  mustTake(typeof text === 'string', 'parseParamStr', 'a text', text)
  return new Reader(text, 'param_str').settings()
}

/** One value in the same notation: what stands in the header of a .npy file, for one. */
export function parseLiteral(text: string, what: string): unknown {
  return new Reader(text, what).single()
}

const NUMBER = /[+-]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])/y
/** YAML's way to say what a list or a number is in Python: the value says it, too. */
const TAG = /!!(?:python\/)?(?:tuple|list|seq|dict|map|int|float|bool|null)[ \t]+/y
const WORDS: Record<string, unknown> = {
  True: true,
  true: true,
  False: false,
  false: false,
  None: null,
  null: null,
  '~': null,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '.inf': Number.POSITIVE_INFINITY,
  '-.inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
  '.nan': Number.NaN,
}
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', 0: '\0' }

class Reader {
  private pos = 0
  private depth = 0

  constructor(
    private readonly text: string,
    private readonly what: string,
  ) {
    if (text.length > MAX_LENGTH)
      throw new NetError(`${what}: ${text.length} characters are too many, at most ${MAX_LENGTH} are read`)
  }

  /** A whole text of settings. */
  settings(): Record<string, unknown> {
    this.space()
    if (this.text[this.pos] === '{') {
      const value = this.single()
      return value as Record<string, unknown>
    }
    return this.pairs('')
  }

  single(): unknown {
    this.space()
    const value = this.value()
    this.space()
    if (this.pos < this.text.length) this.fail(`the end is expected, not '${this.text[this.pos]}'`)
    return value
  }

  /**
   * `key: value` pairs between commas up to the bracket `close`; without one, between commas or line ends up to the end
   * of the text.
   */
  private pairs(close: string): Record<string, unknown> {
    const result: Record<string, unknown> = {}
    let indent: number | undefined
    for (this.space(); !this.ends(close); this.space()) {
      if (close === '') indent = this.sameIndent(indent)
      const key = this.key()
      this.space()
      if (this.text[this.pos] !== ':') this.fail(`':' is missing after '${key}'`)
      this.pos++
      this.space(close !== '')
      // `key:` with nothing behind it
      const value = this.pos >= this.text.length || this.text[this.pos] === '\n' ? null : this.value(close === '')
      // defined, not assigned: a key __proto__ is a key like any other
      Object.defineProperty(result, key, { value, writable: true, enumerable: true, configurable: true })
      this.space(close !== '')
      if (this.take(',') || this.ends(close)) continue
      if (close !== '' || this.text[this.pos] !== '\n')
        this.fail(`',' ${close ? `or '${close}' ` : ''}is expected after the value of '${key}'`)
    }
    return result
  }

  /** Blocks of YAML are not read: what is indented below a key would become a setting of the same level. */
  private sameIndent(indent: number | undefined): number | undefined {
    const before = this.text.slice(this.text.lastIndexOf('\n', this.pos - 1) + 1, this.pos)
    // after a comma on the same line
    if (/\S/.test(before)) return indent
    if ((indent !== undefined && before.length !== indent) || /-\s/y.test(this.text.slice(this.pos, this.pos + 2)))
      this.fail('nested lines of YAML are not read: write {a: {b: 1}, c: [1, 2]} in braces and brackets')
    return before.length
  }

  private key(): string {
    const first = this.text[this.pos]
    if (first === '"' || first === "'") return this.string(first)
    const match = /[^\s:,{}[\]()#"']+(?:[ \t]+[^\s:,{}[\]()#"']+)*/y
    match.lastIndex = this.pos
    const found = match.exec(this.text)?.[0]
    if (found === undefined) this.fail(`a name is expected, not ${first === undefined ? 'the end' : `'${first}'`}`)
    this.pos += found.length
    return found
  }

  private value(line = false): unknown {
    TAG.lastIndex = this.pos
    this.pos += TAG.exec(this.text)?.[0].length ?? 0
    const first = this.text[this.pos]
    if (first === '{') return this.nested('}', () => this.pairs('}'))
    if (first === '[') return this.nested(']', () => this.items(']').values)
    if (first === '(')
      return this.nested(')', () => {
        const { values, comma } = this.items(')')
        return values.length === 1 && !comma ? values[0] : values
      })
    if (first === '"' || first === "'") return this.string(first)
    NUMBER.lastIndex = this.pos
    const number = NUMBER.exec(this.text)?.[0]
    if (number !== undefined && this.endsValue(this.pos + number.length)) {
      this.pos += number.length
      return /^-0x/i.test(number) ? -Number(number.slice(1)) : Number(number.replace(/^\+/, ''))
    }
    return this.word(line)
  }

  private nested<T>(close: string, read: () => T): T {
    if (++this.depth > MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} brackets inside each other`)
    this.pos++
    const value = read()
    this.space()
    if (!this.take(close)) this.fail(`'${close}' is missing`)
    this.depth--
    return value
  }

  private items(close: string): { values: unknown[]; comma: boolean } {
    const values: unknown[] = []
    let comma = false
    for (this.space(); !this.ends(close); this.space()) {
      values.push(this.value())
      this.space()
      comma = this.take(',')
      if (!comma && !this.ends(close)) this.fail(`',' or '${close}' is expected`)
    }
    return { values, comma }
  }

  /** Whether nothing but the end of a value can stand here. */
  private endsValue(at: number): boolean {
    const rest = /[ \t]*(?:$|[\n\r,#}\])])/y
    rest.lastIndex = at
    return rest.test(this.text)
  }

  /** A bare word: on a line of its own it may hold spaces. */
  private word(line: boolean): unknown {
    const match = line ? /[^\n,{}[\]()#"']+/y : /[^\s,:{}[\]()#"']+/y
    match.lastIndex = this.pos
    const found = match.exec(this.text)?.[0].trim()
    if (!found)
      this.fail(`a value is expected, not ${this.pos < this.text.length ? `'${this.text[this.pos]}'` : 'the end'}`)
    this.pos += found.length
    return Object.hasOwn(WORDS, found) ? WORDS[found] : found
  }

  private string(quote: string): string {
    let value = ''
    for (this.pos++; ; this.pos++) {
      const char = this.text[this.pos]
      if (char === undefined) this.fail(`the text ends inside a string that starts with ${quote}`)
      if (char === quote) break
      if (char !== '\\') {
        value += char
        continue
      }
      const escaped = this.text[++this.pos]
      const digits = escaped === 'u' ? 4 : escaped === 'x' ? 2 : 0
      if (digits) {
        const hex = this.text.slice(this.pos + 1, this.pos + 1 + digits)
        if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < digits)
          this.fail(`\\${escaped} needs ${digits} hexadecimal digits`)
        value += String.fromCharCode(Number.parseInt(hex, 16))
        this.pos += digits
      } else value += ESCAPES[escaped] ?? escaped ?? ''
    }
    this.pos++
    return value
  }

  /** Step over spaces and comments, and over line ends too unless they part the settings. */
  private space(lines = true): void {
    const match = lines ? /(?:\s|#[^\n]*)+/y : /(?:[^\S\n]|#[^\n]*)+/y
    match.lastIndex = this.pos
    this.pos += match.exec(this.text)?.[0].length ?? 0
  }

  private take(mark: string): boolean {
    if (this.text[this.pos] !== mark) return false
    this.pos++
    return true
  }

  private ends(close: string): boolean {
    return this.pos >= this.text.length || (close !== '' && this.text[this.pos] === close)
  }

  private fail(message: string): never {
    const line = this.text.slice(0, this.pos).split('\n').length
    const shown = this.text.length > 60 ? `${this.text.slice(0, 60)}…` : this.text
    throw new NetError(`${this.what}: ${message} (line ${line}, character ${this.pos + 1} of ${JSON.stringify(shown)})`)
  }
}
