/**
 * The code blocks of a Markdown page, and what it promises about each kind:
 *
 *     ```ts                          a program of its own: it is type-checked and run
 * ```ts docs/examples/x.ts       an excerpt: its lines stand in that file; a line with nothing but // … leaves lines
 * out
 *     ```prototxt                    layers or a solver: it is parsed
 *     ```prototxt docs/…/x.prototxt  an excerpt
 *     ```html docs/…/x.html          an excerpt
 *     ```sh                          commands; what follows the first word tsx is run by `npm run test:docs`
 * ```text                        what the block before it prints; rtol=0.1 after `text` says how near its numbers must
 * come
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Block {
  /** Path of the page, from the root. */
  page: string
  /** Line of the page where the code begins. */
  line: number
  language: string
  /** What follows the language. */
  rest: string
  code: string
  /** What it prints, where the page says so. */
  output?: { text: string; rtol: number }
}

export function readBlocks(page: string): Block[] {
  const lines = readFileSync(`${root}${page}`, 'utf8').split('\n')
  const blocks: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w+) ?(.*)$/.exec(lines[i])
    if (!fence) {
      if (lines[i].startsWith('```')) throw new Error(`${page}:${i + 1}: a code block without a language`)
      continue
    }
    const end = lines.indexOf('```', i + 1)
    if (end < 0) throw new Error(`${page}:${i + 1}: the code block does not end`)
    const [, language, rest] = fence
    const code = lines.slice(i + 1, end).join('\n')
    const last = blocks.at(-1)
    if (language === 'text' && last) last.output = { text: code, rtol: Number(/rtol=(\S+)/.exec(rest)?.[1] ?? 0.001) }
    else blocks.push({ page, line: i + 2, language, rest, code })
    i = end
  }
  return blocks
}

/** The chunks of an excerpt, which must stand in its file one after the other. */
export const chunksOf = (code: string): string[] =>
  code.split(/^ *(?:\/\/|#) …$/m).map(chunk => chunk.replace(/^\n+|\n+$/g, ''))

const NUMBER = /-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?/gi

/**
 * Words must be equal, numbers near: |got − expected| ≤ rtol·|expected|. Speeds, and databases made on the way, do not
 * count.
 */
export function expectSameText(got: string, expected: string, rtol: number, what: string): void {
  const normal = (text: string) =>
    text
      .split('\n')
      .filter(line => !line.startsWith('made examples-output/'))
      .map(line => line.replace(/\([\d.e+-]+ iter\/s, [\d.e+-]+s\//, '(… iter/s, …s/').trimEnd())
      .join('\n')
      .trim()
  const words = (text: string) => normal(text).replace(NUMBER, '#').replace(/ +/g, ' ')
  const numbers = (text: string) => (normal(text).match(NUMBER) ?? []).map(number => Number(number.replaceAll(',', '')))
  expect(words(got), `${what} prints:\n${got}`).toBe(words(expected))
  numbers(expected).forEach((number, i) => {
    const found = numbers(got)[i]
    if (!(Math.abs(found - number) <= rtol * Math.abs(number)))
      expect.fail(`${what}: number ${i + 1} is ${found}, the page says ${number} (rtol ${rtol}). It prints:\n${got}`)
  })
}
