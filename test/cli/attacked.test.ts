import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const at = (name: string) => join(folder, name)
const out = at('out')

/** What commands are given in place of what they want. */
const wrong = {
  empty: '',
  zeros: '\0'.repeat(100),
  rubbish: '\x01\x02\x03\xff\xfe rubbish \0',
  text: 'no prototxt, no picture\n',
  'esc.prototxt': 'layer { name: "\x1b[2J" type: "Nope\x1b]52;c;aGk=\x07" }',
  'half.zip': `PK\x03\x04${'\0'.repeat(30)}`,
  'empty.zip': '',
  'empty.csv': '',
  'nul.txt': 'a\0b.png 0\n',
  'gone.txt': 'nowhere\x1b[2J.png 0\n',
  'huge.txt': 'a.png 99999999999999999999\n',
}

/** Summaries of datasets that no make-dataset wrote. */
const summaries = {
  null: 'null',
  half: '{"classes":',
  planet: JSON.stringify({
    ...{ classes: ['a', 'b'], channels: 1, height: 1e6, width: 1e6, mean: [0] },
    sets: { train: { records: 9 } },
  }),
}

beforeAll(() => {
  for (const [name, text] of Object.entries(wrong)) writeFileSync(at(name), Buffer.from(text, 'latin1'))
  for (const [name, text] of Object.entries(summaries)) {
    mkdirSync(at(name))
    writeFileSync(join(at(name), 'summary.json'), text)
  }
  mkdirSync(at('folder/a'), { recursive: true })
  execFileSync('mkfifo', [at('pipe')])
  writeFileSync(
    at('net.prototxt'),
    `layer { name: "d" type: "DummyData" top: "x" top: "t" dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 } } }
     layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" inner_product_param { num_output: 2 } }
     layer { name: "l" type: "SoftmaxWithLoss" bottom: "y" bottom: "t" top: "l" }`,
  )
  writeFileSync(at('solver.prototxt'), `net: "${at('net.prototxt')}" base_lr: 0.01 lr_policy: "fixed" max_iter: 100`)
})

const sources = [...Object.keys(wrong).map(at), at('folder'), at('nowhere'), at('pipe'), '/dev/zero', '/dev/null', '']
const data = [...Object.keys(summaries), 'folder', 'pipe', 'nowhere'].map(at)

/** Every command that takes files of strangers, given what it does not want. */
const calls: string[][] = [
  ...sources.flatMap(file => [
    ['check', file],
    ['make-dataset', file, '--output', out],
    ['find-lr', '--solver', file],
    ['test', '--model', at('net.prototxt'), '--weights', file, '--per-class'],
    ['classify', file, at('text')],
    ['archive', '--solver', file, '--output', out],
    ['show', file, '--layer', 'x', '--output', `${out}.png`],
  ]),
  ...data.map(file => ['new', out, '--dataset', file]),
  ...['-1', '0', '1e99', 'NaN', 'Infinity', '', '\x1b[2J'].flatMap(value => [
    ['make-dataset', at('folder'), '--output', out, '--size', value],
    ['make-dataset', at('folder'), '--output', out, '--val', value],
    ['make-dataset', at('folder'), '--output', out, '--threads', value],
    ['new', out, '--dataset', at('planet'), '--rate', value],
    ['find-lr', '--solver', at('solver.prototxt'), '--to', value],
    ['find-lr', '--solver', at('solver.prototxt'), '--iterations', value],
  ]),
  ['make-dataset', at('folder'), '--output', at('text')],
  ['make-dataset', at('folder'), '--output', ''],
  ['make-dataset', at('folder'), '--output', '/proc/nowhere'],
  ['make-dataset', at('folder'), '--output', out, '--labels', at('rubbish')],
  ['check', at('net.prototxt'), '--shape', 'gone\x1b[2J=1'],
  ['find-lr', '--solver', at('solver.prototxt'), '--output', '/proc/nowhere.svg'],
  ['test', '--model', at('net.prototxt'), '--weights', ''],
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/

describe('commands that are given what they do not want', () => {
  test.each(calls.map(call => [call.map(word => word.replace(folder, '')).join(' '), call] as const))(
    '%j',
    async (_, call) => {
      const before = readdirSync(folder).sort()
      const { code, out: said, err } = await cli(...call)
      expect([1, 2]).toContain(code)
      expect(err).toMatch(/^(?:ristretto|error): |\n(?:ristretto|error): /)
      expect(err).not.toMatch(/TypeError|RangeError|ReferenceError|SyntaxError|undefined|\[object|\n {4}at /)
      expect(said + err).not.toMatch(OBEYED)
      // nothing is left of what was not made
      expect(readdirSync(folder).sort()).toEqual(before)
    },
  )
})
