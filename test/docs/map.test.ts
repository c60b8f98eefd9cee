/** docs/README.md is the map of the documentation: it leads to every page, and to nothing that is not there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { layerTypes } from '../../lib/registry.js'
import { root } from './blocks.js'

const docs = join(root, 'docs')
const text = readFileSync(join(docs, 'README.md'), 'utf8')
const targets = [...text.matchAll(/\]\(([^)#]+)/g)].map(match => match[1])

test('links lead to files and folders', () => {
  for (const target of targets)
    if (!existsSync(join(docs, target))) expect.fail(`docs/README.md links to ${target}, which is not there`)
})

test.each(['', 'tutorials/'])('every page in docs/%s is on the map', folder => {
  const pages = readdirSync(join(docs, folder)).filter(name => name.endsWith('.md') && name !== 'README.md')
  expect(pages.length).toBeGreaterThan(3)
  for (const page of pages)
    if (!targets.includes(`${folder}${page}`))
      expect.fail(`docs/${folder}${page} is not on the map: add a line with a link to docs/README.md`)
})

test('every layer type has its page, and every page its type', () => {
  const pages = readdirSync(join(docs, 'layers')).filter(name => name !== 'README.md')
  // a layer may have several names: `type: "A"` or `type: "B"`
  const named = pages.flatMap(page => {
    const line = /^`type: "\w+"`.*$/m.exec(readFileSync(join(docs, 'layers', page), 'utf8'))?.[0] ?? page
    return [...line.matchAll(/`type: "(\w+)"`/g)].map(match => match[1])
  })
  expect([...named].sort()).toEqual(layerTypes().filter(type => type !== 'Python'))
})
