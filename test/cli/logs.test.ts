import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { axisOf, chartOf, thinned } from '../../lib/plot/chart.js'
import { svgChart } from '../../lib/plot/svg_chart.js'
import { terminalChart } from '../../lib/plot/terminal_chart.js'
import { parseLog } from '../../lib/tools/parse_log.js'
import { goldenPath } from '../golden.js'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const folder = temporaryFolder()
const lenet = goldenPath('logs/caffe_train_lenet.log')
const write = (name: string, text: string) => {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

describe('parse-log', () => {
  it("makes the tables of Caffe's log", async () => {
    const { code, out } = await cli('parse-log', lenet, '--json')
    expect(code).toBe(0)
    const { train, test } = JSON.parse(out)
    expect(train).toHaveLength(10)
    // seconds from "Solving LeNet" at 23:53:11.917915
    expect(train[0]).toEqual({ NumIters: 0, Seconds: 1.640623, LearningRate: 0.01, loss: 2.34889 })
    expect(train[9]).toEqual({ NumIters: 900, Seconds: 21.308307, LearningRate: 0.00943913, loss: 0.109135 })
    expect(test).toEqual([
      { NumIters: 0, Seconds: 1.614163, LearningRate: 0.00971013, accuracy: 0.0953, loss: 2.36467 },
      { NumIters: 500, Seconds: 13.456076, LearningRate: 0.00971013, accuracy: 0.9707, loss: 0.0924071 },
      { NumIters: 1000, Seconds: 24.635722, LearningRate: 0.00937411, accuracy: 0.9796, loss: 0.0602175 },
    ])
  })

  it("gives each row the rate that Caffe's parse_log.py gives it, and its own, too", () => {
    // what that script writes for this log
    const rates = [
      0.01, 0.01, 0.00992565, 0.00985258, 0.00978075, 0.00971013, 0.00964069, 0.0095724, 0.00950522, 0.00943913,
    ]
    const { train, test } = parseLog(readFileSync(lenet, 'utf8'))
    expect(train.map(row => row.rateBefore)).toEqual(rates)
    expect(train.map(row => row.learningRate)).toEqual([...rates.slice(1), 0.00937411])
    expect(test.map(row => row.rateBefore)).toEqual([0.00971013, 0.00971013, 0.00937411])
    // nothing is displayed at 1000: the rate last shown
    expect(test.map(row => row.learningRate)).toEqual([0.01, 0.00964069, 0.00937411])
  })

  it('writes two CSV files, or prints one', async () => {
    expect((await cli('parse-log', lenet, folder)).code).toBe(0)
    const lines = readFileSync(join(folder, 'caffe_train_lenet.log.test'), 'utf8').split('\n')
    expect(lines).toEqual([
      'NumIters,Seconds,LearningRate,accuracy,loss',
      '0,1.614163,0.00971013,0.0953,2.36467',
      '500,13.456076,0.00971013,0.9707,0.0924071',
      '1000,24.635722,0.00937411,0.9796,0.0602175',
      '',
    ])
    const { out } = await cli('parse-log', lenet, '--table=train', '-delimiter', ';')
    expect(out.split('\n')[0]).toBe('NumIters;Seconds;LearningRate;loss')
    expect(out.split('\n')).toHaveLength(12)
    expect(existsSync(join(folder, 'caffe_train_lenet.log.train'))).toBe(true)
  })

  it('reads what our train prints', async () => {
    const { out } = await cli('train', '--solver', tinyProblem(folder).solver, '--engine', 'js')
    const { train, test, losses } = parseLog(out)
    expect(train.map(row => [row.iteration, ...row.outputs.keys()])).toEqual([0, 10, 20].map(i => [i, 'loss']))
    expect(test.map(row => [row.iteration, ...row.outputs.keys()])).toEqual(
      [0, 15, 30].map(i => [i, 'accuracy', 'loss']),
    )
    expect([...losses]).toEqual(['loss'])
    expect(train[0].learningRate).toBe(0.1)
    expect(train[0].rateBefore).toBe(0.1)
    // inv: 0.1·(1 + 0.0001·10)^−0.75
    expect(train[1].learningRate).toBeCloseTo(0.0999251, 6)
    for (const { seconds } of train) expect(seconds).toBeGreaterThanOrEqual(0)
  })

  it('keeps apart test nets, repeated outputs, and runs that were appended', () => {
    const { test, train } = parseLog(`
      Iteration 0, Testing net (#0)
          Test net output #0: acc = 0.5
      Iteration 0, Testing net (#1)
          Test net output #0: acc = 0.25
          Test net output #1: per_class = 1
          Test net output #2: per_class = nan
          Train net output #0: loss = -inf (* 1 = -inf loss)
      Iteration 0, lr = 1e-05
          Train net output #0: loss = 3 (* 1 = 3 loss)`)
    expect(test.map(row => [row.net, Object.fromEntries(row.outputs)])).toEqual([
      [0, { acc: 0.5 }],
      [1, { acc: 0.25, per_class: 1, 'per_class[1]': Number.NaN }],
    ])
    expect(train.map(row => row.outputs.get('loss'))).toEqual([Number.NEGATIVE_INFINITY, 3])
    expect(test[0].learningRate).toBe(1e-5)
    // a table of one row: there is none before
    expect(test.map(row => row.rateBefore)).toEqual([1e-5, 1e-5])
    expect(test[0].seconds).toBeNaN()
  })

  it('counts seconds over midnight, the end of February and of the year', () => {
    const line = (stamp: string, text: string) => `I${stamp} 1234 solver.cpp:1] ${text}`
    const seconds = (first: string, second: string, year: number) =>
      parseLog(
        [
          line(first, 'Solving X'),
          line(second, 'Iteration 1, loss = 2'),
          line(second, '  Train net output #0: a = 1'),
        ].join('\n'),
        year,
      ).train[0].seconds
    expect(seconds('0228 23:59:59.500000', '0301 00:00:00.250000', 2023)).toBe(0.75)
    expect(seconds('0228 23:59:59.500000', '0301 00:00:00.250000', 2024)).toBe(86400.75)
    expect(seconds('1231 23:59:59.000000', '0101 00:00:01.000000', 2023)).toBe(2)
    expect(seconds('20231231 23:59:59.000000', '20240101 00:00:01.000000', 1999)).toBe(2)
  })

  it('does not pass control characters on to the terminal', () => {
    const { train } = parseLog('Iteration 0\n  Train net output #0: a\x1b[2Jb = 1')
    expect([...train[0].outputs.keys()]).toEqual(['a\ufffd[2Jb'])
  })

  it('refuses what is no training log', async () => {
    const { code, err } = await cli('parse-log', write('no.log', 'I0101 00:00:00.0 1 a.cpp:1] Iteration 0\n'))
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('no training log') })
    expect((await cli('parse-log', join(folder, 'missing.log'))).err).toContain('file not found')
    expect((await cli('parse-log', lenet, '--table', 'both')).code).toBe(2)
  })
})

