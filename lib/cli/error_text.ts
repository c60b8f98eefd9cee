import { RistrettoError } from '../errors.js'
import { printable, printableLines } from '../system/escape.js'

/** So many errors are shown; the others are counted. */
const SHOWN = 20
/** Columns of a source line: what does not fit is cut on both sides of the mistake. */
const WIDTH = 100

/**
 * An error as the command line prints it: its message after the name of the program, and where it stands in a text, the
 * line with a caret under the mistake. Several mistakes come one after the other.
 * @param color with colours, for a terminal
 * @param debug with the stack instead
 */
export function errorText(error: unknown, { color = false, debug = false } = {}): string {
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
  const name = paint(1, 'ristretto:')
  if (!(error instanceof Error)) return `${name} ${printable(String(error))}`
  if (debug) return `${name} ${printableLines(error.stack ?? error.message)}`
  const causes = error instanceof RistrettoError ? error.causes : []
  // a message that says more than its causes is shown itself, in its lines
  if (causes.length && error.message.split('\n')[0] !== causes[0].message)
    return `${name} ${printableLines(error.message)}`
  const all = causes.length ? causes : [error]
  const parts = all.slice(0, SHOWN).map(one => `${name} ${message(one)}${excerpt(one, paint)}`)
  if (all.length > SHOWN) parts.push(`${name} … and ${all.length - SHOWN} more mistakes`)
  return parts.join('\n')
}

/** The message in one line, after file and line where it does not say them itself. */
function message(error: Error): string {
  const { file, line } = error as RistrettoError
  const where = file !== undefined && !error.message.startsWith(file) ? `${file}:${line}: ` : ''
  return printable(`${where}${error.message.replace(/\s*\n\s*/g, ' ')}`)
}

function excerpt(error: Error, paint: (code: number, text: string) => string): string {
  const { line, column, length, sourceLine } = error as RistrettoError
  if (line === undefined || column === undefined || length === undefined || !sourceLine?.trim()) return ''
  const start = Math.max(0, Math.min(column - 1 - WIDTH / 4, sourceLine.length - WIDTH))
  // long before a window of the line would begin inside of its indent
  const from = column - 1 < WIDTH * 0.75 ? 0 : start
  const show = (begin: number, end: number) => printable(sourceLine.slice(begin, end).replaceAll('\t', ' '))
  const before = `${from > 0 ? '… ' : ''}${show(from, column - 1)}`
  const marked = show(column - 1, Math.min(column - 1 + length, from + WIDTH))
  const after = `${show(column - 1 + length, from + WIDTH)}${from + WIDTH < sourceLine.length ? ' …' : ''}`
  const number = String(line).padStart(5)
  return (
    `\n${paint(2, `${number} |`)} ${before}${paint(31, marked)}${after}` +
    `\n${paint(2, `${' '.repeat(5)} |`)} ${' '.repeat(before.length)}${paint(31, '^'.repeat(Math.max(1, marked.length)))}`
  )
}
