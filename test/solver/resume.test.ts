/**
 * "Train 80" and "train 40, save, start anew, load, train 40" end in the same bits; and Caffe's own snapshots are
 * gone on from.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createSolver, parseSolver } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { bits, expectSame, formats, sources, start } from './resume.js'

// every solver, source and format: resume.long.test.ts
test.each(hostEngines)('training goes on in the same bits on %s', { tags: 'long' }, engine =>
  expectSame('Adam', sources['random values'], { engine, seed: 5 }, { engine, seed: 5 }),
)

for (const format of formats)
  test(`by files: the state finds its model beside it, in ${format}`, { tags: 'long' }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ristretto-resume-'))
    try {
      const text = `snapshot_format: ${format} snapshot_prefix: "${folder}/run"`
      const source = sources['random values']
      const run = await start('Adam', source, { engine: 'js' }, text)
      await run.solver.step(5)
      const paths = await run.solver.snapshot()
      const ending = format === 'HDF5' ? '.h5' : ''
      expect(paths).toEqual({
        model: `${folder}/run_iter_5.caffemodel${ending}`,
        state: `${folder}/run_iter_5.solverstate${ending}`,
      })
      const next = await start('Adam', source, { engine: 'js' }, text)
      await next.solver.restore(paths.state)
      await run.solver.step(5)
      await next.solver.step(5)
      expect(bits(next)).toEqual(bits(run))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

for (const format of formats)
  test(`a rate that follows the loss goes on with what it has seen, in ${format}`, async () => {
    const text = `base_lr: 1 lr_policy: "plateau" gamma: 0.5 plateau_winsize: 2 plateau_winsize: 3 plateau_winsize: 4
      random_seed: 3 snapshot_format: ${format} net_param {
      layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 4 } data_filler { type: "gaussian" } } }
      layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 } }
      layer { name: "loss" type: "Reduction" bottom: "ip" top: "loss" loss_weight: 1 reduction_param { operation: SUMSQ } } }`
    const make = async () => {
      const rates: number[] = []
      const solver = await createSolver(parseSolver(text), { engine: 'js' })
      solver.onIteration(({ lr }) => void rates.push(lr))
      return { solver, rates }
    }
    const whole = await make()
    await whole.solver.step(7)
    const { model, state } = await whole.solver.snapshot()
    const { stage, lowest, lastEvent } = whole.solver.rate
    await whole.solver.step(7)
    const next = await make()
    await next.solver.restore(state as Uint8Array, model as Uint8Array)
    expect(next.solver.rate).toMatchObject({ stage, lowest: Math.fround(lowest), lastEvent })
    await next.solver.step(7)
    expect(next.rates).toEqual(whole.rates.slice(7))
    expect(new Set(whole.rates).size).toBeGreaterThan(2)
  })

test('a rate that follows tests goes on with what it has seen', async () => {
  // what the test calls its accuracy is best before any training: the rate drops after every third test
  const text = `base_lr: 0.01 lr_policy: "stepearly" gamma: 0.5 stepearly: 3 test_interval: 1 test_iter: 1 random_seed: 3
    net_param { layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 dim: 4 } data_filler { value: 1 } } }
      layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 2 weight_filler { value: 1 } } }
      layer { name: "loss" type: "Reduction" bottom: "ip" top: "loss" loss_weight: 1 reduction_param { operation: SUMSQ } }
      layer { name: "score" type: "Reduction" bottom: "ip" top: "score" include { phase: TEST } } }`
  const make = async () => {
    const rates: number[] = []
    const told: string[] = []
    const solver = await createSolver(parseSolver(text), { engine: 'js', log: line => told.push(line) })
    solver.onIteration(({ lr }) => void rates.push(lr))
    return { solver, rates, told }
  }
  const whole = await make()
  await whole.solver.step(5)
  const { model, state } = await whole.solver.snapshot()
  await whole.solver.step(3)
  expect(whole.rates).toEqual([0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025, 0.0025])
  expect(whole.told.filter(line => /StepEarly/.test(line))).toEqual([
    expect.stringContaining('StepEarly Status: Iteration 3, step = 1'),
    expect.stringContaining('StepEarly Status: Iteration 6, step = 2'),
  ])
  const next = await make()
  await next.solver.restore(state as Uint8Array, model as Uint8Array)
  await next.solver.step(3)
  expect(next.rates).toEqual(whole.rates.slice(5))
})

// ---- Caffe's snapshots
// --------------------------------------------------------------------------------------------------------------

interface GoldenRecord {
  iter: number
  params: GoldenArray[]
  history: GoldenArray[]
  current_step: number
  tolerance: { rtol: number; params_atol: number; history_atol: number }
}
interface GoldenRun {
  name: string
  solver: string
  iter_size: number
  lr: number[]
  losses: number[]
  loss_atol: number
  records: GoldenRecord[]
  snapshots_at_10?: Record<string, { model: string; state: string }>
}
const recorded = new Golden<{
  batches: { data: GoldenArray; label: GoldenArray }[]
  loss_rtol: number
  lr_rtol: number
  solvers: GoldenRun[]
}>('solvers/solvers')
const { batches, solvers, loss_rtol, lr_rtol } = recorded.json

async function goOn(run: GoldenRun, format: string, engine: string): Promise<void> {
  const solver = await createSolver(goldenPath(`solvers/${run.solver}`), { engine, threads: 2 })
  // the path of the model in the state is relative to the folder of the solver
  await solver.restore(goldenPath(`solvers/${run.snapshots_at_10![format].state}`))
  expect(solver.iter).toBe(10)
  const at = run.records.find(record => record.iter === 10)!
  expect(solver.rate.stage).toBe(at.current_step)
  for (const input of ['data', 'label'] as const)
    solver.net.feed(
      input,
      (function* () {
        for (let k = 10 * run.iter_size; ; k++) yield recorded.array(batches[k % batches.length][input])
      })(),
    )
  const compare = ({ params, history, tolerance }: GoldenRecord, what: string) => {
    solver.net.built.learnable.forEach(({ blob }, i) =>
      expectClose(
        blob.dataArray,
        recorded.array(params[i]),
        tolerance.rtol,
        tolerance.params_atol,
        `${what}: param ${i}`,
      ),
    )
    solver.history.forEach((blob, i) =>
      expectClose(
        blob.dataArray,
        recorded.array(history[i]),
        tolerance.rtol,
        tolerance.history_atol,
        `${what}: history ${i}`,
      ),
    )
  }
  compare(at, `${run.name}, as loaded`)
  for (let i = 10; i < 20; i++) {
    expectClose([solver.lr], [run.lr[i]], lr_rtol, 0, `${run.name}: lr of iteration ${i}`)
    await solver.step(1)
    expectClose([await solver.loss()], [run.losses[i]], loss_rtol, run.loss_atol, `${run.name}: loss of iteration ${i}`)
  }
  const last = run.records.find(record => record.iter === 20)!
  compare(last, `${run.name}, resumed, after 20`)
  expect(solver.rate.stage).toBe(last.current_step)
  solver.dispose()
}

describe("Caffe's snapshots of iteration 10 are gone on from, to its values of iteration 20", () => {
  const runs = solvers.filter(run => run.snapshots_at_10)
  test('there are some', () => expect(runs.length).toBeGreaterThan(3))
  for (const engine of hostEngines)
    for (const format of formats)
      for (const run of runs)
        test(`${run.name}, ${format}, on ${engine}`, { tags: engine === 'js' ? 'long' : [] }, () =>
          goOn(run, format, engine),
        )
})
