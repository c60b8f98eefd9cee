import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Net } from '../../lib/net.js'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const folder = temporaryFolder()
const tiny = tinyProblem(folder)
const js = ['--engine', 'js']

/** What Caffe's parse_log takes from a log: rows of iteration, seconds, and the named outputs. */
function parseLog(log: string): { test: Record<string, number>[]; train: Record<string, number>[] } {
  const rows = { test: [] as Record<string, number>[], train: [] as Record<string, number>[] }
  let iteration = -1
  for (const line of log.trimEnd().split('\n')) {
    iteration = Number(/Iteration (\d+)/.exec(line)?.[1] ?? iteration)
    if (iteration < 0) continue
    // the first two words are a date and a time of glog's
    const [date, time] = line.trim().split(/\s+/)
    expect(date).toMatch(/^I(0[1-9]|1[0-2])([0-2][0-9]|3[01])$/)
    expect(time).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/)
    const [, kind, , name, value] = /(Train|Test) net output #(\d+): (\S+) = ([.\deE+-]+)/.exec(line) ?? []
    if (kind) rows[kind.toLowerCase() as 'test' | 'train'].push({ iteration, [name]: Number(value) })
  }
  return rows
}

describe('train', () => {
  it("prints a log that Caffe's tools read, saves the model and its state, and ends with code 0", async () => {
    const { code, out, err } = await cli('train', '-solver', tiny.solver, ...js)
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^I\d{4} [\d:.]+ +\d+ ristretto\.ts:1\] Engine js/)
    expect(out).toMatch(/solver\.cpp:289\] Solving Tiny\n/)
    const { test, train } = parseLog(out)
    expect(test.map(row => row.iteration)).toEqual([0, 0, 15, 15, 30, 30])
    expect(test.filter(row => 'accuracy' in row).at(-1)).toEqual({ iteration: 30, accuracy: 1 })
    expect(train.map(row => row.iteration)).toEqual([0, 10, 20])
    expect(train[2].loss).toBeLessThan(train[0].loss)
    expect(existsSync(`${tiny.prefix}_iter_30.caffemodel`) && existsSync(`${tiny.prefix}_iter_30.solverstate`)).toBe(
      true,
    )
  })

  it('goes on from a snapshot exactly as if it had not stopped', async () => {
    const whole = join(folder, 'whole')
    const halves = join(folder, 'halves')
    for (const [prefix, extra] of [
      [whole, 'snapshot: 20'],
      [halves, 'snapshot: 20'],
    ]) {
      const text = readFileSync(tiny.solver, 'utf8').replace(`"${tiny.prefix}"`, `"${prefix}"`)
      writeFileSync(`${prefix}.prototxt`, `${text} ${extra}`)
    }
    await cli('train', '--solver', `${whole}.prototxt`, ...js)
    writeFileSync(
      `${halves}_20.prototxt`,
      readFileSync(`${halves}.prototxt`, 'utf8').replace('max_iter: 30', 'max_iter: 20'),
    )
    await cli('train', '--solver', `${halves}_20.prototxt`, ...js)
    const { code, out } = await cli(
      'train',
      `--solver=${halves}.prototxt`,
      `-snapshot=${halves}_iter_20.solverstate`,
      ...js,
    )
    expect(code).toBe(0)
    expect(out).toContain('iteration 20')
    expect(readFileSync(`${halves}_iter_30.caffemodel`).equals(readFileSync(`${whole}_iter_30.caffemodel`))).toBe(true)
  })

  it('starts from weights and says what it took', async () => {
    const { code, out } = await cli(
      'train',
      '--solver',
      tiny.solver,
      '--weights',
      `${tiny.prefix}_iter_30.caffemodel`,
      ...js,
    )
    expect(code).toBe(0)
    expect(out).toMatch(/Weights of .*_iter_30\.caffemodel\n.* net\.cpp:747\] Copying source layer ip\n/)
    expect(parseLog(out).test.find(row => 'accuracy' in row)).toEqual({ iteration: 0, accuracy: 1 })
  })

  it('without a prefix saves beside the solver, as Caffe does', async () => {
    const file = join(folder, 'nameless_solver.prototxt')
    writeFileSync(file, readFileSync(tiny.solver, 'utf8').replace(/snapshot_prefix: "[^"]*"/, ''))
    const { out } = await cli('train', '--solver', file, ...js)
    expect(out).toContain('snapshot_prefix was not specified')
    expect(existsSync(join(folder, 'nameless_solver_iter_30.caffemodel'))).toBe(true)
  })
})

