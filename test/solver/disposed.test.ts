import { describe, expect, test } from 'vitest'
import { RistrettoError } from '../../lib/errors.js'
import { parseNet } from '../../lib/proto/text.js'
import { SGDSolver } from '../../lib/solver/rules/sgd.js'
import { createFiles } from '../../lib/system/files.js'

const net_param = parseNet(`name: "small"
  layer { name: "in" type: "DummyData" top: "data" top: "label" dummy_data_param {
    shape { dim: 2 dim: 3 } shape { dim: 2 } data_filler { type: "constant" value: 1 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }`)
const param = { base_lr: 0.01, lr_policy: 'fixed' as const, max_iter: 2, net_param }
const make = () => SGDSolver.create(param, { engine: 'js', seed: 1 })

const call = async (task: () => unknown) => task()
const uses: [string, (solver: SGDSolver) => unknown][] = [
  ['loss', solver => solver.loss()],
  ['step', solver => solver.step()],
  ['step of none', solver => solver.step(0)],
  ['applyUpdate', solver => solver.applyUpdate()],
  ['solve', solver => solver.solve()],
  ['test', solver => solver.test()],
  ['testAll', solver => solver.testAll()],
  ['snapshot', solver => solver.snapshot()],
  ['snapshotAs', solver => solver.snapshotAs('x')],
  ['restore', solver => solver.restore(new Uint8Array(3))],
]

describe.each(uses)('%s', (_, use) => {
  test('of a disposed solver', async () => {
    const solver = await make()
    await solver.step()
    solver.dispose()
    solver.dispose()
    const used = call(() => use(solver))
    await expect(used).rejects.toBeInstanceOf(RistrettoError)
    await expect(used).rejects.toThrow(/net 'small' was disposed/)
  })

  test('of a solver that create has not made', async () => {
    const solver = new SGDSolver(param, {}, createFiles())
    const used = call(() => use(solver))
    await expect(used).rejects.toBeInstanceOf(RistrettoError)
    await expect(used).rejects.toThrow(/this SGDSolver has no net yet; .* await SGDSolver\.create/)
    expect(() => solver.engine).toThrow(RistrettoError)
    solver.dispose()
  })
})

test('a solver without test nets says so, where it is asked to test', async () => {
  using solver = await make()
  await expect(solver.test()).rejects.toThrow('test: the solver has no test net; its prototxt needs test_iter')
  await expect(solver.test()).rejects.toBeInstanceOf(RistrettoError)
  expect(await solver.testAll()).toEqual([])
})

test('a test net that there is not', async () => {
  const test_net_param = [net_param]
  using solver = await SGDSolver.create(
    { ...param, test_net_param, test_iter: [1], test_interval: 10 },
    { engine: 'js', seed: 1 },
  )
  expect(await solver.test(0)).toHaveLength(1)
  for (const index of [1, -1, 0.5, Number.NaN])
    await expect(solver.test(index)).rejects.toThrow(`there is no test net ${index}; the solver has 1, numbered from 0`)
})

test('no loss is known before the first iteration', async () => {
  using solver = await make()
  expect(await solver.loss()).toBeNaN()
  await solver.step()
  expect(await solver.loss()).toBeGreaterThan(0)
})

test('create alone sets up, and arguments are looked at', async () => {
  using solver = await make()
  await expect(solver.setup()).rejects.toThrow('setup: this solver has its nets already')
  await expect(solver.restore(undefined as never)).rejects.toThrow('restore takes the path, URL or bytes')
  expect(() => solver.onStart(undefined as never)).toThrow('onStart takes a function, not undefined')
  expect(() => solver.onGradientsReady(1 as never)).toThrow('onGradientsReady takes a function, not a number')
  expect(() => solver.onIteration({} as never)).toThrow(RistrettoError)
  expect(() => solver.onTest([] as never)).toThrow(RistrettoError)
  expect(() => solver.on(null as never)).toThrow('on takes a function, not null')
})
