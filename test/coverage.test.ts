/** docs/coverage.md is made from a whole run of the tests; here it is held against what should be in it. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { builtInLayers } from '../lib/generated/layer_list.js'
import { forkTypes as namedForks } from '../lib/proto/forks.js'
import { layerTypes } from '../lib/registry.js'
import { goldenCell, otherCases, render, type TestRecord, withoutGradient } from '../scripts/coverage.js'
import { forkTypes, goldenPath } from './golden.js'

const page = readFileSync(new URL('../docs/coverage.md', import.meta.url), 'utf8').split('## Layers of forks')[0]
const rows = page
  .split('\n')
  .filter(line => line.startsWith('| '))
  .map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim()),
  )
const recorded = (type: string): number => {
  if (!readdirSync(goldenPath('layers')).includes(`${type}.json`)) return otherCases(type).length
  return JSON.parse(readFileSync(goldenPath(`layers/${type}.json`), 'utf8')).cases.length
}

describe('docs/coverage.md', () => {
  test('has a row for every layer type of Caffe, and for no other', () => {
    expect(rows.slice(2).map(row => row[0])).toEqual(
      // tests that share this process may have registered more
      layerTypes()
        .filter(type => type === 'Python' || Object.hasOwn(builtInLayers, type))
        .filter(type => !forkTypes().has(type) && !namedForks.has(type)),
    )
    expect(rows.slice(2)).toHaveLength(61)
  })

  test('says that all golden cases pass on every engine, and every gradient is checked', () => {
    for (const [type, ...cells] of rows.slice(2))
      for (let k = 0; k < cells.length; k += 2) {
        expect(cells[k], type).toBe(recorded(type) ? String(recorded(type)) : 'none recorded')
        expect(cells[k + 1], type).not.toContain('**')
      }
    expect(rows[0]).toContain('js: golden')
    expect(rows[0]).toContain('wasm: gradient')
  })
})

describe('the page that is made', () => {
  const { cases } = JSON.parse(readFileSync(goldenPath('layers/ReLU.json'), 'utf8')) as { cases: { name: string }[] }
  const relu = (engine: string, failed?: string): TestRecord[] =>
    cases.map(({ name }) => ({
      file: 'test/layers/golden.test.ts',
      path: [`ReLU on ${engine}`, name],
      passed: name !== failed,
    }))
  const row = (text: string, type: string) => text.split('\n').find(line => line.startsWith(`| ${type} |`))

  test('counts what passed, engine by engine', () => {
    const text = render(
      [...relu('js'), ...relu('wasm', cases[0].name)],
      [{ type: 'ReLU', engine: 'js', compared: 7, file: '' }],
      ['js', 'wasm'],
    )
    const n = cases.length
    expect(row(text, 'ReLU')).toBe(`| ReLU | ${n} | yes | **${n - 1} of ${n}** | **no** |`)
    expect(row(text, 'Accuracy')).toMatch(/\*\*0 of 11\*\* \| none needed \(counts\)/)
    expect(text).toContain(`- **js**: ${n} of `)
  })

  test('data layers are counted from the files they read, a failed case of any engine counts against it', () => {
    const [first, ...others] = otherCases('ImageData')
    const tests = (passed: boolean): TestRecord[] => [
      { file: first.file, path: ['x', first.name], passed },
      ...others.map(({ file, name }) => ({ file, path: ['x', name], passed: true })),
    ]
    expect(goldenCell('ImageData', 'js', tests(true))).toEqual({ passed: 7, total: 7 })
    expect(goldenCell('ImageData', 'wasm', tests(false))).toEqual({ passed: 6, total: 7 })
    const walk = (engine: string, passed: boolean) => ({
      file: 'test/walkthroughs/triplet.test.ts',
      path: [`Triplets on ${engine}`, 'a'],
      passed,
    })
    expect(goldenCell('Python', 'js', [walk('js', true), walk('wasm', false)])).toEqual({ passed: 1, total: 3 })
    expect(goldenCell('Python', 'wasm', [walk('js', true), walk('wasm', false)])).toEqual({ passed: 0, total: 3 })
  })

  test('a layer without a gradient is one that the registry knows', () => {
    for (const type of Object.keys(withoutGradient)) expect(layerTypes()).toContain(type)
  })
})
