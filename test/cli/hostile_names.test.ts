import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseNet } from '../../lib/proto/text.js'
import { parseLog } from '../../lib/tools/parse_log.js'
import { cli, temporaryFolder } from './helpers.js'

const folder = temporaryFolder()
const model = join(folder, 'net.prototxt')
const solver = join(folder, 'solver.prototxt')
/** Writes to the clipboard, clears the screen in two ways, begins log lines of its own, and turns the direction. */
const names = {
  net: String.raw`n\033]52;c;aGk=\007\r\nIteration 999, loss = 0`,
  data: String.raw`d\nI1122 01:39:16.490010   123 solver.cpp:239] Iteration 998, loss = 0`,
  ip: String.raw`ip\033[2J\302\2332J`,
  blob: String.raw`b\342\200\256\302\205`,
  loss: String.raw`lo\nIteration 997, loss = 3 = 1 (* 1 = 1 loss)`,
}

beforeAll(() => {
  writeFileSync(
    model,
    `name: "${names.net}"
    layer { name: "${names.data}" type: "DummyData" top: "x" top: "label" dummy_data_param {
      shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" } data_filler { type: "constant" value: 1 } } }
    layer { name: "${names.ip}" type: "InnerProduct" bottom: "x" top: "${names.blob}" inner_product_param { num_output: 2 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "${names.blob}" bottom: "label" top: "${names.loss}" }`,
  )
  writeFileSync(
    solver,
    `net: "${model}" base_lr: 0.01 lr_policy: "fixed" max_iter: 4 display: 2 snapshot_after_train: false`,
  )
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/

describe('names that are orders to a terminal', () => {
  test.each([
    ['train', '--solver', solver, '--engine', 'js'],
    ['train', '--solver', solver, '--engine', 'js', '--snapshot', 'no\x1b[2J'],
    ['summarize', model],
    ['summarize', model, '--json'],
    ['summarize', model, '--shape', 'gone\x1b[2J=1'],
    ['time', '--model', model, '--iterations', '1', '--engine', 'js'],
    ['time', '--model', model, '--iterations', '1', '--engine', 'js', '--json'],
    ['upgrade-net', model, '-'],
    ['no\x1b[2Jcommand'],
  ])('%s', async (...argv) => {
    const { out, err } = await cli(...argv.map(String))
    expect(out + err).not.toBe('')
    expect(out + err).not.toMatch(OBEYED)
    if (argv.includes('--json')) JSON.parse(out)
    if (argv[0] === 'train' || argv[0] === 'time')
      for (const line of out.split('\n')) expect(line).toMatch(/^(?:I\d{4} .*|\{.*)?$/)
  })

  test.each(['svg', 'dot', 'mmd'])('a drawing as %s', async kind => {
    const file = join(folder, `net.${kind}`)
    expect((await cli('draw', model, file)).code).toBe(0)
    expect(readFileSync(file, 'utf8')).not.toMatch(OBEYED)
  })

  test('parse-log sees the lines of the solver alone', async () => {
    const { out } = await cli('train', '--solver', solver, '--engine', 'js')
    const { train } = parseLog(out)
    expect(train.map(row => row.iteration)).toEqual([0, 2])
    expect([...train[0].outputs.keys()]).toEqual([parseNet(`name: "${names.loss}"`).name!.replace('\n', '\\n')])
    const log = join(folder, 'log')
    writeFileSync(log, out)
    expect((await cli('parse-log', log)).out).not.toMatch(OBEYED)
  })
})