describe('plot-log', () => {
  it('draws in the terminal', async () => {
    const { code, out } = await cli('plot-log', lenet, '--width', '80')
    expect(code).toBe(0)
    const lines = out.split('\n')
    expect(lines).toContain('     ⣿ train loss   ● test loss')
    expect(lines.every(line => line.length <= 80)).toBe(true)
    // the top of each axis, the end of the accuracy's curve beside it
    expect(lines.findLast(line => line.startsWith('  1 ┤'))).toMatch(/⠒⠒⠒$/)
    // tests at 0, 500, 1000: three marks
    expect(out.match(/●/g)).toHaveLength(3 + 1)
    expect(out).not.toContain('\x1b')
  })

  it('writes an SVG with every test as a dot at its place', async () => {
    const file = join(folder, 'chart.svg')
    expect((await cli('plot-log', lenet, '--output', file)).out).toBe(`${file}: loss, accuracy\n`)
    const svg = readFileSync(file, 'utf8')
    const dots = [
      ...svg.matchAll(
        /<circle cx="([\d.]+)" cy="([\d.]+)" r="3" fill="#0072b2"><title>test accuracy: (\S+) at (\d+)</g,
      ),
    ]
    expect(dots.map(dot => [Number(dot[3]), Number(dot[4])])).toEqual([
      [0.0953, 0],
      [0.9707, 500],
      [0.9796, 1000],
    ])
    const [first, second, third] = dots.map(dot => [Number(dot[1]), Number(dot[2])])
    expect(second[0] - first[0]).toBeCloseTo(third[0] - second[0], 1)
    expect((second[1] - first[1]) / (third[1] - first[1])).toBeCloseTo((0.9707 - 0.0953) / (0.9796 - 0.0953), 3)
    expect(svg.match(/<path d="M[^"]*L[^"]*" fill="none"/g)).toHaveLength(3)
  })

  it('compares runs, over time, for the outputs that were asked for', async () => {
    const other = write('other.log', readFileSync(lenet, 'utf8'))
    const { code, out } = await cli('plot-log', lenet, other, '--fields', 'accuracy,lr', '--x', 'seconds')
    expect(code).toBe(0)
    expect(out).toContain('test accuracy (caffe_train_lenet.log)')
    expect(out).toContain('test accuracy (other.log)')
    expect(out).toContain('learning rate')
    expect(out).not.toContain('loss')
    expect(out.trimEnd()).toMatch(/seconds$/)
    const { code: wrong, err } = await cli('plot-log', lenet, '--fields', 'speed')
    expect({ wrong, err }).toEqual({
      wrong: 1,
      err: expect.stringContaining('no output is named speed; there are loss, accuracy, lr'),
    })
  })

  it('leaves gaps for NaN, draws single points, and escapes names', () => {
    const log = parseLog(`Iteration 0
      Train net output #0: <a&b> = 1
      Iteration 1
      Train net output #0: <a&b> = nan
      Iteration 2
      Train net output #0: <a&b> = 3
      Test net output #0: once = 7`)
    const chart = chartOf([{ name: 'x<y', log }], { x: 'iterations', logarithmic: false })
    const svg = svgChart(chart)
    expect(svg).toContain('train &lt;a&amp;b&gt;')
    expect(svg).not.toContain('x<y')
    expect(svg).toMatch(/d="M[\d.]+ [\d.]+M[\d.]+ [\d.]+" fill="none"/)
    expect(svg).toContain('test once: 7 at 2')
    expect(svg).not.toContain('NaN')
    expect(terminalChart(chart, { width: 40, height: 6, color: true }).join('\n')).toContain('\x1b[36m')
  })
})

