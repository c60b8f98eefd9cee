/** The rooms of lib and their arrows: no circle of imports, types included, and no arrow up. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('..', import.meta.url).pathname
const files = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter(file => /\.tsx?$/.test(file) && !file.startsWith('generated'))
  .map(file => `lib/${file.replaceAll('\\', '/')}`)

const sources = new Set(files)

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
    .map(match => normalize(join(dirname(file), match[1])).replace(/\.js$/, '.ts'))
    .map(path => (sources.has(path) ? path : `${path}x`))
    .filter(path => path.startsWith('lib/') && !path.startsWith('lib/generated/'))

const graph = new Map(files.map(file => [file, importsOf(file)]))

/** Higher rooms use lower ones. */
const levels: readonly (readonly string[])[] = [
  ['system', 'errors.ts'],
  [
    'proto',
    'rng.ts',
    'memory.ts',
    'group.ts',
    'gpu_kernel.ts',
    'blob.ts',
    'engine.ts',
    'formulas',
    'filler.ts',
    'filler',
  ],
  ['layer.ts', 'engines', 'data', 'layers', 'registry.ts'],
  ['net', 'onnx'],
  ['net.ts'],
  ['solver', 'solver.ts', 'group'],
  // the root stands below what has a subpath of its own: a program that imports 'ristretto' loads none of it
  ['index.ts'],
  ['pycaffe', 'tools', 'plot', 'testing', 'testing.ts'],
  ['studio'],
  ['cli'],
]
const roomOf = (file: string): string => file.split('/')[1]
const levelOf = (file: string): number => levels.findIndex(rooms => rooms.includes(roomOf(file)))

describe('rooms', () => {
  test('every file is in one', { tags: 'long' }, () => {
    expect(files.length).toBeGreaterThan(200)
    expect(files.filter(file => levelOf(file) < 0)).toEqual([])
  })

  test('no arrow goes up', () => {
    const up = [...graph].flatMap(([file, imports]) =>
      imports.filter(to => levelOf(to) > levelOf(file)).map(to => `${file} → ${to}`),
    )
    expect(up).toEqual([])
  })

  test('no file declares what the oldest Node does not know', () => {
    // the build leaves the language as it is
    const newer = files.filter(file => /^\s*(?:await )?using \w+ = /m.test(readFileSync(join(root, file), 'utf8')))
    expect(newer).toEqual([])
  })

  test('no circle of imports', () => {
    const circles: string[] = []
    const state = new Map<string, 'open' | 'done'>()
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return
      if (state.get(file) === 'open') {
        circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
        return
      }
      state.set(file, 'open')
      for (const to of graph.get(file) ?? []) visit(to, [...path, file])
      state.set(file, 'done')
    }
    for (const file of files) visit(file, [])
    expect(circles).toEqual([])
  })
})
