/**
 * Every code block of the tutorials, of the pages on layers and of some more: excerpts are what they say, programs have
 * the right types and print what the page says.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { layerTypes, parseNet, parseSolver } from '../../lib/index.js'
import { findings } from '../typescript.js'
import { type Block, chunksOf, expectSameText, readBlocks, root } from './blocks.js'

const folder = 'docs/tutorials'
const pagesOf = (folder: string) =>
  readdirSync(join(root, folder))
    .filter(name => name.endsWith('.md'))
    .map(name => `${folder}/${name}`)
const pages = [
  ...pagesOf(folder),
  'docs/custom-layer.md',
  'docs/custom-engine.md',
  'docs/csp.md',
  ...pagesOf('docs/layers'),
]
/** Pages whose programs want files that are not here: their types are checked, and their links. */
const typed = ['datasets', 'deploy', 'from-pycaffe', 'rates', 'scaling', 'standard-nets', 'studio-api'].map(
  name => `docs/${name}.md`,
)
/** What a page's program takes for granted. */
const given: Record<string, string> = {
  'docs/csp.md': `
    import { readFileSync } from 'node:fs'
    import { parseNet } from 'ristretto'
    const description = parseNet(readFileSync('docs/examples/mnist/lenet.prototxt', 'utf8'))
    const bytes = readFileSync('test/golden/nets/lenet/lenet.caffemodel')
    const pixels = new Float32Array(8 * 28 * 28)`,
}
const blocks = pages.flatMap(readBlocks)
const of = (language: string, excerpt: boolean) =>
  blocks.filter(block => block.language === language && (block.rest !== '') === excerpt)
const at = (block: Block) => [`${block.page}:${block.line}`, block] as const

test('there are eleven tutorials, and every kind of block is known', () => {
  expect(pagesOf(folder)).toHaveLength(11)
  for (const { page, line, language } of blocks)
    if (!['ts', 'prototxt', 'html', 'sh'].includes(language))
      expect.fail(`${page}:${line}: nobody checks blocks of ${language}`)
})

test.each([...of('ts', true), ...of('prototxt', true), ...of('html', true)].map(at))(
  '%s is an excerpt',
  (_, { rest, code }) => {
    const file = readFileSync(join(root, rest), 'utf8')
    let from = 0
    for (const chunk of chunksOf(code)) {
      const place = file.indexOf(chunk, from)
      if (place < 0) expect.fail(`${rest} does not hold, in this order:\n${chunk}`)
      from = place + chunk.length
    }
  },
)

test.each(of('prototxt', false).map(at))('%s can be parsed', (_, { code }) => {
  if (/^\s*layer\b/m.test(code)) {
    const { layer = [] } = parseNet(code)
    expect(layer.length).toBeGreaterThan(0)
    for (const { type } of layer) expect(layerTypes()).toContain(type)
  } else expect(Object.keys(parseSolver(code)).length).toBeGreaterThan(0)
})

test.each(blocks.filter(block => block.language === 'sh').map(at))('%s names files that are there', (_, { code }) => {
  const paths = code.match(/(?:docs|test|lib)\/[\w./-]+/g) ?? []
  for (const path of paths) if (!existsSync(join(root, path))) expect.fail(`there is no ${path}`)
})

test.each([...pages, ...typed])('%s links to what is there', page => {
  const text = readFileSync(join(root, page), 'utf8')
  for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g))
    if (!/^https?:/.test(target) && !existsSync(join(root, dirname(page), target)))
      expect.fail(`${page} links to ${target}`)
})

const programs = of('ts', false)
const typedPrograms = typed.flatMap(readBlocks).filter(({ language }) => language === 'ts')

test('the programs on the pages have the right types', { timeout: 120_000 }, () => {
  // each block is a file beside its page, as far as the compiler sees, so that what it imports is found from there
  const place = join(root, '.cache/docs-types')
  rmSync(place, { recursive: true, force: true })
  for (const { page, line, code } of [...programs, ...typedPrograms]) {
    mkdirSync(join(place, dirname(page)), { recursive: true })
    writeFileSync(join(place, `${page}.${line}.ts`), `${given[page] ?? ''}\n${code}\nexport {}\n`)
  }
  const found = findings(place, {
    extends: '../../tsconfig.json',
    compilerOptions: { rootDirs: [root, place] },
    include: ['**/*.ts'],
    exclude: [],
  })
  rmSync(place, { recursive: true })
  expect(found).toBe('')
})

describe('The programs on the pages print what the pages say', () => {
  const place = join(root, '.cache/docs-blocks')
  beforeAll(() => mkdirSync(place, { recursive: true }))
  afterAll(() => rmSync(place, { recursive: true, force: true }))

  test.each(programs.map(at))('%s', async (name, { page, line, code, output }) => {
    const file = join(place, `${page.replaceAll('/', '_')}_${line}.ts`)
    writeFileSync(file, `${given[page] ?? ''}\n${code.replaceAll(/'\.\.?\//g, `'${root}docs/`)}\nexport {}\n`)
    const printed: string[] = []
    const log = vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map(String).join(' '))
    })
    const home = process.cwd()
    // its programs write and read a file where they are
    if (page === 'docs/tutorials/your-own-arrays.md') process.chdir(place)
    try {
      await import(file)
    } finally {
      process.chdir(home)
      log.mockRestore()
    }
    expectSameText(printed.join('\n'), output?.text ?? '', output?.rtol ?? 0, name)
  })
})
