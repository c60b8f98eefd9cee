import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { block, blocks, root } from './embedding_blocks.js'

// the programs are run by test/package/embedding.test.ts and bundlers.test.ts, from the packed library
test('every program of docs/embedding.md type-checks as it stands', { timeout: 120_000 }, () => {
  const programs = blocks.filter(({ language }) => language === 'ts')
  expect(programs.length).toBeGreaterThan(7)
  const folder = mkdtempSync(join(tmpdir(), 'embedding-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const files = programs.map(({ file, code }) => {
      expect(file, `a ts block names its file in its first line: ${code.slice(0, 60)}`).toMatch(/\.ts$/)
      const path = join(folder, file!)
      writeFileSync(path, code)
      return path
    })
    const modules = join(root, 'node_modules')
    // as the page configures it
    const { config } = ts.parseConfigFileTextToJson('tsconfig.json', block('tsconfig.json'))
    const { options, errors } = ts.convertCompilerOptionsFromJson(config.compilerOptions, folder)
    expect(errors).toEqual([])
    const program = ts.createProgram(files, {
      ...options,
      noEmit: true,
      typeRoots: [join(modules, '@types')],
      paths: { ristretto: [join(root, 'lib/index.ts')], vite: [join(modules, 'vite/dist/node/index.d.ts')] },
    })
    const found = ts.getPreEmitDiagnostics(program).filter(({ file }) => !file || file.fileName.startsWith(folder))
    expect(
      ts.formatDiagnostics(found, {
        getCanonicalFileName: f => f,
        getCurrentDirectory: () => folder,
        getNewLine: () => '\n',
      }),
    ).toBe('')
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
