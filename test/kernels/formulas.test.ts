import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')

/** What matches `pattern`, by its name, with the doc comment before it. */
function documented(source: string, pattern: RegExp): Map<string, string> {
  const found = new Map<string, string>()
  for (const { index, 1: name } of source.matchAll(pattern)) {
    const before = source.slice(0, index).trimEnd()
    found.set(name, before.endsWith('*/') ? before.slice(before.lastIndexOf('/**')) : '')
  }
  return found
}

const contract = readdirSync(new URL('lib/formulas/', root)).map(file => text(`lib/formulas/${file}`))
const kernels = new Map(contract.flatMap(family => [...documented(family, /^ {2}(\w+)\(/gm)]))

test('every kernel of the contract has its formula there', () => {
  expect(kernels.size).toBeGreaterThan(100)
  expect([...kernels].filter(([, comment]) => !comment.includes('←'))).toEqual([])
})

test.each(['js', 'wasm'])('and nowhere else: comments in kernels/%s say what the contract does not', folder => {
  const files = readdirSync(new URL(`kernels/${folder}/`, root)).filter(name => name.endsWith('.ts'))
  const all = files.flatMap(file => [...documented(text(`kernels/${folder}/${file}`), /^export function (\w+)/gm)])
  const ours = all.filter(([name]) => kernels.has(name))
  expect(ours.length).toBeGreaterThan(70)
  expect(ours.filter(([, comment]) => comment.includes('←'))).toEqual([])
})