describe('axes', () => {
  it.each([
    [[0, 1000], 5, [0, 200, 400, 600, 800, 1000]],
    [[0.0602, 2.36], 6, [0, 0.5, 1, 1.5, 2, 2.5]],
    [[-3, 4], 4, [-4, -2, 0, 2, 4]],
    [[5, 5], 2, [0, 5, 10]],
    [[Number.NaN], 2, [0, 0.5, 1]],
  ])('%j about %d ticks', (values, count, ticks) => {
    const axis = axisOf(values, count)
    expect(axis.ticks).toEqual(ticks)
    expect([axis.place(ticks[0]), axis.place(ticks.at(-1)!)]).toEqual([0, 1])
  })

  it('logarithmic ones end at powers of ten', () => {
    const axis = axisOf([0.06, 2.3, -1, 0], 6, true)
    expect(axis.ticks).toEqual([0.01, 0.1, 1, 10])
    expect(axis.place(0.1)).toBeCloseTo(1 / 3)
  })

  it('a thinned curve keeps its spikes and its gaps', () => {
    const points = Array.from(
      { length: 10_000 },
      (_, i) => [i, i === 5003 ? 99 : i === 7001 ? Number.NaN : Math.sin(i)] as const,
    )
    const few = thinned(points, 100)
    expect(few.length).toBeLessThanOrEqual(204)
    expect(few).toContainEqual([5003, 99])
    expect(few).toContainEqual([7001, Number.NaN])
    expect(thinned(points.slice(0, 50), 100)).toHaveLength(50)
  })
})
