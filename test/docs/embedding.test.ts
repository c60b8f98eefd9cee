import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { findings } from '../typescript.js'
import { block, blocks, root } from './embedding_blocks.js'

// the programs are run by test/package/embedding.test.ts and bundlers.test.ts, from the packed library
test('every program of docs/embedding.md type-checks as it stands', { timeout: 120_000 }, () => {
  const programs = blocks.filter(({ language }) => language === 'ts')
  expect(programs.length).toBeGreaterThan(7)
  const folder = mkdtempSync(join(tmpdir(), 'embedding-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const { file, code } of programs) {
      expect(file, `a ts block names its file in its first line: ${code.slice(0, 60)}`).toMatch(/\.ts$/)
      writeFileSync(join(folder, file!), code)
    }
    const modules = join(root, 'node_modules')
    // as the page configures it
    writeFileSync(join(folder, 'page.json'), block('tsconfig.json'))
    const compilerOptions = {
      typeRoots: [join(modules, '@types')],
      paths: { ristretto: [join(root, 'lib/index.ts')], vite: [join(modules, 'vite/dist/node/index.d.ts')] },
    }
    expect(findings(folder, { extends: './page.json', compilerOptions, include: ['*.ts'] })).toBe('')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('its links lead somewhere', () => {
  const path = join(root, 'docs/embedding.md')
  const page = readFileSync(path, 'utf8')
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(match =>
    match[1]
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  )
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(match => match[1])
  expect(links.length).toBeGreaterThan(8)
  for (const link of links) {
    if (link.startsWith('#')) expect(headings, link).toContain(link.slice(1))
    else if (!link.startsWith('http')) expect(existsSync(join(dirname(path), link)), link).toBe(true)
  }
})
