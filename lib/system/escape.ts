/**
 * One line of text from a file, a net or a user, as it may be printed: control characters, which move a terminal's
 * cursor, change its title or clipboard, or begin a line of their own in a log, are written as `\n`, `\x1b`, `\u202e`.
 * Tabs and everything else stay as they are. Every output of the command line and every error goes through this.
 */
export const printable = (text: string): string => text.replace(CONTROLS, escaped)

/** The same for text of several lines, whose line feeds are its own. */
export const printableLines = (text: string): string =>
  text.replace(CONTROLS, char => (char === '\n' ? char : escaped(char)))

/** JSON in one line, with the same characters written as JSON does. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(CONTROLS, char => `\\u${hex(char, 4)}`)

/** Controls, what ends a line in Unicode, what turns the direction of writing, and halves of characters. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu

const hex = (char: string, digits: number): string => char.charCodeAt(0).toString(16).padStart(digits, '0')

const NAMED: Record<string, string> = { '\n': '\\n', '\r': '\\r' }

const escaped = (char: string): string =>
  NAMED[char] ?? (char.charCodeAt(0) < 256 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`)