describe('test', () => {
  const weights = ['--weights', `${tiny.prefix}_iter_30.caffemodel`]

  it('averages the outputs over the batches', async () => {
    const { code, out } = await cli('test', '--model', tiny.model, ...weights, '--iterations', '4', ...js)
    expect(code).toBe(0)
    const batches = [...out.matchAll(/\] Batch (\d), loss = (\S+)\n/g)].map(match => Number(match[2]))
    expect(batches).toHaveLength(4)
    expect(out).toMatch(/\] accuracy = 1\n/)
    const [, loss, weighted] = /\] loss = (\S+) \(\* 1 = (\S+) loss\)\n/.exec(out)!
    expect(Number(loss)).toBeCloseTo(batches.reduce((sum, value) => sum + value) / 4, 5)
    expect(weighted).toBe(loss)
    expect(out).toMatch(new RegExp(`\\] Loss: ${loss}\\n`))
  })

  it('prints JSON where a program reads it', async () => {
    const { out } = await cli('test', '--model', tiny.model, ...weights, '--iterations', '2', '--json', ...js)
    const { iterations, outputs } = JSON.parse(out)
    expect(iterations).toBe(2)
    expect(outputs).toMatchObject([
      { name: 'accuracy', value: 1, lossWeight: 0 },
      { name: 'loss', lossWeight: 1 },
    ])
  })
})

describe('-level, -stage and -phase', () => {
  const model = join(folder, 'rules.prototxt')
  const extra = (name: string, rule: string) =>
    `layer { name: "${name}" type: "Silence" bottom: "ip" include { ${rule} } }`
  writeFileSync(
    model,
    `${readFileSync(tiny.model, 'utf8')} ${extra('level2', 'min_level: 2')} ${extra('red', 'stage: "red"')}
    ${extra('both', 'stage: "red" stage: "blue"')} ${extra('test', 'phase: TEST')}`,
  )
  const extras = (names: readonly string[]) => names.filter(name => ['level2', 'red', 'both', 'test'].includes(name))

  it.each([
    [[], []],
    [['-level', '2'], ['level2']],
    [['-stage', 'red'], ['red']],
    [
      ['-stage=red,blue', '-level=1'],
      ['red', 'both'],
    ],
    [['-phase', 'TEST', '-stage', 'blue'], ['test']],
  ])('time %j', async (flags, expected) => {
    const { out } = await cli('time', '-model', model, '-iterations', '1', '--json', ...flags, ...js)
    expect(extras(JSON.parse(out).layers.map((layer: { name: string }) => layer.name))).toEqual(expected)
  })

  it('train gives them to the train net, beside the states of the solver, and not to the test nets', async () => {
    const trained = vi.spyOn(Net, 'create')
    const file = join(folder, 'rules_solver.prototxt')
    const text = readFileSync(tiny.solver, 'utf8').replace(tiny.model, model).replace('max_iter: 30', 'max_iter: 1')
    writeFileSync(file, `${text} train_state { stage: "blue" }`)
    expect((await cli('train', '-solver', file, '-stage', 'red', '-level', '2', ...js)).code).toBe(0)
    const nets = await Promise.all(trained.mock.results.map(result => result.value as Promise<Net>))
    trained.mockRestore()
    expect(nets.map(net => extras(net.layerNames))).toEqual([['level2', 'red', 'both'], ['test']])
  })
})

describe('a net whose Input layer nobody feeds', () => {
  const model = join(folder, 'input.prototxt')
  const weights = `${tiny.prefix}_iter_30.caffemodel`

  it('is neither scored, nor its features extracted, from zeros', async () => {
    const shapes = 'shape { dim: 4 dim: 3 } shape { dim: 4 }'
    const text = readFileSync(tiny.model, 'utf8').replace(/layer \{\s+name: "points"[\s\S]*?\n {4}\}/, '')
    writeFileSync(
      model,
      `layer { name: "in" type: "Input" top: "data" top: "label" input_param { ${shapes} } } ${text}`,
    )
    const test = await cli('test', '--model', model, '--weights', weights, '--iterations', '1', '--json', ...js)
    expect(test).toMatchObject({ code: 1, err: expect.stringContaining("inputs 'data', 'label' of net") })
    const features = await cli('extract-features', weights, model, 'ip', join(folder, 'zeros.npy'), '1', ...js)
    expect(features).toMatchObject({ code: 1, err: expect.stringContaining("inputs 'data', 'label' of net") })
    // timing needs no values
    expect(await cli('time', '--model', model, '--iterations', '1', ...js)).toMatchObject({ code: 0, err: '' })
  })
})

