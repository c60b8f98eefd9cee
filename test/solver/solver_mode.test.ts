import { expect, test } from 'vitest'
import { SGDSolver } from '../../lib/index.js'

const net = {
  name: 'line',
  layer: [
    { name: 'x', type: 'DummyData', top: ['x', 't'], dummy_data_param: { shape: [{ dim: [2, 3] }, { dim: [2, 1] }] } },
    { name: 'y', type: 'InnerProduct', bottom: ['x'], top: ['y'], inner_product_param: { num_output: 1 } },
    { name: 'loss', type: 'EuclideanLoss', bottom: ['y', 't'], top: ['loss'] },
  ],
}
const make = async (extra: object, options = {}) => {
  const lines: string[] = []
  const solver = await SGDSolver.create(
    { net_param: net, base_lr: 0.1, lr_policy: 'fixed', random_seed: 1, ...extra },
    { log: line => lines.push(line), threads: 1, ...options },
  )
  return { engine: solver.engine.name, notices: lines.filter(line => line.includes('solver_mode')) }
}

test('a written solver_mode: GPU asks for a GPU, and says so where there is none', async () => {
  const { engine, notices } = await make({ solver_mode: 'GPU' })
  if (engine === 'wasm') expect(notices).toHaveLength(1)
  else expect(engine).toMatch(/^gpu:/)
})

test('left out, or written as CPU, it does not', async () => {
  expect(await make({})).toEqual({ engine: 'wasm', notices: [] })
  expect(await make({ solver_mode: 'CPU' })).toEqual({ engine: 'wasm', notices: [] })
})

test('the engine option wins', async () => {
  expect(await make({ solver_mode: 'GPU' }, { engine: 'js' })).toEqual({ engine: 'js', notices: [] })
})
