import { expect, test } from 'vitest'
import { parseSolver } from '../../lib/proto/text.js'
import { createSolver } from '../../lib/solver/rules/index.js'

const layer = (type: string, name: string, bottom: string, top: string, more = '') =>
  `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${top}" ${more} }`
const random = 'weight_filler { type: "xavier" } bias_filler { type: "uniform" }'
const text = `
  net_param {
    layer { name: "x" type: "DummyData" top: "x" top: "t" dummy_data_param {
      shape { dim: 4 dim: 2 dim: 5 dim: 5 } shape { dim: 4 dim: 1 } data_filler { type: "gaussian" } data_filler { value: 1 } } }
    ${layer('Convolution', 'body/conv', 'x', 'c', `param { lr_mult: 2 } convolution_param { num_output: 3 kernel_size: 3 ${random} }`)}
    ${layer('BatchNorm', 'body/bn', 'c', 'c')} ${layer('Scale', 'body/scale', 'c', 'c', 'scale_param { bias_term: true }')}
    ${layer('InnerProduct', 'head', 'c', 'y', `inner_product_param { num_output: 1 ${random} }`)}
    layer { name: "loss" type: "EuclideanLoss" bottom: "y" bottom: "t" top: "loss" }
  }
  lr_policy: "fixed" base_lr: 0.01 weight_decay: 0.1 max_iter: 3`

test('layers of some names keep their weights and statistics, and ask for no gradient', async () => {
  const solver = await createSolver(parseSolver(text), { engine: 'js', seed: 1, freeze: ['body/*'] })
  const all = () =>
    Object.entries(solver.net.params).flatMap(([name, blobs]) => blobs.map(b => [name, [...b.dataArray]]))
  for (const statistics of solver.net.params['body/bn'].slice(1)) statistics.dataArray.fill(1)
  const before = all()
  await solver.solve()
  const changed = all().filter(([, values], i) => String(values) !== String(before[i][1]))
  expect(new Set(changed.map(([name]) => name))).toEqual(new Set(['head']))
  const { layers } = solver.net.describe()
  expect(layers.filter(({ needs_backward }) => needs_backward).map(({ name }) => name)).toEqual(['head', 'loss'])
  expect(layers.find(({ name }) => name === 'body/conv')?.params.map(param => param.lr_mult)).toEqual([0, 0])
  solver.dispose()
})

test('a pattern that fits no layer is an error', async () => {
  await expect(createSolver(parseSolver(text), { engine: 'js', freeze: ['trunk/*'] })).rejects.toThrow(
    "freeze: 'trunk/*' fits the name of no layer",
  )
})

test('a training that goes on with other frozen layers says so in one line', async () => {
  const start = (freeze?: string[], log?: (line: string) => void) =>
    createSolver(parseSolver(text), { engine: 'js', seed: 1, freeze, log })
  const solver = await start(['body/*'])
  await solver.step(1)
  const { model, state } = await solver.snapshot()
  solver.dispose()
  const told = async (freeze?: string[]) => {
    const lines: string[] = []
    const later = await start(freeze, line => lines.push(line))
    await later.restore(state, model)
    later.dispose()
    return lines.filter(line => line.includes('freeze'))
  }
  expect(await told(['body/*'])).toEqual([])
  expect(await told()).toEqual([
    expect.stringContaining(
      "was saved by a training with freeze 'body/*', this one has no freeze: other layers learn from here on",
    ),
  ])
})