describe('time', () => {
  it('prints the lines of caffe time', async () => {
    const { code, out } = await cli('time', '--model', tiny.model, '--iterations', '3', ...js)
    expect(code).toBe(0)
    const golden = readFileSync(new URL('../golden/logs/caffe_time_lenet.log', import.meta.url), 'utf8')
    // the same words in the same order, with our layers and our numbers
    const words = (log: string, layers: string[]) =>
      log
        .split('\n')
        .filter(line => /caffe\.cpp:(?!343)/.test(line) && !/Iteration: (?!1 )/.test(line))
        .map(line => line.replace(/^.*?\] /, '').replace(/[\d.e-]+/g, '#'))
        .filter(line => !layers.some(layer => line.includes(`${layer.replace(/[\d.e-]+/g, '#')}\t`)))
    expect(words(out, ['points', 'ip', 'loss'])).toEqual(
      words(golden, ['mnist', 'conv1', 'pool1', 'ip1', 'relu1', 'loss']),
    )
    for (const layer of ['points', 'ip', 'loss'])
      for (const pass of ['forward', 'backward'])
        expect(out).toMatch(new RegExp(`\\] +${layer}\t${pass}: [\\d.e-]+ ms\\.\n`))
    expect(out).not.toContain('accuracy')
  })

  it('times the phase it is asked for, and its layers add up to the whole', async () => {
    const { out } = await cli('time', '--model', tiny.model, '--iterations', '20', '--phase', 'test', '--json', ...js)
    const times = JSON.parse(out)
    expect(times.phase).toBe('TEST')
    expect(times.layers.map((layer: { name: string }) => layer.name)).toContain('accuracy')
    const sum = times.layers.reduce((total: number, layer: { forward: number }) => total + layer.forward, 0)
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThanOrEqual(times.forward)
    expect(times.forward + times.backward).toBeLessThanOrEqual(times.forwardBackward)
  })
})

describe('exit codes and messages', () => {
  it.each([
    [[], 'Usage: ristretto'],
    [['trian'], "unknown command 'trian'"],
    [['train'], "required option '--solver <file>' not specified"],
    [['train', '--solver', 'x', '--nonsense'], "unknown option '--nonsense'"],
    [['train', '--solver', 'x', '--weights', 'a', '--snapshot', 'b'], 'cannot be used with'],
    [['train', '--solver', 'x', '--sigint_effect', 'explode'], 'Allowed choices are stop, snapshot, none'],
    [['train', '--solver', 'x', '--threads', '0'], 'whole number from 1 on'],
    [['test', '--model', 'x', '--weights', 'y', '--iterations', '1.5'], 'whole number from 1 on'],
    [['test', '--model', 'x', '--weights', 'y', '--iterations', '3abc'], 'whole number from 1 on'],
    [['train', '--solver', 'x', '--seed', ''], 'whole number from 0 on'],
    [['train', '--solver', 'x', '--seed', '0x10'], 'whole number from 0 on'],
    [['train', '--solver', 'x', '--gpu', '0,x'], 'number of a GPU'],
    [['time', '--model', 'x', '--phase', 'NIGHT'], 'Allowed choices are TRAIN, TEST'],
    [['convert-mnist', '--images', 'x'], "required option '--labels' not specified"],
  ])('usage errors are code 2: %j', async (argv, message) => {
    const { code, out, err } = await cli(...argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
  })

  it.each([
    [['train', '--solver', 'missing.prototxt'], "file not found: 'missing.prototxt'"],
    [['test', '--model', tiny.model, '--weights', tiny.model, ...js], tiny.model],
    [['time', '--model', tiny.model, '--engine', 'steam'], "no engine 'steam'"],
    [['convert-mnist', tiny.model, tiny.model, join(folder, 'db')], 'idx'],
    [['time', '--model', tiny.model, '--layers', 'missing.js'], 'missing.js: there is no such file'],
  ])('failures are code 1 and one line: %j', async (argv, message) => {
    const { code, err } = await cli(...argv)
    expect(code).toBe(1)
    expect(err).toContain(message)
    expect(err).toMatch(/^ristretto: [^\n]+\n$/)
  })

  it('--debug shows where an error comes from', async () => {
    const { code, err } = await cli('train', '--solver', 'missing.prototxt', '--debug')
    expect(code).toBe(1)
    expect(err).toMatch(/\n +at /)
  })

  it.each(['train', 'test', 'time', 'convert-mnist'])('%s --help shows an example', async command => {
    const { code, out } = await cli(command, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`Examples?:\n {2}ristretto ${command} `))
  })

  it('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await cli('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })
})

it('a command line loads the command that it names, under that name', async () => {
  const all = await cli('--help')
  const names = [...all.out.matchAll(/^ {2}([a-z][a-z-]+) /gm)]
    .map(([, name]) => name)
    .filter(name => name !== 'help' && name !== 'ristretto')
  expect(names.length).toBeGreaterThan(14)
  for (const name of names) {
    const one = await cli(name, '--help')
    expect(one.code, name).toBe(0)
    expect(one.out).toMatch(new RegExp(`^Usage: ristretto ${name}[ |]`))
  }
})
