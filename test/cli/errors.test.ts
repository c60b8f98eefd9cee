import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorText } from '../../lib/cli/error_text.js'
import { FormatError, joinErrors, RistrettoError } from '../../lib/errors.js'
import { parseNet } from '../../lib/proto/text.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()

function thrown(text: string): unknown {
  try {
    parseNet(text, { file: 'a' })
  } catch (error) {
    return error
  }
}

describe('errors on the command line', () => {
  test('each with its line and a caret under it', async () => {
    const file = join(folder, 'bad.prototxt')
    writeFileSync(file, 'layer {\n\tnmae: "a"\n  type: DATA\n}\n')
    const { code, err } = await cli('summarize', file)
    expect(code).toBe(1)
    expect(err.split('\n')).toEqual([
      `ristretto: ${file}:2: LayerParameter has no field 'nmae'; did you mean 'name'?`,
      '    2 |  nmae: "a"',
      '      |  ^^^^',
      expect.stringMatching(/^ristretto: .*:3: type is a string in quotes, not 'DATA'/),
      '    3 |   type: DATA',
      '      |         ^^^^',
      '',
    ])
  })

  test('twenty of many, in colour only where asked for', () => {
    const error = thrown('nmae: 1\n'.repeat(30))
    expect(errorText(error).match(/\^/g)).toHaveLength(20 * 4)
    expect(errorText(error)).toMatch(/… and 10 more mistakes$/)
    expect(errorText(error)).not.toContain('\x1b')
    expect(errorText(error, { color: true })).toContain('\x1b[31mnmae\x1b[0m')
  })

  test('a long line is cut around the mistake', () => {
    const [, line, caret] = errorText(
      thrown(`${'layer { name: "a" } '.repeat(50)}nmae: 3 ${'# x '.repeat(100)}`),
    ).split('\n')
    expect(line.length).toBeLessThan(120)
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('nmae')
    expect(line).toMatch(/\| … .* …$/)
  })

  test('nothing of a file moves the terminal', () => {
    const hostile = '"\\033]52;c;aGk=\\a\\r\\nIteration 999, loss = 0"'
    const errors = [
      thrown(`\x1b]52;c;aGk=\x07\n`),
      thrown('\u202enmae: "\x9b31m"'),
      new RistrettoError(JSON.parse('"\\u001b[2J\\u0085"')),
    ]
    for (const error of [...errors, thrown(`layer { nmae: ${hostile} }`)]) {
      const text = errorText(error)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/)
      for (const line of text.split('\n')) expect(line).toMatch(/^(?:ristretto: | +\d* \|)/)
    }
  })
})

test('errors are joined in the order of the text', () => {
  const at = (line: number, message: string) =>
    new FormatError(message, { place: { file: 'a', line, column: 1, length: 1, sourceLine: 'x' } })
  const joined = joinErrors([at(2, 'two'), at(1, 'one')])
  expect(joined).toBeInstanceOf(FormatError)
  expect(joined).toMatchObject({ message: 'one\ntwo', line: 1, sourceLine: 'x' })
  expect(Object.keys(joined)).not.toContain('sourceLine')
})

describe('a flag that there is not is named before one that is missing', () => {
  test.each([
    [['train', '--solvr', 'x'], "error: unknown option '--solvr'\n(Did you mean --solver?)\n"],
    [['time', '--modle', 'x', '--iterations', '3'], "error: unknown option '--modle'\n(Did you mean --model?)\n"],
    [['train', '-solvr=x'], "error: unknown option '--solvr'\n(Did you mean --solver?)\n"],
    [['test', '--bogus'], "error: unknown option '--bogus'; ristretto test --help lists them\n"],
    [['train', '-s', 'x'], "error: unknown option '-s'; ristretto train --help lists them\n"],
    [['train', '--weights', '--solvr'], "error: required option '--solver <file>' not specified\n"],
  ])('%j', async (argv, message) => expect(await cli(...argv)).toEqual({ code: 2, out: '', err: message }))
})
