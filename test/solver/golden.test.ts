import { describe, expect, test } from 'vitest'
import { createSolver } from '../../lib/solver/rules/index.js'
import type { Solver } from '../../lib/solver.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'

interface Record {
  iter: number
  params: GoldenArray[]
  history: GoldenArray[]
  current_step: number
  param_updates: GoldenArray[]
  tolerance: { rtol: number; params_atol: number; param_updates_atol: number; history_atol: number }
}
interface Run {
  name: string
  type: string
  solver: string
  iter_size: number
  lr: number[]
  losses: number[]
  loss_atol: number
  first_gradient_sum: GoldenArray[]
  records: Record[]
  snapshots_at_10?: { [format: string]: { model: string; state: string } }
}
interface Solvers {
  initial_params: GoldenArray[]
  batches: { data: GoldenArray; label: GoldenArray }[]
  loss_rtol: number
  lr_rtol: number
  solvers: Run[]
}

const golden = new Golden<Solvers>('solvers/solvers')
const { initial_params, batches, loss_rtol, lr_rtol, solvers } = golden.json

async function start(run: Run, engine: string, firstBatch = 0): Promise<Solver> {
  const solver = await createSolver(goldenPath(`solvers/${run.solver}`), { engine, seed: 1, threads: 2 })
  solver.net.built.learnable.forEach(({ blob }, i) => blob.dataArray.set(golden.array(initial_params[i])))
  for (const input of ['data', 'label'] as const)
    solver.net.feed(
      input,
      (function* () {
        for (let k = firstBatch; ; k++) yield golden.array(batches[k % batches.length][input])
      })(),
    )
  return solver
}

function checkRecord(solver: Solver, run: Run, record: Record): void {
  const what = `${run.name} after ${record.iter}`
  const { rtol, params_atol, param_updates_atol, history_atol } = record.tolerance
  solver.net.built.learnable.forEach(({ blob }, i) => {
    expectClose(blob.dataArray, golden.array(record.params[i]), rtol, params_atol, `${what}: param ${i}`)
    // what was subtracted stands in the diff, as in Caffe
    expectClose(blob.diffArray, golden.array(record.param_updates[i]), rtol, param_updates_atol, `${what}: update ${i}`)
  })
  expect(solver.history.length).toBe(record.history.length)
  solver.history.forEach((blob, i) =>
    expectClose(blob.dataArray, golden.array(record.history[i]), rtol, history_atol, `${what}: history ${i}`),
  )
  expect(solver.rate.stage, `${what}: current_step`).toBe(record.current_step)
}

for (const engine of hostEngines)
  describe(`solver runs on ${engine}`, () => {
    for (const run of solvers) {
      test(run.name, async () => {
        const solver = await start(run, engine)
        solver.onGradientsReady(iter => {
          if (iter === 0)
            solver.net.built.learnable.forEach(({ blob }, i) =>
              expectClose(
                blob.diffArray,
                golden.array(run.first_gradient_sum[i]),
                1e-4,
                1e-6,
                `${run.name}: first gradient ${i}`,
              ),
            )
        })
        for (let i = 0; i < run.losses.length; i++) {
          expectClose([solver.lr], [run.lr[i]], lr_rtol, 0, `${run.name}: lr of iteration ${i}`)
          await solver.step(1)
          expectClose(
            [await solver.loss()],
            [run.losses[i]],
            loss_rtol,
            run.loss_atol,
            `${run.name}: loss of iteration ${i}`,
          )
          const record = run.records.find(r => r.iter === i + 1)
          if (record) checkRecord(solver, run, record)
        }
        solver.dispose()
      })
    }
  })
