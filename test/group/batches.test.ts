/** Two workers beside one whose batch is twice as large: equal but for the order of sums. And on a device. */
import { describe, expect, it } from 'vitest'
import { solverTypes } from '../../lib/solver/rules/index.js'
import { goldenPath } from '../golden.js'
import { weightsOf, withSolvers } from './groups.js'

const net = (batch: number) => `net_param {
  layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.00390625 }
    data_param { source: "${goldenPath('io/mnist_200_lmdb')}" batch_size: ${batch} backend: LMDB } }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 5 stride: 2 weight_filler { type: "xavier" } } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
  layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" } }`

const ITERATIONS = 20

async function train(type: string, workers: number, batch: number, engine = 'wasm', iterations = ITERATIONS) {
  const momentum = ['SGD', 'Nesterov', 'Adam'].includes(type)
    ? 'momentum: 0.9'
    : type === 'AdaDelta'
      ? 'momentum: 0.95'
      : ''
  const clipped: number[] = []
  const [weights] = await withSolvers(
    workers,
    `type: "${type}" ${momentum} base_lr: 0.01 lr_policy: "fixed" random_seed: 2 weight_decay: 0.0005 clip_gradients: 0.5 ${net(batch)}`,
    async solver => {
      solver.on(event => (event.type === 'clip' ? clipped.push(event.norm) : undefined))
      await solver.step(iterations)
      await solver.net.pull()
      return weightsOf(solver).flat()
    },
    { engine: engine as 'wasm' },
  )
  return { weights, clipped }
}

/** ‖a − b‖ / ‖b‖ */
const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((value, i) => value - b[i])) / Math.hypot(...b)

describe('batches', () => {
  for (const type of solverTypes())
    it(`${type}: two workers with 8 items are one with 16, with clipping`, async () => {
      const one = await train(type, 1, 16)
      const two = await train(type, 2, 8)
      expect(one.clipped.length).toBeGreaterThan(5)
      expect(two.clipped).toHaveLength(2 * one.clipped.length)
      expect(distance(two.weights, one.weights)).toBeLessThan(1e-6)
      expect(one.weights.every(Number.isFinite)).toBe(true)
    })

  it('on a device gradients come home to be added up', { tags: 'ci' }, async () => {
    const host = await train('SGD', 2, 4, 'js', 3)
    const device = await train('SGD', 2, 4, 'gpu:cpu', 3)
    expect(distance(device.weights, host.weights)).toBeLessThan(1e-5)
  })
})
