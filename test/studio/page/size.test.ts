/** What the page weighs, and what it consists of. */
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPage, buildPage, serverEntry } from '../../../scripts/studio_page/build.js'

let built: BuiltPage

beforeAll(async () => {
  built = await buildPage(serverEntry)
})

/** In thousands of bytes: as they are, and packed. */
function weight(names: readonly string[]): { bytes: number; packed: number } {
  const sum = (of: (name: string) => number): number => names.reduce((all, name) => all + of(name), 0) / 1000
  return {
    bytes: sum(name => built.files.get(name)!.length),
    packed: sum(name => gzipSync(built.files.get(name)!).length),
  }
}

describe('the built page', () => {
  test('first screen: at most 180 kB, 70 packed', () => {
    const { bytes, packed } = weight(built.first)
    expect(bytes).toBeLessThan(180)
    expect(packed).toBeLessThan(70)
    // it is not nothing
    expect(bytes).toBeGreaterThan(40)
  })

  test('an editor of nets: at most 420 kB more, 135 packed', () => {
    const { bytes, packed } = weight(built.editor)
    expect(bytes).toBeLessThan(420)
    expect(packed).toBeLessThan(135)
  })

  test('colours of TypeScript: at most 120 kB more, 45 packed', () => {
    const { bytes, packed } = weight(built.typescript)
    expect(bytes).toBeLessThan(120)
    expect(packed).toBeLessThan(45)
  })

  test('names of scripts and styles carry a hash, and the page names the right ones', () => {
    const html = new TextDecoder().decode(built.files.get('index.html'))
    for (const [, name] of html.matchAll(/(?:src|href)="([^"]+)"/g)) expect([...built.files.keys()]).toContain(name)
    for (const name of built.files.keys()) if (/\.(js|css)$/.test(name)) expect(name).toMatch(/-[A-Z0-9]{8}\.(js|css)$/)
  })

  test('names every package that is in it, with its licence', () => {
    const text = new TextDecoder().decode(built.files.get('THIRD-PARTY.txt'))
    for (const name of ['preact', '@preact/signals', 'uplot', '@codemirror/view', '@codemirror/lang-javascript'])
      expect(text).toMatch(new RegExp(`\\n${name} \\d+\\.\\d+\\.\\d+ \\(MIT\\)\\n`))
    expect(text.match(/Permission is hereby granted/g)!.length).toBeGreaterThanOrEqual(10)
  })
})
