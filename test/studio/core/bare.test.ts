/** The core runs in Node and in workers of browsers alike: it knows neither. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = new URL('../../../lib/studio/', import.meta.url).pathname
const files = ['api', 'core'].flatMap(room => readdirSync(join(root, room)).map(name => join(root, room, name)))

test('no file of api and core speaks of Node, of pages or of what computes', () => {
  expect(files.length).toBeGreaterThan(25)
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    expect(text, file).not.toMatch(/'node:|\bprocess\.|\bBuffer\b|require\(/)
    expect(text, file).not.toMatch(/\b(document|window|navigator|localStorage|indexedDB)\./)
    // types of the library are erased; of its code nothing that computes
    const used = [...text.matchAll(/^import (?!type)[^']*'(\.\.\/\.\.\/[^']+)'/gm)].map(match => match[1])
    for (const path of used)
      expect(path, file).not.toMatch(/^\.\.\/\.\.\/(engines|layers|net\.js|solver\.js|index\.js|pycaffe)/)
  }
})
