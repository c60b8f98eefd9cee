import { describe, expect, test } from 'vitest'
import type { GpuEngine } from '../../lib/engines/gpu.js'
import { parseSolver } from '../../lib/proto/text.js'
import type { Solver } from '../../lib/solver.js'
import { createSolver } from '../../lib/solvers/index.js'

const engines = process.env.RISTRETTO_GPU_ENGINES?.split(',') ?? ['gpu:webasm', 'gpu:cpu']

/** A recurrent net whose sequences go on from batch to batch, so that what it learns depends on the state before. */
const recurrent = (type: string) => `
  base_lr: 0.05 momentum: 0.9 lr_policy: "fixed" max_iter: 6
  net_param { name: "goes on"
    layer { name: "x" type: "DummyData" top: "x" top: "cont" top: "label" dummy_data_param { shape { dim: 3 dim: 2 dim: 4 }
      shape { dim: 3 dim: 2 } shape { dim: 3 dim: 2 } data_filler { type: "gaussian" } data_filler { value: 1 } data_filler { value: 2 } } }
    layer { name: "h" type: "${type}" bottom: "x" bottom: "cont" top: "h"
      recurrent_param { num_output: 5 weight_filler { type: "uniform" min: -0.5 max: 0.5 } } }
    layer { name: "ip" type: "InnerProduct" bottom: "h" top: "ip" inner_product_param { num_output: 3 axis: 2 weight_filler { type: "xavier" } } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" softmax_param { axis: 2 } } }`

const start = (type: string, engine: string, seed: number) => createSolver(parseSolver(recurrent(type)), { engine, seed })

/** Params and history as bits. */
async function bitsOf(solver: Solver): Promise<number[][]> {
  const blobs = [...solver.net.learnable.map(({ blob }) => blob), ...solver.history]
  for (const blob of blobs) await blob.pull()
  return blobs.map(({ dataArray: { buffer, byteOffset, length } }) => [...new Uint32Array(buffer, byteOffset, length)])
}

describe.each(engines)('snapshots on %s', engine => {
  test.each(['RNN', 'LSTM'])('%s: 3 steps, a snapshot and 3 more are 6 steps, bit by bit', async type => {
    const straight = await start(type, engine, 4)
    expect(straight.net.layers.find(({ name }) => name === 'h')!.engine.name).toBe(engine)
    await straight.step(6)
    const expected = await bitsOf(straight)
    const loss = await straight.loss()

    const first = await start(type, engine, 4)
    await first.step(3)
    const { model, state } = await first.snapshot()
    const resumed = await start(type, engine, 9)
    // what it had before must not matter
    await resumed.step(1)
    await resumed.restore(state, model)
    await resumed.step(3)
    expect(await bitsOf(resumed)).toEqual(expected)
    expect(await resumed.loss()).toBe(loss)

    // the state is looked at, not taken: whoever was saved goes on as well
    const { traffic } = first.net.engine as GpuEngine
    const { uploads } = traffic
    await first.step(1)
    const once = traffic.uploads - uploads
    await first.snapshot()
    const before = traffic.uploads
    await first.step(1)
    expect(traffic.uploads - before).toBe(once)
    await first.step(1)
    expect(await bitsOf(first)).toEqual(expected)

    // a state that is not there would show
    const forgetful = await start(type, engine, 4)
    await forgetful.restore(state, model)
    const layer = forgetful.net.layers.find(({ name }) => name === 'h') as unknown as { reset(): void }
    layer.reset()
    await forgetful.step(3)
    expect(await bitsOf(forgetful)).not.toEqual(expected)
    for (const solver of [straight, first, resumed, forgetful]) solver.dispose()
  })
})
