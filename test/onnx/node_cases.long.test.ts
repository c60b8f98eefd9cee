/** ONNX's own tests of operators, where Debian's libonnx-testdata is: all of them pass or are refused by name. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hasCases, runCase } from './node_cases.js'

interface Lists {
  /** What the library means to have. */
  readonly wave1: { readonly pass: readonly string[]; readonly refused: Readonly<Record<string, string>> }
  readonly later: { readonly pass: readonly string[]; readonly refused: readonly string[] }
}
const { wave1, later }: Lists = JSON.parse(readFileSync(new URL('node_cases.json', import.meta.url), 'utf8'))
const refused = Object.keys(wave1.refused)

test('of the 308 that the library means to have 95 % pass', () => {
  expect(wave1.pass.length + refused.length).toBe(308)
  expect(wave1.pass.length / 308).toBeGreaterThanOrEqual(0.95)
})

// `sudo apt-get install libonnx-testdata`, or RISTRETTO_ONNX_CASES names a folder
describe.skipIf(!hasCases)("ONNX's cases", () => {
  test.each([...wave1.pass, ...later.pass])('%s', async name => {
    expect(await runCase(name)).toBe('')
  })

  test.each(Object.entries(wave1.refused))('%s is refused: %s', async (name, why) => {
    expect(await runCase(name)).toContain(why)
  })

  test('all others are refused with words, and give no wrong numbers', async () => {
    for (const name of later.refused) expect(await runCase(name), name).not.toBe('')
  })

  test('on the default engine as well', { tags: 'ci' }, async () => {
    const some = wave1.pass.filter((_, i) => i % 12 === 0)
    for (const name of some) expect(await runCase(name, 'wasm'), name).toBe('')
  })
})
