/**
 * Text from a file, a net or a user, as it may be printed: control characters, which move a terminal's cursor, change
 * its title or clipboard, or begin a line of their own in a log, are written as `\n`, `\x1b`, `\u202e`. Everything else
 * stays as it is. Every output of the command line goes through this.
 */
export const printable = (text: string): string => (UNPRINTABLE.test(text) ? text.replace(ALL, escaped) : text)

/** The same for text of several lines, whose line feeds and tabs are its own. */
export const printableLines = (text: string): string =>
  UNPRINTABLE.test(text) ? text.replace(ALL, char => (char === '\n' || char === '\t' ? char : escaped(char))) : text

/** Controls, what ends a line in Unicode, what turns the direction of writing, and halves of characters. */
const CONTROLS = '[\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]|\\p{Cs}'
const UNPRINTABLE = new RegExp(CONTROLS, 'u')
const ALL = new RegExp(CONTROLS, 'gu')

const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(char: string): string {
  const code = char.charCodeAt(0)
  return NAMED[char] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`)
}
