import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  type Blob,
  createSolver,
  Layer,
  NetError,
  NumericsError,
  parseSolver,
  RandomStream,
  registerLayer,
  SGDSolver,
  type Solver,
  type SolverOptions,
} from '../lib/index.js'
import { solverTypes } from '../lib/solver/rules/index.js'
import { lintLoss } from '../lib/solver/stuck.js'
import { g6 } from '../lib/system/format.js'
import { hostEngines } from './engines.js'
import { inputLayer } from './shapes.js'

const folder = mkdtempSync(join(tmpdir(), 'ristretto-solver-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Loss (w·x − t)²/2 with w = 1: every step can be done by hand. dE/dw = x(w·x − t). */
const line = (param = '', bias = false) => `name: "line" ${inputLayer('x', '1×1')} ${inputLayer('t', '1×1')}
  layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y" ${param}
    inner_product_param { num_output: 1 bias_term: ${bias} weight_filler { type: "constant" value: 1 } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }`

interface Made {
  solver: Solver
  log: string[]
}

async function make(text: string, net = line(), options: SolverOptions = {}): Promise<Made> {
  const log: string[] = []
  const policy = text.includes('lr_policy') ? '' : 'lr_policy: "fixed"'
  const nets = net ? `net_param { ${net} }` : ''
  const solver = await createSolver(parseSolver(`${policy} ${text} ${nets}`), {
    engine: 'js',
    seed: 1,
    log: text => log.push(text),
    ...options,
  })
  return { solver, log }
}

/** x and t of successive forward passes. */
function feed({ net }: Solver, x: number[], t = [0]): void {
  net.feed(
    'x',
    x.map(value => [value]),
  )
  net.feed(
    't',
    x.map((_, i) => [t[i % t.length]]),
  )
}
/** x = 1, t = 0 in every batch of every net. */
function feedAll(solver: Solver): void {
  for (const net of [solver.net, ...solver.testNets]) {
    net.feed('x', [[1]])
    net.feed('t', [[0]])
  }
}
const weight = (solver: Solver) => solver.net.params.ip[0].dataArray[0]

describe('learning-rate policies', () => {
  const e = Math.exp
  const cases: [policy: string, rates: number[]][] = [
    ['base_lr: 0.5 lr_policy: "fixed"', [0.5, 0.5, 0.5]],
    ['base_lr: 1 lr_policy: "step" gamma: 0.5 stepsize: 2', [1, 1, 0.5, 0.5, 0.25]],
    ['base_lr: 1 lr_policy: "exp" gamma: 0.9', [1, 0.9, 0.81, 0.729]],
    ['base_lr: 0.1 lr_policy: "inv" gamma: 0.5 power: 2', [0.1, 0.1 / 2.25, 0.025]],
    ['base_lr: 1 lr_policy: "multistep" gamma: 0.1 stepvalue: 2 stepvalue: 3', [1, 1, 0.1, 0.01, 0.01]],
    // a stage moves by one a step, even where several are due
    [
      'base_lr: 1 lr_policy: "multistep" gamma: 0.1 stepvalue: 1 stepvalue: 1 stepvalue: 1',
      [1, 0.1, 0.01, 0.001, 0.001],
    ],
    ['base_lr: 2 lr_policy: "poly" power: 2 max_iter: 4', [2, 1.125, 0.5, 0.125]],
    ['base_lr: 1 lr_policy: "sigmoid" gamma: -1 stepsize: 2', [1 / (1 + e(-2)), 1 / (1 + e(-1)), 0.5, 1 / (1 + e(1))]],
  ]
  for (const [policy, rates] of cases)
    test(policy, async () => {
      const { solver } = await make(policy)
      feed(solver, [1])
      for (const [i, rate] of rates.entries()) {
        expect(solver.lr, `before iteration ${i}`).toBeCloseTo(rate, 12)
        // looking twice changes nothing
        expect(solver.lr).toBeCloseTo(rate, 12)
        const before = weight(solver)
        await solver.step(1)
        expect(weight(solver)).toBeCloseTo(before * (1 - rate), 6)
      }
    })

  test('a multistep stage is logged, and counted for the snapshot', async () => {
    const { solver, log } = await make('base_lr: 1 lr_policy: "multistep" gamma: 0.1 stepvalue: 2')
    feedAll(solver)
    await solver.step(4)
    expect(log).toContain('MultiStep Status: Iteration 2, step = 1')
    expect(solver.rate.stage).toBe(1)
  })
})

describe('from gradients to a step', () => {
  test('iter_size averages gradients and losses', async () => {
    const { solver } = await make('base_lr: 0.1 iter_size: 2')
    feed(solver, [1, 3])
    await solver.step(1)
    // gradients 1 and 9, losses 0.5 and 4.5
    expect(weight(solver)).toBeCloseTo(1 - 0.1 * 5, 6)
    expect(await solver.loss()).toBeCloseTo(2.5, 6)
    expect(solver.iter).toBe(1)
  })

  test('clip_gradients looks at all params together, before the division by iter_size', async () => {
    const { solver, log } = await make('base_lr: 0.1 iter_size: 2 clip_gradients: 0.5', line('', true))
    feed(solver, [1, 3], [0, 3])
    await solver.step(1)
    // weight: 1 + 0, bias: 1 + 0; the norm is √2
    expect(log).toContain('Gradient clipping: scaling down gradients (L2 norm 1.41421 > 0.5) by scale factor 0.353553')
    expect(weight(solver)).toBeCloseTo(1 - (0.1 * (0.5 / Math.SQRT2)) / 2, 6)
    expect(solver.net.params.ip[1].dataArray[0]).toBeCloseTo(-(0.1 * (0.5 / Math.SQRT2)) / 2, 6)
  })

  test('gradients below the limit are left alone', async () => {
    const { solver, log } = await make('base_lr: 0.1 clip_gradients: 1.01')
    feed(solver, [1])
    await solver.step(1)
    expect(weight(solver)).toBeCloseTo(0.9, 6)
    expect(log.filter(text => text.startsWith('Gradient clipping'))).toEqual([])
  })

  test('L2 and L1 decay, with the multipliers of the param', async () => {
    const param = 'param { lr_mult: 2 decay_mult: 3 }'
    for (const [type, decay] of [
      ['L2', 0.1 * 3 * 1],
      ['L1', 0.1 * 3],
    ] as const) {
      const { solver } = await make(`base_lr: 0.01 weight_decay: 0.1 regularization_type: "${type}"`, line(param))
      feed(solver, [2], [1])
      await solver.step(1)
      expect(weight(solver)).toBeCloseTo(1 - 0.01 * 2 * (2 + decay), 6)
      const before = weight(solver)
      await solver.step(1)
      const decayed = type === 'L2' ? 0.3 * before : 0.3
      expect(weight(solver)).toBeCloseTo(before - 0.02 * (2 * (2 * before - 1) + decayed), 6)
    }
  })

  test('what was subtracted stands in the diff', async () => {
    const { solver } = await make('base_lr: 0.1')
    feed(solver, [1])
    await solver.step(1)
    expect(solver.net.params.ip[0].diffArray[0]).toBeCloseTo(0.1, 6)
  })
})

test('the loss is smoothed over average_loss iterations', async () => {
  const { solver, log } = await make('base_lr: 0 average_loss: 3 display: 1 max_iter: 5')
  feed(
    solver,
    [1, 2, 3, 4, 5, 6].map(loss => Math.sqrt(2 * loss)),
  )
  const smoothed: number[] = []
  solver.onIteration(() => void smoothed.push(solver.smoothedLoss))
  await solver.solve()
  for (const [i, value] of [1, 1.5, 2, 3, 4].entries()) expect(smoothed[i]).toBeCloseTo(value, 5)
  expect(await solver.loss()).toBeCloseTo(5, 5)
  // the last line includes a forward pass with the final weights: (4 + 5 + 6) / 3
  expect(log.filter(text => text.startsWith('Iteration 5,'))).toEqual(['Iteration 5, loss = 5'])
  // another call starts anew
  await solver.step(1)
  expect(solver.smoothedLoss).toBeCloseTo(1, 5)
})

describe('test nets', () => {
  const net = `name: "line" ${inputLayer('x', '1×1')} ${inputLayer('t', '1×1')}
    layer { name: "ip" type: "InnerProduct" bottom: "x" top: "y"
      inner_product_param { num_output: 1 bias_term: false weight_filler { type: "constant" value: 1 } } }
    layer { name: "double" type: "Power" bottom: "y" top: "double" power_param { scale: 2 } include { phase: TEST stage: "double" } }
    layer { name: "high" type: "Power" bottom: "y" top: "high" power_param { shift: 7 } include { phase: TEST min_level: 2 } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }`
  test('the generic net once per test_iter, each with its test_state', async () => {
    const states = 'test_state { stage: "double" } test_state { level: 2 } test_state { }'
    const { solver } = await make(`base_lr: 0.5 test_interval: 1 test_iter: 1 test_iter: 2 test_iter: 3 ${states}`, net)
    expect(solver.testNets.map(n => n.outputs.join())).toEqual(['double,loss', 'high,loss', 'loss'])
    expect(solver.testNets.every(n => n.phase === 'TEST')).toBe(true)
    expect(solver.net.outputs).toEqual(['loss'])
    feedAll(solver)
    const values = async () => (await solver.testAll()).map(results => results.map(({ name, value }) => [name, value]))
    const w1 = [
      [
        ['double', 2],
        ['loss', 0.5],
      ],
      [
        ['high', 8],
        ['loss', 0.5],
      ],
      [['loss', 0.5]],
    ]
    expect(await values()).toEqual(w1)
    await solver.step(1)
    // they use the weights of the train net, now 0.5
    expect((await values())[0]).toEqual([
      ['double', 1],
      ['loss', 0.125],
    ])
  })

  test('test_net_param, test_net and the generic net, in this order', async () => {
    const other = net.replace('"line"', '"other"').replace('shift: 7', 'shift: 9')
    const files = (path: string) =>
      path === 'third.prototxt' ? new TextEncoder().encode(net.replace('"line"', '"third"')) : undefined
    const { solver } = await make(
      `base_lr: 0.5 test_interval: 1 test_iter: 1 test_iter: 1 test_iter: 1 test_net: "third.prototxt" test_net_param { ${other} }`,
      net,
      { files },
    )
    expect(solver.testNets.map(n => n.name)).toEqual(['other', 'third', 'line'])
  })

  test('train_net and test_net instead of net, and train_state', async () => {
    const train = net.replaceAll('phase: TEST', 'phase: TRAIN')
    const text = `base_lr: 0.5 test_interval: 1 test_iter: 1 train_net_param { ${train} } test_net_param { ${net} } train_state { stage: "double" level: 5 }`
    const { solver } = await make(text, '')
    expect(solver.net.outputs).toEqual(['double', 'high', 'loss'])
    expect(solver.testNets[0].outputs).toEqual(['loss'])
  })

  test('results are averages, with the loss weights; test_compute_loss adds their sum', async () => {
    const { solver, log } = await make(
      'base_lr: 0.5 test_interval: 10 test_iter: 2 test_compute_loss: true',
      net.replace('top: "loss"', 'top: "loss" loss_weight: 3'),
    )
    feedAll(solver)
    solver.testNets[0].feed('x', [[1], [2]])
    solver.testNets[0].feed('t', [[0], [0]])
    const results = await solver.test()
    expect(results).toEqual([{ name: 'loss', value: 1.25, lossWeight: 3 }])
    expect(log).toEqual([
      'Iteration 0, Testing net (#0)',
      'Test loss: 3.75',
      '    Test net output #0: loss = 1.25 (* 3 = 3.75 loss)',
    ])
  })

  test('when: every test_interval, first of all unless test_initialization is false, and once at the end', async () => {
    for (const [text, expected] of [
      ['', [0, 2, 4]],
      ['test_initialization: false', [2, 4]],
    ] as const) {
      const { solver } = await make(`base_lr: 0.5 max_iter: 4 test_interval: 2 test_iter: 1 ${text}`, net)
      feedAll(solver)
      const when: number[] = []
      solver.onTest(({ iter, net: index, results }) => {
        expect(index).toBe(0)
        expect(results).toHaveLength(1)
        when.push(iter)
      })
      await solver.solve()
      expect(when).toEqual(expected)
    }
  })
})

describe('the log, line by line as Caffe writes it', () => {
  const text = 'base_lr: 0.5 display: 2 max_iter: 4 test_interval: 4 test_iter: 1 random_seed: 1'
  const number = String.raw`-?\d+(\.\d+)?(e[-+]\d\d)?`
  const re = (pattern: string) => new RegExp(`^${pattern.replaceAll('#', number)}$`)

  test('of a whole run', async () => {
    const prefix = join(folder, 'log')
    const { solver, log } = await make(`${text} snapshot: 4 snapshot_prefix: "${prefix}"`)
    feedAll(solver)
    await solver.solve()
    const shown = (iter: number, loss: string, lr: number) => [
      re(`Iteration ${iter} \\(# iter/s, #s/2 iters\\), loss = ${loss}`),
      `    Train net output #0: loss = ${loss} (* 1 = ${loss} loss)`,
      `Iteration ${iter}, lr = ${lr}`,
    ]
    const tested = (iter: number, loss: string) => [
      `Iteration ${iter}, Testing net (#0)`,
      `    Test net output #0: loss = ${loss} (* 1 = ${loss} loss)`,
    ]
    // w = 1, ½, ¼, ⅛, 1/16
    const expected = [
      'Solving line',
      'Learning Rate Policy: fixed',
      ...tested(0, '0.5'),
      ...shown(0, '0.5', 0.5),
      ...shown(2, '0.03125', 0.5),
      `Snapshotting to binary proto file ${prefix}_iter_4.caffemodel`,
      `Snapshotting solver state to binary proto file ${prefix}_iter_4.solverstate`,
      'Iteration 4, loss = 0.00195312',
      ...tested(4, '0.00195312'),
      'Optimization Done.',
    ]
    expect(log).toHaveLength(expected.length)
    for (const [i, line] of expected.entries()) {
      if (typeof line === 'string') expect(log[i]).toBe(line)
      else expect(log[i]).toMatch(line)
    }
  })

  test('numbers have six digits, as C++ prints them: ties go to the even digit', () => {
    const shown = [
      0.001953125,
      0.005859375,
      -0.001953125,
      1234565,
      1234575,
      123456.5,
      0.1,
      1e-5,
      100000,
      1e6,
      87.33654475,
      2.5,
      0,
      -0,
      1 / 3,
    ].map(g6)
    expect(shown.join(' ')).toBe(
      '0.00195312 0.00585938 -0.00195312 1.23456e+06 1.23458e+06 123456 0.1 1e-05 100000 1e+06 87.3365 2.5 0 -0 0.333333',
    )
  })

  test('every value of every output has its number, without a loss weight no brackets', async () => {
    const net = `${line()} layer { name: "two" type: "Concat" bottom: "x" bottom: "t" top: "a" }`
    const { solver, log } = await make('base_lr: 0.5 display: 1', net)
    feed(solver, [2])
    await solver.step(1)
    expect(log.filter(text => text.includes('output #'))).toEqual([
      '    Train net output #0: a = 2',
      '    Train net output #1: a = 0',
      '    Train net output #2: loss = 2 (* 1 = 2 loss)',
    ])
  })

  test('debug_info, at display points', async () => {
    const { solver, log } = await make('base_lr: 0.5 display: 2 debug_info: true')
    feed(solver, [1])
    await solver.step(3)
    const debug = log.filter(text => /\[(Forward|Backward)\]/.test(text))
    const of = (w: number, loss: number) => [
      '    [Forward] Layer x, top blob x data: 1',
      '    [Forward] Layer t, top blob t data: 0',
      `    [Forward] Layer ip, top blob y data: ${w}`,
      `    [Forward] Layer ip, param blob 0 data: ${w}`,
      `    [Forward] Layer loss, top blob loss data: ${loss}`,
      `    [Backward] Layer loss, bottom blob y diff: ${w}`,
      `    [Backward] Layer ip, param blob 0 diff: ${w}`,
      `    [Backward] All net params (data, diff): L1 norm = (${w}, ${w}); L2 norm = (${w}, ${w})`,
    ]
    expect(debug).toEqual([...of(1, 0.5), ...of(0.25, 0.03125)])
  })
})

test('hooks are called in order, and waited for', async () => {
  const { solver } = await make('base_lr: 0.5 test_interval: 2 test_iter: 1')
  for (const n of [solver.net, ...solver.testNets]) {
    n.feed('x', [[1]])
    n.feed('t', [[0]])
  }
  const seen: string[] = []
  const later = async (what: string) => {
    await new Promise(resolve => setTimeout(resolve, 1))
    seen.push(what)
  }
  solver.onTest(({ iter }) => later(`test ${iter}`))
  solver.onStart(iter => later(`start ${iter}`))
  solver.onGradientsReady(iter =>
    later(`gradient ${iter} ${solver.net.params.ip[0].diffArray[0]} at ${weight(solver)}`),
  )
  solver.onIteration(({ iter, lr }) => later(`done ${iter} ${lr} now ${weight(solver)}`))
  await solver.step(3)
  expect(seen).toEqual([
    'test 0',
    'start 0',
    'gradient 0 1 at 1',
    'done 1 0.5 now 0.5',
    'start 1',
    'gradient 1 0.5 at 0.5',
    'done 2 0.5 now 0.25',
    'test 2',
    'start 2',
    'gradient 2 0.25 at 0.25',
    'done 3 0.5 now 0.125',
  ])
})

describe('stopping', () => {
  test('a signal stops step after the iteration under way, and solve snapshots', async () => {
    const controller = new AbortController()
    const prefix = join(folder, 'stopped')
    const { solver, log } = await make(`base_lr: 0.5 max_iter: 100 snapshot_prefix: "${prefix}"`, line(), {
      signal: controller.signal,
    })
    feedAll(solver)
    solver.onGradientsReady(iter => {
      if (iter === 2) controller.abort()
    })
    await solver.solve()
    expect(solver.iter).toBe(3)
    expect(solver.stopped).toBe(true)
    expect(existsSync(`${prefix}_iter_3.solverstate`)).toBe(true)
    expect(log.at(-1)).toBe('Optimization stopped early.')
    await solver.step(5)
    expect(solver.iter).toBe(3)
  })

  test('within a test', async () => {
    const controller = new AbortController()
    const { solver, log } = await make('base_lr: 0.5 test_interval: 1 test_iter: 1000', line(), {
      signal: controller.signal,
    })
    feedAll(solver)
    solver.testNets[0].afterForward(() => controller.abort())
    await solver.step(5)
    expect(solver.iter).toBe(0)
    expect(log.at(-1)).toBe('Test interrupted.')
  })

  test('by patience, when a watched output no longer improves', async () => {
    const { solver, log } = await make('base_lr: 0.5 max_iter: 100 test_interval: 1 test_iter: 1', line(), {
      patience: { output: 'loss', tests: 3 },
    })
    // the loss of the tests: 1, 2, 0.5, then never better
    const targets = [[0], [3], [0.5], [2], [0.5], [2], [0]]
    solver.testNets[0].feed(
      'x',
      targets.map(() => [1]),
    )
    solver.testNets[0].feed('t', targets)
    feed(solver, [0])
    await solver.solve()
    // the weights never change, as the train net's input is 0: losses ½, 2, ⅛, ½, ⅛, ½
    expect(solver.iter).toBe(5)
    expect(log).toContain('Stopping early: loss has not improved on 0.125 for 3 tests.')
    expect(log.at(-1)).toBe('Optimization stopped early.')
  })
})

describe('snapshots', () => {
  const files = (prefix: string) =>
    readdirSync(folder)
      .filter(file => file.startsWith(`${prefix}_`))
      .sort()

  test('requestSnapshot: one after the iteration under way', async () => {
    const { solver } = await make(`base_lr: 0.5 snapshot_prefix: "${join(folder, 'asked')}"`)
    feedAll(solver)
    solver.onStart(iter => {
      if (iter === 1) solver.requestSnapshot()
    })
    await solver.step(4)
    expect(files('asked')).toEqual(['asked_iter_2.caffemodel', 'asked_iter_2.solverstate'])
  })

  test('keepLast keeps the newest of this run', async () => {
    const { solver } = await make(`base_lr: 0.5 snapshot: 1 snapshot_prefix: "${join(folder, 'last')}"`, line(), {
      keepLast: 2,
    })
    feedAll(solver)
    await solver.step(5)
    expect(files('last')).toEqual([4, 5].flatMap(i => [`last_iter_${i}.caffemodel`, `last_iter_${i}.solverstate`]))
  })

  test('keepBest keeps the model of the best test', async () => {
    const { solver } = await make(
      `base_lr: 0.5 test_interval: 1 test_iter: 1 snapshot_prefix: "${join(folder, 'kept')}"`,
      line(),
      {
        keepBest: { output: 'loss' },
      },
    )
    feed(solver, [1], [0])
    solver.testNets[0].feed('x', [[1]])
    // w = 1, ½, ¼, …: the test at iteration 2 is the best
    solver.testNets[0].feed('t', [[0.25]])
    await solver.step(6)
    expect(files('kept')).toEqual(['kept_best.caffemodel', 'kept_best.solverstate'])
    const { solver: best } = await make('base_lr: 0.5')
    await best.restore(join(folder, 'kept_best.solverstate'))
    expect(best.iter).toBe(2)
    expect(weight(best)).toBe(0.25)
  })

  test('an output that is not there is named', async () => {
    const { solver } = await make('base_lr: 0.5 test_interval: 1 test_iter: 1', line(), {
      patience: { output: 'accuracy', tests: 1 },
    })
    feedAll(solver)
    await expect(solver.step(1)).rejects.toThrow(
      "solver: the test net has no output 'accuracy' to watch; its outputs are loss",
    )
  })

  test('without a prefix they are bytes that restore', async () => {
    const { solver } = await make('base_lr: 0.1 momentum: 0.9')
    feed(solver, [1])
    await solver.step(3)
    const { model, state } = await solver.snapshot()
    expect(model).toBeInstanceOf(Uint8Array)
    const { solver: other } = await make('base_lr: 0.1 momentum: 0.9')
    feed(other, [1])
    await other.restore(state as Uint8Array, model as Uint8Array)
    expect([other.iter, weight(other)]).toEqual([3, weight(solver)])
    await solver.step(2)
    await other.step(2)
    expect(weight(other)).toBe(weight(solver))
  })

  test('snapshot_diff stores the gradients, snapshot_after_train: false leaves the last one out', async () => {
    const prefix = join(folder, 'diff')
    const { solver } = await make(
      `base_lr: 0.5 max_iter: 3 snapshot_diff: true snapshot_after_train: false snapshot_prefix: "${prefix}"`,
    )
    feed(solver, [1])
    await solver.solve()
    expect(files('diff')).toEqual([])
    const { model } = await solver.snapshot()
    const { solver: other } = await make('base_lr: 0.5', line(), { weights: model })
    expect(other.net.params.ip[0].diffArray[0]).toBe(0.125)
  })

  test('a state of another solver or net is refused, and nothing changes', async () => {
    const { solver: adam } = await make('type: "Adam" base_lr: 0.1')
    const { state } = await adam.snapshot()
    const { solver } = await make('base_lr: 0.1')
    await expect(solver.restore(state)).rejects.toThrow(/holds 2 history blobs, this SGD solver has 1/)
    const { solver: wide } = await make(
      'base_lr: 0.1',
      line().replace('num_output: 1', 'num_output: 2').replace(inputLayer('t', '1×1'), inputLayer('t', '1×2')),
    )
    const { state: sgd, model } = await solver.snapshot()
    await expect(wide.restore(sgd, model)).rejects.toThrow(/history blob 0 does not have the shape 2×1/)
    await expect(solver.restore(new Uint8Array([1, 2, 3]))).rejects.toThrow(/the given solver state/)
    expect([solver.iter, weight(solver)]).toEqual([0, 1])
  })
})

describe('numbers that are none', () => {
  class BadLayer extends Layer {
    reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    forward(bottom: Blob[], top: Blob[]): void {
      top[0].dataArray[0] = bottom[0].dataArray[0] > 2 ? Number.NaN : bottom[0].dataArray[0]
    }
    override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
      if (propagateDown[0]) bottom[0].diffArray.set(top[0].diffArray)
    }
  }
  registerLayer('BadAboveTwo', BadLayer)
  const bad = line()
    .replace('top: "y"', 'top: "z"')
    .replace(
      'layer { name: "loss"',
      'layer { name: "bad" type: "BadAboveTwo" bottom: "z" top: "y" } layer { name: "loss"',
    )

  test('the error names iteration, layer, blob and what to do', async () => {
    const { solver } = await make('base_lr: 0', bad, { checkNumerics: 'always' })
    feed(solver, [1, 2, 3])
    const error = await solver.step(5).catch(error => error)
    expect(error).toBeInstanceOf(NumericsError)
    expect(error.message).toBe(
      "iteration 2: the loss is NaN. First bad value: layer 'bad' (BadAboveTwo), top 'y': value 0 of 1 is NaN. Lower base_lr (now 0), clip gradients, or check the data's scale",
    )
  })

  test('params come before the activations made with them', async () => {
    const { solver } = await make('base_lr: 0', line(), { checkNumerics: 'always' })
    feed(solver, [1])
    solver.net.params.ip[0].dataArray[0] = Number.POSITIVE_INFINITY
    await expect(solver.step(1)).rejects.toThrow(
      /the loss is Infinity.*layer 'ip' \(InnerProduct\), param 0: value 0 of 1 is Infinity/,
    )
  })

  test('by default in every iteration, at display points, or never', async () => {
    const { solver } = await make('base_lr: 0', bad)
    feed(solver, [1, 3])
    await expect(solver.step(2)).rejects.toThrow(/^iteration 1: the loss is NaN/)
    const { solver: between } = await make('base_lr: 0 display: 4', bad, { checkNumerics: 'display' })
    feed(between, [1, 3, 3, 3])
    await between.step(4)
    const { solver: never } = await make('base_lr: 0 display: 1', bad, { checkNumerics: 'never' })
    feed(never, [3])
    await never.step(2)
    expect(await never.loss()).toBeNaN()
  })

  test('weights stay as they were before the bad iteration', async () => {
    const { solver } = await make('base_lr: 0.1 momentum: 0.9', bad)
    feed(solver, [1, 3])
    await solver.step(1)
    const before = [...solver.net.params.ip[0].dataArray]
    await expect(solver.step(1)).rejects.toThrow(NumericsError)
    expect([...solver.net.params.ip[0].dataArray]).toEqual(before)
    expect(solver.iter).toBe(1)
  })

  test('weights that are none are not saved, and solve does not end well', async () => {
    const { solver } = await make('base_lr: 0 max_iter: 1', line())
    feed(solver, [1])
    solver.onIteration(() => {
      solver.net.params.ip[0].dataArray[0] = Number.NaN
    })
    await expect(solver.solve()).rejects.toThrow(/weights are no finite numbers.*layer 'ip' \(InnerProduct\), param 0/)
    await expect(solver.snapshot()).rejects.toThrow(NumericsError)
  })

  test('gradients that are none are not clipped to NaN', async () => {
    const { solver } = await make('base_lr: 0.1 clip_gradients: 1', line())
    feed(solver, [1, 1])
    await solver.step(1)
    solver.onGradientsReady(() => {
      solver.net.params.ip[0].diffArray[0] = Number.POSITIVE_INFINITY
    })
    await expect(solver.step(1)).rejects.toThrow(/the L2 norm of all gradients is Infinity.*gradient of param 0/)
  })

  test('a rate that is no number is refused before it is used; poly is 0 from max_iter on', async () => {
    const { solver } = await make('base_lr: 0.1 lr_policy: "inv" gamma: -1 power: 0.5', line())
    feed(solver, [1])
    await solver.step(1)
    const before = [...solver.net.params.ip[0].dataArray]
    await expect(solver.step(1)).rejects.toThrow(
      /lr_policy 'inv' with .*gamma -1.* makes the rate Infinity at iteration 1/,
    )
    expect([...solver.net.params.ip[0].dataArray]).toEqual(before)
    const { solver: poly } = await make('base_lr: 0.1 lr_policy: "poly" power: 0.5 max_iter: 1', line())
    feed(poly, [1])
    await poly.step(3)
    expect(poly.lr).toBe(0)
  })
})

describe('hints, once when training starts', () => {
  const hints = async (text: string, net = line(), options: SolverOptions = {}) => {
    const { solver, log } = await make(text, net, options)
    // filled, with zeros
    for (const name of solver.net.inputs) solver.net.blobs[name].dataArray.fill(0)
    await solver.step(1)
    await solver.step(1)
    return log.filter(text => text.startsWith('Hint: '))
  }
  const solverHints: [text: string, hint: RegExp][] = [
    ['', /base_lr is 0 or missing/],
    ['base_lr: 1 lr_policy: "fixed" test_interval: 5', /test_interval 5 without test_iter: nothing is tested/],
    ['base_lr: 1 lr_policy: "exp"', /lr_policy 'exp' without gamma/],
    ['base_lr: 1 lr_policy: "step" stepsize: 1', /lr_policy 'step' without gamma/],
    ['base_lr: 1 lr_policy: "inv" gamma: 1', /lr_policy 'inv' without power/],
    ['base_lr: 1 lr_policy: "poly" max_iter: 5', /lr_policy 'poly' without power/],
    ['base_lr: 1 lr_policy: "multistep" gamma: 1', /'multistep' without stepvalue/],
    ['base_lr: 1 lr_policy: "poly" power: 1', /'poly' needs max_iter/],
    ['base_lr: 1 lr_policy: "multistep" gamma: 1 stepvalue: 5 stepvalue: 5', /stepvalue 5, 5 does not rise/],
    ['base_lr: 1 snapshot: 10', /snapshot without snapshot_prefix/],
  ]
  for (const [text, hint] of solverHints)
    test(`${hint}`, async () => {
      const found = await hints(text)
      expect(found).toHaveLength(1)
      expect(found[0]).toMatch(hint)
    })

  const above = (layers: string) => `${inputLayer('x', '1×1')} ${inputLayer('t', '1')} ${layers}`
  const ip = (bottom: string, top: string, filler = 'weight_filler { type: "xavier" }') =>
    `layer { name: "ip" type: "InnerProduct" bottom: "${bottom}" top: "${top}" inner_product_param { num_output: 2 ${filler} } }`
  const softmaxLoss = (bottom: string) =>
    `layer { name: "l" type: "SoftmaxWithLoss" bottom: "${bottom}" bottom: "t" top: "l" }`
  const netHints: [net: string, hint: RegExp][] = [
    [
      above(`${ip('x', 'y')} layer { name: "s" type: "Silence" bottom: "y" bottom: "t" }`),
      /no layer has a loss weight/,
    ],
    [
      above(`${ip('x', 'y').replace('num_output: 2', 'num_output: 1')} ${softmaxLoss('y')}`),
      /layer 'l' \(SoftmaxWithLoss\) tells one class apart from nothing: .* two or more/,
    ],
    [
      above(`${ip('x', 'y')} layer { name: "bn" type: "BatchNorm" bottom: "y" top: "z" } ${softmaxLoss('z')}`),
      /layer 'bn' \(BatchNorm\) has no Scale layer behind it/,
    ],
    [
      above(`${ip('x', 'y')} layer { name: "p" type: "Softmax" bottom: "y" top: "z" } ${softmaxLoss('z')}`),
      /layer 'p' \(Softmax\) feeds a SoftmaxWithLoss/,
    ],
    [
      // also where a split comes in between
      above(`${ip('x', 'y')} layer { name: "p" type: "Softmax" bottom: "y" top: "z" } ${softmaxLoss('z')}
        layer { name: "a" type: "Accuracy" bottom: "z" bottom: "t" top: "a" }`),
      /layer 'p' \(Softmax\) feeds a SoftmaxWithLoss/,
    ],
    [
      above(`${ip('x', 'y')} layer { name: "p" type: "Sigmoid" bottom: "y" top: "z" }
        ${inputLayer('u', '1×2')} layer { name: "l" type: "SigmoidCrossEntropyLoss" bottom: "z" bottom: "u" top: "l" } layer { name: "s" type: "Silence" bottom: "t" }`),
      /layer 'p' \(Sigmoid\) feeds a SigmoidCrossEntropyLoss/,
    ],
    [above(`${ip('x', 'y', '')} ${softmaxLoss('y')}`), /layer 'ip' \(InnerProduct\) starts with all weights zero/],
  ]
  for (const [net, hint] of netHints)
    test(`${hint}`, async () => {
      const found = await hints('base_lr: 0.1', net)
      expect(found).toHaveLength(1)
      expect(found[0]).toMatch(hint)
    })

  test('none for what is right, nor for zero weights that are about to be loaded or are frozen', async () => {
    const scaled = `${ip('x', 'y')} layer { name: "bn" type: "BatchNorm" bottom: "y" top: "y" } layer { name: "r" type: "ReLU" bottom: "y" top: "y" }
      layer { name: "s" type: "Scale" bottom: "y" top: "y" } ${softmaxLoss('y')}`
    expect(await hints('base_lr: 0.1', above(scaled))).toEqual([])
    const zero = above(`${ip('x', 'y', '')} ${softmaxLoss('y')}`)
    const { solver } = await make('base_lr: 0.1', zero)
    expect(await hints('base_lr: 0.1', zero, { weights: await solver.net.toBytes() })).toEqual([])
    // weights that were copied into the net, as the command line does, or set
    const later = await make('base_lr: 0.1', zero)
    for (const name of later.solver.net.inputs) later.solver.net.blobs[name].dataArray.fill(0)
    later.solver.net.params.ip[0].dataArray.fill(1)
    await later.solver.step(1)
    expect(later.log.filter(text => text.startsWith('Hint: '))).toEqual([])
    expect(
      await hints('base_lr: 0.1', zero.replace('type: "InnerProduct"', 'type: "InnerProduct" param { lr_mult: 0 }')),
    ).toEqual([])
  })

  test('none where inputs are filled with zeros by a hook', async () => {
    const { solver, log } = await make('base_lr: 0.1')
    solver.net.beforeForward(() => void solver.net.blobs['x'].dataArray.fill(1))
    solver.onStart(() => void solver.net.blobs['t'].dataArray.fill(0))
    await solver.step(1)
    expect(log).toEqual([])
  })

  test('solve() without an iteration to run says why', async () => {
    const solved = async (text: string, iter = 0) => {
      const { solver, log } = await make(`base_lr: 0.1 ${text}`)
      feed(solver, [1])
      solver.iter = iter
      await solver.solve()
      return log.filter(text => text.startsWith('Hint: '))
    }
    expect(await solved('max_iter: 0')).toEqual([
      'Hint: max_iter is 0, so nothing is trained: write for example max_iter: 1000',
    ])
    expect(await solved('max_iter: 5', 5)).toEqual([
      'Hint: iteration 5 is not before max_iter: 5, so nothing is trained: write a larger max_iter to go on',
    ])
    expect(await solved('max_iter: 5', 4)).toEqual([])
    // Caffe trains nothing and says nothing
    await expect(solved('')).rejects.toThrow(NetError)
    await expect(solved('')).rejects.toThrow(/^solver: max_iter is missing, so solve\(\) would train nothing/)
  })

  test('a loss of 87.3365 is explained when it is displayed', async () => {
    const { solver, log } = await make('base_lr: 0.1 display: 1', above(`${ip('x', 'y')} ${softmaxLoss('y')}`))
    solver.net.feed('x', [[1]])
    solver.net.feed('t', [[1]])
    solver.net.params.ip[1].dataArray.set([1000, -1000])
    await solver.step(1)
    expect(log.find(text => text.startsWith('Iteration 0 '))).toMatch(/loss = 87\.3365$/)
    expect(log.find(text => text.startsWith('Hint: '))).toMatch(
      /^Hint: loss = 87\.3365 means that the true class got probability 0/,
    )
    expect(lintLoss(0.7)).toBeUndefined()
  })
})

describe('solvers that are refused', () => {
  const net = `net_param { ${line()} }`
  const cases: [text: string, message: RegExp][] = [
    ['lr_policy: "fixed"', /exactly one of net, net_param, train_net, train_net_param must be given, it has 0/],
    [`lr_policy: "fixed" ${net} train_${net}`, /must be given, it has 2/],
    [`lr_policy: "fixed" ${net} net: "x.prototxt"`, /must be given, it has 2/],
    [`lr_policy: "fixed" train_${net} test_iter: 1 test_interval: 1`, /test_iter is given 1 times for 0 test nets/],
    [`lr_policy: "fixed" ${net} test_${net} test_interval: 1`, /test_iter is given 0 times for 1 test nets/],
    [`lr_policy: "fixed" ${net} test_iter: 1`, /it has test nets, so test_interval must be positive/],
    [
      `lr_policy: "fixed" ${net} test_iter: 1 test_interval: 1 test_state { } test_state { }`,
      /test_state is given 2 times for 1 test nets/,
    ],
    [
      `lr_policy: "fixed" ${net} type: "Sgd"`,
      /unknown type 'Sgd'; did you mean 'SGD'\?; it may be SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam/,
    ],
    [net, /lr_policy is missing; it may be fixed, step, exp, inv, multistep, poly, multifixed, sigmoid/],
    [`lr_policy: "onecycle" ${net}`, /unknown lr_policy 'onecycle'; rates that go up and down .*; it may be fixed, /],
    [`lr_policy: "step" ${net}`, /lr_policy 'step' needs a positive stepsize, it is 0/],
    [`lr_policy: "fixed" type: "AdaGrad" momentum: 0.9 ${net}`, /momentum/],
    [`lr_policy: "fixed" type: "RMSProp" momentum: 0.9 ${net}`, /momentum/],
    [`lr_policy: "fixed" type: "RMSProp" rms_decay: 1 ${net}`, /rms_decay/],
    [`lr_policy: "fixed" type: "RMSProp" rms_decay: -0.1 ${net}`, /rms_decay/],
    [`lr_policy: "fixed" iter_size: 0 ${net}`, /iter_size must be at least 1, it is 0/],
    [`lr_policy: "fixed" average_loss: 0 ${net}`, /average_loss must be at least 1, it is 0/],
    [
      `lr_policy: "fixed" weight_decay: 0.1 regularization_type: "L3" ${net}`,
      /unknown regularization_type 'L3'; it may be L1 or L2/,
    ],
  ]
  for (const [text, message] of cases)
    test(`${message}`, async () => {
      const error = await createSolver(parseSolver(text), { engine: 'js', seed: 1 }).catch(error => error)
      expect(error).toBeInstanceOf(NetError)
      expect(error.message).toMatch(message)
    })

  test('keepBest without a place to write to', async () => {
    await expect(make('base_lr: 1', line(), { keepBest: { output: 'loss' } })).rejects.toThrow(
      /keepBest writes files, so snapshot_prefix must say where/,
    )
  })
})

test.each([
  ['Adam', "solver: its type is 'Adam', but SGDSolver.create trains by SGD; createSolver takes the class"],
  ['Sgd', "solver: its type is 'Sgd', but SGDSolver.create trains by SGD"],
])('a class is not made of a solver of type %s', async (type, message) => {
  const param = parseSolver(`lr_policy: "fixed" type: "${type}" net_param { ${line()} }`)
  await expect(SGDSolver.create(param, { engine: 'js' })).rejects.toThrow(message)
  class Own extends SGDSolver {}
  expect((await Own.create(param, { engine: 'js' })).param.type).toBe(type)
})

test('timers fire while it trains', { tags: 'long' }, async () => {
  class BusyLayer extends Layer {
    static override readonly uses = ['copy'] as const
    reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    forward(bottom: Blob[], top: Blob[]): void {
      const end = performance.now() + 2
      while (performance.now() < end);
      top[0].dataArray.set(bottom[0].dataArray)
    }
    override backward(top: Blob[], propagateDown: boolean[], bottom: Blob[]): void {
      if (propagateDown[0]) bottom[0].diffArray.set(top[0].diffArray)
    }
  }
  registerLayer('Busy', BusyLayer)
  const busy = line()
    .replace('top: "y"', 'top: "z"')
    .replace('layer { name: "loss"', 'layer { name: "busy" type: "Busy" bottom: "z" top: "y" } layer { name: "loss"')
  const { solver } = await make('base_lr: 0.01', busy)
  feed(solver, [1])
  // counted in iterations of 2 ms or more, so that a busy machine makes no difference
  let last = 0
  const gaps: number[] = []
  const timer = setInterval(() => {
    gaps.push(solver.iter - last)
    last = solver.iter
  }, 1)
  await solver.step(200)
  clearInterval(timer)
  expect(gaps.length).toBeGreaterThan(5)
  // 50 ms and a layer, twice where the timer is due just behind a turn
  expect(Math.max(...gaps)).toBeLessThan(60)
})

describe('applyUpdate', () => {
  const text = `base_lr: 0.05 lr_policy: "multistep" gamma: 0.5 stepvalue: 2 momentum: 0.9 weight_decay: 0.01 clip_gradients: 0.2 display: 2`
  const net = `${inputLayer('x', '2×3')} ${inputLayer('t', '2×4')}
    layer { name: "drop" type: "Dropout" bottom: "x" top: "d" }
    layer { name: "ip" type: "InnerProduct" bottom: "d" top: "y" param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
      inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }`
  const bits = ({ net, history, iter, lr, rate }: Solver) => ({
    iter,
    lr,
    stage: rate.stage,
    weights: net.built.learnable.map(({ blob }) => new Uint32Array(new Float32Array(blob.dataArray).buffer)),
    history: history.map(blob => new Uint32Array(new Float32Array(blob.dataArray).buffer)),
  })
  const start = async (type: string, engine: string, iterSize = 1) => {
    const made = await make(
      `type: "${type}" iter_size: ${iterSize} ${type === 'RMSProp' || type === 'AdaGrad' ? text.replace('momentum: 0.9', '') : text}`,
      net,
      {
        engine,
      },
    )
    const values = new RandomStream(3, 'apply update')
    for (const [name, size] of [
      ['x', 6],
      ['t', 8],
    ] as const)
      made.solver.net.feed(
        name,
        Float32Array.from({ length: 5 * size }, () => 8 * values.uniform() - 4),
      )
    return made
  }

  for (const engine of hostEngines)
    for (const type of solverTypes())
      test(`${type}: forward, backward, applyUpdate is a step, bit for bit, on ${engine}`, async () => {
        const [stepped, byHand] = await Promise.all([start(type, engine), start(type, engine)])
        const begin = bits(byHand.solver)
        for (let i = 0; i < 5; i++) {
          await stepped.solver.step(1)
          const { net } = byHand.solver
          net.clearParamDiffs()
          await net.forward()
          await net.backward()
          await byHand.solver.applyUpdate()
          expect(bits(byHand.solver), `iteration ${i}`).toEqual(bits(stepped.solver))
        }
        expect(bits(byHand.solver).weights).not.toEqual(begin.weights)
        // what is logged about rates and clipping, too
        const about = (log: string[]) => log.filter(line => /, lr = |^MultiStep|^Gradient clipping/.test(line))
        expect(about(byHand.log)).toEqual(about(stepped.log))
        expect(about(stepped.log).length).toBeGreaterThan(4)
      })

  test('gradients of several passes that are added up by hand are those of iter_size, but for their rounding', async () => {
    const [stepped, byHand] = await Promise.all([start('SGD', 'wasm', 4), start('SGD', 'wasm', 4)])
    for (let i = 0; i < 3; i++) {
      await stepped.solver.step(1)
      byHand.solver.net.clearParamDiffs()
      for (let k = 0; k < 4; k++) {
        await byHand.solver.net.forward()
        await byHand.solver.net.backward()
      }
      await byHand.solver.applyUpdate()
    }
    const [a, b] = [stepped, byHand].map(({ solver }) => [...solver.net.params['ip'][0].dataArray])
    for (const [k, value] of a.entries()) expect(value).toBeCloseTo(b[k], 5)
  })

  test('waits for the pass under way', async () => {
    const { solver } = await make('base_lr: 0.5')
    feed(solver, [1])
    const passes = [solver.net.forward(), solver.net.backward(), solver.applyUpdate()]
    await Promise.all(passes)
    expect(weight(solver)).toBe(0.5)
    expect(solver.iter).toBe(1)
  })
})

test('steps that overlap run one after the other, also after one that failed', async () => {
  const { solver } = await make('base_lr: 0.5 display: 1')
  feed(solver, [1])
  await Promise.all([solver.step(1), solver.step(2), solver.step(1)])
  expect([solver.iter, weight(solver)]).toEqual([4, 0.0625])
  solver.net.feed('x', [[Number.NaN]])
  const failing = solver.step(1)
  solver.net.feed('x', [[1]])
  const next = solver.step(2)
  await expect(failing).rejects.toThrow(NumericsError)
  await next
  expect(solver.iter).toBe(6)
})

test('step takes a whole number of iterations', async () => {
  const { solver } = await make('base_lr: 0.5')
  feed(solver, [1])
  for (const iterations of [-1, 1.5, Number.NaN, '3' as unknown as number])
    await expect(solver.step(iterations)).rejects.toThrow(
      `step takes a number of iterations, 0 or more, not ${iterations}`,
    )
  await solver.step(0)
  expect(solver.iter).toBe(0)
})

test('what a solver wants from the net while a pass runs waits for its turn', async () => {
  const { solver } = await make('base_lr: 0.5')
  feed(solver, [1])
  const [, snapshot] = await Promise.all([solver.step(3), solver.snapshot()])
  const { solver: other } = await make('base_lr: 0.5', line(), { weights: snapshot.model })
  expect([1, 0.5, 0.25, 0.125]).toContain(weight(other))
})
