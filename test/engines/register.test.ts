import { describe, expect, test } from 'vitest'
import type { DeviceEngine, Engine, HostEngine, Kernels } from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { createEngine, registerEngine } from '../../lib/engines/index.js'
import { EngineError } from '../../lib/errors.js'
import { ReLULayer } from '../../lib/layers/relu.js'
import { SoftmaxLayer } from '../../lib/layers/softmax.js'
import { Memory } from '../../lib/memory.js'
import { Net } from '../../lib/net.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { engineFor } from '../../lib/registry.js'
import { SGDSolver } from '../../lib/solver/rules/sgd.js'
import { checkLayer } from '../../lib/testing.js'
import { inputLayer } from '../shapes.js'

const text = `
  ${inputLayer('data', '2×3')}
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "ip" top: "out" }`
const data = Float32Array.from([1, -2, 3, 0.5, 0, -1])

/** The wasm or js engine with a ReLU that is counted. */
async function counting(name: 'js' | 'wasm', counts: { relu: number }): Promise<HostEngine> {
  const base = await createEngine(name, { threads: 1 })
  const kernels: Kernels = {
    ...base.kernels,
    relu(...args) {
      counts.relu++
      base.kernels.relu(...args)
    },
  }
  return { ...base, name: `counting ${name}`, kernels }
}

describe.each(['js', 'wasm'] as const)('an engine that is %s with another kernel', base => {
  test('runs a net, as an object and by its registered name, in the same bits', async () => {
    const counts = { relu: 0 }
    registerEngine(`counting-${base}`, () => counting(base, counts))
    const [mine, named, plain] = await Promise.all(
      [await counting(base, counts), `counting-${base}`, base].map(engine =>
        Net.create(parseNet(text), { engine, threads: 1, seed: 1 }),
      ),
    )
    expect([mine.engine.name, named.engine.name]).toEqual([`counting ${base}`, `counting ${base}`])
    const outs = []
    for (const net of [mine, named, plain]) outs.push((await net.forward({ data })).out.data)
    expect(counts.relu).toBe(2)
    expect(outs[0]).toEqual(outs[2])
    expect(outs[1]).toEqual(outs[2])
  })

  test('trains, and stays the engine under maxMemory', async () => {
    const counts = { relu: 0 }
    const engine = await counting(base, counts)
    const net = parseNet(`${text} layer { name: "loss" type: "EuclideanLoss" bottom: "out" bottom: "out" top: "loss" }`)
    const solver = await SGDSolver.create(
      { ...parseSolver('base_lr: 0.1 lr_policy: "fixed"'), net_param: net },
      { engine, maxMemory: 2 ** 20 },
    )
    solver.net.blobs['data'].dataArray.fill(0.5)
    await solver.step(3)
    expect(solver.engine.name).toBe(`counting ${base}`)
    expect(counts.relu).toBe(3)
  })
})

test('options reach the factory, and what it throws reaches whoever makes the net', async () => {
  const seen: unknown[] = []
  registerEngine('picky', ({ threads }) => {
    seen.push(threads)
    throw new EngineError('not today')
  })
  await expect(Net.create(parseNet(text), { engine: 'picky', threads: 3 })).rejects.toThrow('not today')
  expect(seen).toEqual([3])
})

test('ristretto/testing takes an engine too', async () => {
  const counts = { relu: 0 }
  const report = await checkLayer(ReLULayer, {
    bottoms: [{ shape: [2, 3], values: [1, -1, 2, -2, 3, -3] }],
    engine: await counting('js', counts),
  })
  expect(report.engine).toBe('counting js')
  expect(counts.relu).toBeGreaterThan(0)
})

test('an unknown name is refused with those that there are and how to add one', async () => {
  registerEngine('mine', async () => await createEngine('js'))
  await expect(createEngine('wasn')).rejects.toThrow(
    /there is no engine 'wasn'; did you mean 'wasm'\?; known engines: js, wasm, native, gpu, .*mine.*registerEngine\('wasn', …\)/,
  )
})

test.each([
  [{}, 'the option engine is no engine: it has no name, no isHost, no heap, no kernels, no scratch. Begin with'],
  [{ name: 'half', isHost: false, heap: {}, kernels: {}, scratch() {} }, 'it has no host'],
])('%o is refused as an engine', async (what, message) => {
  const engine = what as unknown as Engine
  await expect(Net.create(parseNet(text), { engine })).rejects.toThrow(message)
})

test('a factory that gives no engine is named', async () => {
  registerEngine('empty', () => ({}) as Engine)
  await expect(createEngine('empty')).rejects.toThrow("what registerEngine('empty', …) gives is no engine")
})

test('a device may have some kernels: layers that need another run on its host, and calling it by mistake says so', async () => {
  const host = await createEngine('js')
  const device: DeviceEngine = {
    ...host,
    name: 'toy',
    isHost: false,
    host,
    kernels: { relu() {}, reluGradient() {}, clip() {}, clipGradient() {}, copy() {} },
  }
  expect(engineFor(ReLULayer, device)).toBe(device)
  expect(engineFor(SoftmaxLayer, device)).toBe(host)
  const y = new Memory(1)
  expect(() => kernelsOf(device).relu(1, 0, y, y)).not.toThrow()
  expect(() => kernelsOf(device).softmax(1, 1, 1, y, y)).toThrow("engine toy has no kernel 'softmax'")
  expect(kernelsOf(host)).toBe(host.kernels)
})

test('registerEngine refuses what makes no engine', async () => {
  const engine = await createEngine('js')
  expect(() => registerEngine('mine', engine as never)).toThrow(
    /registerEngine takes a name and a function that makes the engine.*an engine itself goes into the option engine/,
  )
  expect(() => registerEngine('', () => engine)).toThrow(EngineError)
})
