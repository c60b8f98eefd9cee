import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli, temporaryFolder, tinyProblem } from './helpers.js'

const js = ['--engine', 'js', '--seed', '1']

test('find-lr draws the loss against the rate, says what to start with, and saves nothing', async () => {
  const folder = temporaryFolder()
  const { solver, prefix } = tinyProblem(folder, 'snapshot: 5')
  const drawn = await cli('find-lr', '--solver', solver, '--from', '1e-4', '--to', '0.5', '--iterations', '40', ...js)
  expect(drawn).toMatchObject({ code: 0, err: '' })
  expect(drawn.out).toContain('learning rate')
  expect(drawn.out).toMatch(/1e-4|0\.0001/)
  expect(drawn.out).toMatch(/Falls fastest at 0\.\d+: a base_lr to start with\./)
  expect(existsSync(`${prefix}_iter_5.caffemodel`)).toBe(false)

  const file = join(folder, 'rates.svg')
  const written = await cli('find-lr', '--solver', solver, '--iterations', '10', '--output', file, ...js)
  expect(written.out.split('\n')[0]).toBe(`${file}: 10 iterations`)
  expect(readFileSync(file, 'utf8')).toContain('smoothed')

  const { out } = await cli('find-lr', '--solver', solver, '--iterations', '10', '--json', ...js)
  expect(JSON.parse(out)).toMatchObject({ end: 'done', points: { length: 10, 0: { rate: 1e-6 } } })
})

test('find-lr refuses rates that do not rise', async () => {
  const { solver } = tinyProblem(temporaryFolder())
  const { code, err } = await cli('find-lr', '--solver', solver, '--from', '2', ...js)
  expect(code).toBe(1)
  expect(err).toContain('the rates go up from above 0, not from 2 to 1')
})

test('find-lr draws losses below zero as they are', async () => {
  const folder = temporaryFolder()
  const model = join(folder, 'net.prototxt')
  writeFileSync(
    model,
    `layer { name: "points" type: "DummyData" top: "data" top: "goal" dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 dim: 2 }
       data_filler { type: "gaussian" std: 1 } data_filler { type: "constant" value: 1 } } }
     layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
     layer { name: "far" type: "EuclideanLoss" bottom: "ip" bottom: "goal" top: "far" loss_weight: 0 }
     layer { name: "loss" type: "Power" bottom: "far" top: "loss" power_param { shift: -50 } loss_weight: 1 }`,
  )
  const solver = join(folder, 'solver.prototxt')
  writeFileSync(solver, `net: "${model}" base_lr: 0.1 lr_policy: "fixed" max_iter: 9`)
  const file = join(folder, 'rates.svg')
  const { code } = await cli('find-lr', '--solver', solver, '--iterations', '20', '--output', file, ...js)
  expect(code).toBe(0)
  // nothing is above 1.5 times a loss that is negative
  expect(readFileSync(file, 'utf8')).not.toContain('what is above')
})
