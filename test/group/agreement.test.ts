/** What members make sure of together. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type Blob,
  createSolver,
  Layer,
  parseSolver,
  registerLayer,
  type SolverEvent,
  type SolverOptions,
} from '../../lib/index.js'
import { membersOf, temporaryFolder, weightsOf, withSolvers } from './groups.js'

const net = `net_param { name: "n"
  layer { name: "data" type: "DummyData" top: "data" top: "label"
    dummy_data_param { shape { dim: 2 dim: 3 } shape { dim: 2 dim: 1 } data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "label" top: "loss" } }`
const solver = (extra = '') => `base_lr: 0.1 lr_policy: "fixed" random_seed: 1 max_iter: 40 ${extra} ${net}`

/** The errors of members that are given different solvers. */
async function errorsOf(texts: readonly string[], options: readonly SolverOptions[] = []): Promise<string[]> {
  const members = await membersOf(texts.length)
  return Promise.all(
    members.map(async (group, rank) => {
      try {
        const solver = await createSolver(parseSolver(texts[rank]), { engine: 'js', group, ...options[rank] })
        await solver.step(options[rank] ? 3 : 1)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }),
  )
}

describe('the same program', () => {
  it('another solver, net or engine is an error that names it, on every member', async () => {
    for (const error of await errorsOf([solver(), solver('momentum: 0.5')]))
      expect(error).toContain('worker 1 differs from worker 0 in its solver')
    for (const error of await errorsOf([solver(), solver().replace('num_output: 1', 'num_output: 1 bias_term: false')]))
      expect(error).toContain('worker 1 differs from worker 0 in its')
    for (const error of await errorsOf([solver(), solver()], [{ engine: 'js' }, { engine: 'wasm', threads: 1 }]))
      expect(error).toContain('worker 1 differs from worker 0 in its engine')
  })

  it('what only member 0 has done to its weights all take; no seed is needed', async () => {
    const drawn = solver().replace('random_seed: 1', '')
    const weights = await withSolvers(2, drawn, async (solver, rank) => {
      if (rank === 0) solver.net.params['ip'][0].dataArray.fill(0.25)
      await solver.step(2)
      return [weightsOf(solver), solver.net.seed]
    })
    expect(weights[1]).toEqual(weights[0])
  })

  it('weights that come to differ are found at the next test or snapshot', async () => {
    const errors = await withSolvers(2, solver(), async (solver, rank) => {
      try {
        await solver.step(2)
        await solver.snapshot()
        // as a layer would that changes a weight by a number of its own
        if (rank === 1) solver.net.params['ip'][0].dataArray[0] += Math.random() + 1
        await solver.step(1)
        await solver.snapshot()
        return ''
      } catch (error) {
        return (error as Error).message
      }
    })
    for (const error of errors)
      expect(error).toContain(
        "worker 1's weights differ from worker 0's at iteration 3; at iteration 2 they were equal",
      )
  })

  it('an iteration that cannot be shared, and gradients applied by hand, are refused', async () => {
    for (const error of await errorsOf(
      [solver('iter_size: 3'), solver('iter_size: 3')],
      [{ share: true }, { share: true }],
    ))
      expect(error).toContain('2 workers cannot share iter_size 3')
    await withSolvers(2, solver(), async solver => {
      await expect(solver.applyUpdate()).rejects.toThrow('applyUpdate: the gradients of 2 workers are added up by step')
    })
  })
})

describe('what all agree on', () => {
  it('a stop that one member is asked for stops all after the same iteration, before the first as well', async () => {
    const iterations = await withSolvers(3, solver(), async (solver, rank) => {
      const abort = new AbortController()
      Object.assign(solver.options, { signal: abort.signal })
      if (rank === 1) solver.onIteration(({ iter }) => (iter === 4 ? abort.abort() : undefined))
      await solver.step(40)
      const first = solver.iter
      await solver.step(40)
      return [first, solver.iter, solver.stopped]
    })
    expect(iterations[0][0]).toBeLessThan(7)
    expect(iterations[0][1]).toBe(iterations[0][0])
    expect(iterations[0][2]).toBe(true)
    for (const own of iterations) expect(own).toEqual(iterations[0])
  })

  it('a snapshot that one member is asked for all make, member 0 writes it, and patience ends all', async () => {
    const prefix = join(temporaryFolder(), 'agreed')
    const text = solver(`snapshot_prefix: "${prefix}" snapshot_after_train: false test_iter: 3 test_interval: 2`)
    const options: SolverOptions = {
      patience: { output: 'loss', better: 'max', tests: 3 },
      keepBest: { output: 'loss' },
    }
    const seen = await withSolvers(
      2,
      text,
      async (solver, rank) => {
        const events: string[] = []
        solver.on((event: SolverEvent) => {
          if (event.type === 'snapshot' && !event.best) events.push(`${event.iter}`)
          if (event.type === 'end') events.push(event.reason)
        })
        if (rank === 1) solver.onIteration(({ iter }) => (iter === 1 ? solver.requestSnapshot() : undefined))
        await solver.solve()
        return events
      },
      options,
    )
    expect(seen[1]).toEqual(seen[0])
    expect(seen[0]).toEqual(['2', 'patience'])
    expect(existsSync(`${prefix}_iter_2.solverstate`)).toBe(true)
    expect(existsSync(`${prefix}_best.caffemodel`)).toBe(true)
  })

  it('a snapshot that member 0 cannot restore ends the others with a word', async () => {
    const errors = await withSolvers(2, solver(), async solver => {
      try {
        await solver.restore('there_is_no.solverstate')
        return ''
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(errors[0]).toContain('there_is_no.solverstate')
    expect(errors[1]).toBe('worker 0 could not restore the snapshot')
  })
})

describe('random numbers of a layer', () => {
  class Noise extends Layer {
    override reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    override forward(bottom: Blob[], top: Blob[]): void {
      top[0].dataArray.set(bottom[0].dataArray.map(value => value + Math.random()))
    }
    override backward(top: Blob[], _propagateDown: boolean[], bottom: Blob[]): void {
      bottom[0].diffArray.set(top[0].diffArray)
    }
  }
  registerLayer('NoiseOfItsOwn', Noise)
  const noisy = solver()
    .replace('bottom: "data" top: "ip"', 'bottom: "noisy" top: "ip"')
    .replace(
      'layer { name: "ip"',
      'layer { name: "noise" type: "NoiseOfItsOwn" bottom: "data" top: "noisy" } layer { name: "ip"',
    )

  it('are told once, with their place, where several workers train; Math.random is what it was afterwards', async () => {
    const { random } = Math
    const notices = async (workers: number) => {
      const told: string[] = []
      await withSolvers(workers, noisy, async (solver, rank) => {
        const listener = (event: SolverEvent) => {
          if (rank === 0 && event.type === 'notice' && event.text.includes('Math.random')) told.push(event.text)
        }
        solver.on(listener)
        await solver.step(3)
      })
      return told
    }
    expect(await notices(1)).toEqual([])
    expect(await notices(2)).toEqual([
      expect.stringMatching(/^Math\.random is called at .*agreement\.test.* 2 workers/),
    ])
    expect(Math.random).toBe(random)
  })
})
