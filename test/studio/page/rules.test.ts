/** What the page must never do. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('../../../lib/studio/page', import.meta.url).pathname
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file => /\.(tsx?|css|html)$/.test(file))
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8')

describe('the page', () => {
  test('makes markup of no text', () => {
    expect(files.length).toBeGreaterThan(40)
    const markup =
      /innerHTML|outerHTML|insertAdjacentHTML|dangerouslySet|document\.write|createContextualFragment|srcdoc/
    expect(files.filter(file => markup.test(textOf(file)))).toEqual([])
  })

  test('runs no text as a program, and has no script or style inside its markup', () => {
    expect(files.filter(file => /\beval\(|new Function\(/.test(textOf(file)))).toEqual([])
    expect(textOf('index.html')).not.toMatch(/<style|<script>|\son\w+=|style=/)
  })

  test('names no other host', () => {
    const hosts = files.flatMap(file =>
      [...textOf(file).matchAll(/https?:\/\/[^\s'"`)]+/g)].map(([address]) => `${file}: ${address}`),
    )
    expect(hosts.filter(address => !address.includes('http://www.w3.org/2000/svg'))).toEqual([])
  })

  test('computes nothing: behind what asks for it, of the library it knows the contract, and the schema for completions', () => {
    const importsOf = (these: readonly string[]) => {
      const imports = these.flatMap(file =>
        [...textOf(file).matchAll(/(?:from|import\()\s*'((?:\.\.\/)+[^']+)'/g)]
          .map(([, path]) => join(file, '..', path))
          .filter(path => path.startsWith('..') && !path.endsWith('/http_studio.js'))
          .map(path => path.replace(/^(\.\.\/)+/, '')),
      )
      return [...new Set(imports)].sort()
    }
    expect(importsOf(files.filter(file => file !== 'local.tsx'))).toEqual(['api/index.js', 'proto/schema.js'])
    // the one door to what computes in a browser without a server
    expect(importsOf(['local.tsx']).filter(path => !path.startsWith('browser/'))).toEqual([])
  })

  test('says all that it says in one place', () => {
    // words between tags, and attributes that are read aloud
    const spoken = /(?:aria-label|title|placeholder|alt)="[A-Za-z]|>\s*[A-Z][a-z]+ [a-z]+[^<{]*</
    const found = files.filter(file => file.endsWith('.tsx') && spoken.test(textOf(file)))
    expect(found).toEqual([])
  })
})
