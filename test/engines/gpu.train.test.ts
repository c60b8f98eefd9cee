import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { Net } from '../../lib/net.js'
import { parseSolver } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'
import { SGDSolver } from '../../lib/solver/rules/sgd.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { innerProduct, lenet } from './lenet.js'

const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm']

/** 200 digits as idx files. */
const digits = readFileSync(goldenPath('io/mnist_200-images-idx3-ubyte')).subarray(16)
const truths = readFileSync(goldenPath('io/mnist_200-labels-idx1-ubyte')).subarray(8)

/** Batches of `values` numbers an item, over and over; bytes are divided by 256. */
function* batches(source: Uint8Array, batch: number, values: number, scale: number) {
  const size = batch * values
  for (let at = 0; ; at = at + 2 * size > source.length ? 0 : at + size)
    yield Float32Array.from(source.subarray(at, at + size), v => v * scale)
}

async function start(engine: string, batch: number, options = ''): Promise<SGDSolver> {
  const solver = await SGDSolver.create(parseSolver(lenet(batch, options)), { engine, seed: 5, threads: 2 })
  solver.net.feed('data', batches(digits, batch, 784, 1 / 256))
  solver.net.feed('label', batches(truths, batch, 1, 1))
  return solver
}

describe.each(engines)('training on %s', engine => {
  test('LeNet, 8 iterations: the losses of wasm', async () => {
    const [expected, got] = [await start('wasm', 8), await start(engine, 8)]
    for (const layer of got.net.layers) expect(layer.engine.name, layer.name).toBe(engine)
    for (let i = 0; i < 8; i++) {
      await expected.step(1)
      await got.step(1)
      const loss = await expected.loss()
      expect(Math.abs((await got.loss()) - loss), `iteration ${i}: ${loss}`).toBeLessThan(1e-4)
    }
    expected.dispose()
    got.dispose()
  })

  test('between displays data and labels go up and nothing comes down', async () => {
    const solver = await start(engine, 2)
    await solver.step(2)
    const { traffic } = solver.net.engine as GpuEngine
    const before = { ...traffic }
    await solver.step(3)
    expect(traffic.uploads - before.uploads).toBe(6)
    expect(traffic.uploadedBytes - before.uploadedBytes).toBe(3 * 4 * (2 * 784 + 2))
    expect(traffic.downloads - before.downloads).toBe(0)
    expect(traffic.dispatches - before.dispatches).toBe(3 * 59)
    expect(traffic.alive).toBe(before.alive)
    solver.dispose()
  })

  test('display reads the loss, once, and the norm of the gradients', async () => {
    const solver = await start(engine, 2, 'display: 2')
    await solver.step(2)
    const { traffic } = solver.net.engine as GpuEngine
    const before = { ...traffic }
    await solver.step(2)
    expect(traffic.downloads - before.downloads).toBe(2)
    // the loss, and a sum of squares for each of LeNet's params
    expect(traffic.downloadedBytes - before.downloadedBytes).toBe(4 * (1 + 8))
    solver.dispose()
  })

  test('nothing is left over after a solver is disposed, and nothing adds up over 500 iterations', {
    tags: 'ci',
  }, async () => {
    const text = `base_lr: 0.01 momentum: 0.9 lr_policy: "fixed" max_iter: 600 net_param { name: "tiny"
      layer { name: "data" type: "Input" top: "data" top: "label" input_param { shape { dim: 2 dim: 5 } shape { dim: 2 } } }
      ${innerProduct('ip', 'data', 3)} layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" } }`
    const solver = await SGDSolver.create(parseSolver(text), { engine, seed: 5 })
    solver.net.feed('data', batches(digits, 2, 5, 1 / 256))
    solver.net.feed('label', batches(Uint8Array.of(0, 1, 2, 2, 1, 0), 2, 1, 1))
    const { traffic, gpu } = solver.net.engine as GpuEngine
    const idle = traffic.alive
    await solver.step(50)
    const { alive } = traffic
    const { compiled } = gpu
    const memory = process.memoryUsage().rss
    await solver.step(500)
    expect(traffic.alive).toBe(alive)
    expect(gpu.compiled).toBe(compiled)
    expect(process.memoryUsage().rss - memory).toBeLessThan(64 * 2 ** 20)
    solver.dispose()
    await solver.net.engine.finish?.()
    expect(traffic.alive).toBe(idle)
  })

  test("Caffe's own LeNet: every blob after forward, every gradient after backward", async () => {
    interface LeNet {
      labels: number[]
      blobs_after_forward: (GoldenArray & { name: string })[]
      param_diffs_after_backward: Record<string, GoldenArray[]>
      rtol: number
      atol: number
    }
    const golden = new Golden<LeNet>('nets/lenet/lenet')
    const { labels: truth, blobs_after_forward: blobs, param_diffs_after_backward: diffs, rtol, atol } = golden.json
    const path = (file: string) => goldenPath(`nets/lenet/${file}`)
    const net = await Net.create(path('lenet.prototxt'), {
      phase: 'TEST',
      weights: path('lenet.caffemodel'),
      engine,
      seed: 1,
    })
    await net.forward({ data: golden.array(blobs.find(blob => blob.name === 'data')!), label: truth })
    await net.pull()
    for (const blob of blobs) expectClose(net.blobs[blob.name].dataArray, golden.array(blob), rtol, atol, blob.name)
    await net.backward()
    await net.pull()
    for (const [layer, params] of Object.entries(diffs))
      params.forEach((param, i) =>
        expectClose(net.params[layer][i].diffArray, golden.array(param), rtol, atol, `${layer}[${i}] diff`),
      )
    net.dispose()
  })

  test.each([
    'sgd_l1_exp',
    'nesterov_inv_l1_itersize',
    'adagrad',
    'rmsprop_default_decay_clip',
    'adadelta',
    'adam_betas_itersize_l1',
  ])("Caffe's recorded run with %s", { tags: 'ci' }, async name => {
    interface Solvers {
      initial_params: GoldenArray[]
      batches: { data: GoldenArray; label: GoldenArray }[]
      solvers: {
        solver: string
        records: {
          iter: number
          params: GoldenArray[]
          history: GoldenArray[]
          tolerance: { rtol: number; params_atol: number; history_atol: number }
        }[]
      }[]
    }
    const golden = new Golden<Solvers>('solvers/solvers')
    const { initial_params, batches: recorded, solvers } = golden.json
    const run = solvers.find(candidate => candidate.solver === `solver_${name}.prototxt`)!
    const solver = await createSolver(goldenPath(`solvers/${run.solver}`), { engine, seed: 1, threads: 2 })
    solver.net.built.learnable.forEach(({ blob }, i) => blob.dataArray.set(golden.array(initial_params[i])))
    for (const input of ['data', 'label'] as const)
      solver.net.feed(
        input,
        (function* () {
          for (let k = 0; ; k++) yield golden.array(recorded[k % recorded.length][input])
        })(),
      )
    for (const { iter, params, history, tolerance } of run.records) {
      await solver.step(iter - solver.iter)
      await solver.net.pull()
      const { rtol, params_atol, history_atol } = tolerance
      for (const [i, { blob }] of solver.net.built.learnable.entries())
        expectClose(blob.dataArray, golden.array(params[i]), rtol, params_atol, `param ${i} after ${iter}`)
      for (const [i, blob] of solver.history.entries()) {
        await blob.pull()
        expectClose(blob.dataArray, golden.array(history[i]), rtol, history_atol, `history ${i} after ${iter}`)
      }
    }
    solver.dispose()
  })
})
