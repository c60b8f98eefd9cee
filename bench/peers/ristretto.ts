import type { Engine } from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { createEngine } from '../../lib/engines/index.js'
import { Blob, EngineError, type Net } from '../../lib/index.js'
import { RandomStream } from '../../lib/rng.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { createNet, describe, fill, inputsOf, optimized, SEED, unfilled } from '../nets/index.js'
import { type Job, type Peer, Refusal, type Task } from '../protocol.js'
import { timed } from './load.js'

/** One of our own engines. */
export const ristretto = (name: string): Peer => ({
  async create(job, threads) {
    const engine = await engineOf(name, threads)
    if (job.mode === 'gemm') return gemm(engine, Number(job.net))
    return job.mode === 'train' ? train(name, job, threads) : inference(name, job, threads)
  },
})

async function engineOf(name: string, threads: number): Promise<Engine> {
  try {
    return await createEngine(name, { threads })
  } catch (error) {
    if (error instanceof EngineError) throw new Refusal(error.message)
    throw error
  }
}

/**
 * A solver's whole step, cut in two: forward and backward as `caffe time` counts them, and the rest (clearing
 * gradients, the update).
 */
async function train(engine: string, { net: name, batch }: Job, threads: number): Promise<Task> {
  const param = {
    net_param: unfilled(describe(name, batch)),
    type: 'SGD',
    lr_policy: 'fixed' as const,
    base_lr: 1e-4,
    momentum: 0.9,
    weight_decay: 5e-4,
  }
  const solver = await createSolver(param, { engine, threads, seed: SEED })
  const { net } = solver
  fill(net, name)
  const at = { start: 0, cleared: 0, gradients: 0, end: 0 }
  solver.onStart(() => {
    at.start = performance.now()
  })
  const clear = net.clearParamDiffs.bind(net)
  net.clearParamDiffs = () => {
    clear()
    at.cleared = performance.now()
  }
  solver.onGradientsReady(() => {
    at.gradients = performance.now()
  })
  solver.onIteration(() => {
    at.end = performance.now()
  })
  return {
    detail: net.engine.detail,
    async run() {
      await solver.step(1)
      return { train: at.gradients - at.cleared, update: at.cleared - at.start + at.end - at.gradients }
    },
    async dispose() {
      if (!Number.isFinite(await solver.loss()))
        throw new Error(`${name}: the loss is no finite number after ${solver.iter} iterations`)
      solver.dispose()
    },
  }
}

/** As a program calls it: inputs are copied in, outputs are copied out. */
async function inference(engine: string, { net: name, batch }: Job, threads: number): Promise<Task> {
  const plain: Net = await createNet(name, 'inference', batch, engine, threads)
  const inputs = inputsOf(plain)
  const net = await optimized(plain, name, batch, engine, threads)
  plain.dispose()
  return {
    detail: net.engine.detail,
    run: async () => ({ inference: await timed(() => net.forward(inputs)) }),
    dispose: () => net.dispose(),
  }
}

function gemm(engine: Engine, size: number): Task {
  const random = new RandomStream(SEED, 'bench gemm')
  const [a, b, c] = ['a', 'b', 'c'].map(name => new Blob([size, size], engine.heap, name))
  for (const { dataArray } of [a, b]) for (let i = 0; i < dataArray.length; i++) dataArray[i] = random.uniform() - 0.5
  const multiply = () =>
    kernelsOf(engine).gemm(false, false, size, size, size, 1, a.memory.data, b.memory.data, 0, c.memory.data)
  return {
    detail: engine.detail,
    run: async () => ({ gemm: await timed(multiply) }),
    dispose: () => [a, b, c].forEach(blob => blob.dispose()),
  }
}
