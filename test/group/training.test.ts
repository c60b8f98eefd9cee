import { describe, expect, it } from 'vitest'
import { weightsOf, withSolvers } from './groups.js'

/** Random data, dropout masks and moving statistics: everything that is a function of the number of a pass. */
const net = `net_param {
  layer { name: "data" type: "DummyData" top: "data" top: "label"
    dummy_data_param { shape { dim: 4 dim: 3 dim: 2 dim: 2 } shape { dim: 4 dim: 1 }
      data_filler { type: "gaussian" } data_filler { type: "uniform" } } }
  layer { name: "bn" type: "BatchNorm" bottom: "data" top: "bn" }
  layer { name: "scale" type: "Scale" bottom: "bn" top: "bn" scale_param { bias_term: true } }
  layer { name: "ip" type: "InnerProduct" bottom: "bn" top: "ip" inner_product_param { num_output: 8 weight_filler { type: "xavier" } } }
  layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" }
  layer { name: "ip2" type: "InnerProduct" bottom: "ip" top: "ip2" inner_product_param { num_output: 1 weight_filler { type: "xavier" } } }
  layer { name: "loss" type: "EuclideanLoss" bottom: "ip2" bottom: "label" top: "loss" }
}`
const solver = (extra: string, iterSize: number) =>
  `base_lr: 0.05 momentum: 0.9 weight_decay: 0.001 lr_policy: "inv" gamma: 0.01 power: 0.75 random_seed: 3
   max_iter: 6 display: 1 iter_size: ${iterSize} snapshot_after_train: false ${extra} ${net}`

const train = async (workers: number, iterSize: number, extra = '', options = {}) => {
  const log: string[] = []
  const weights = await withSolvers(
    workers,
    solver(extra, iterSize),
    async (solver, rank) => {
      if (rank === 0)
        solver.on(event => {
          if (event.type === 'display' || event.type === 'test' || event.type === 'final')
            log.push(JSON.stringify({ ...event, seconds: 0 }))
        })
      await solver.solve()
      return weightsOf(solver)
    },
    options,
  )
  return { weights, log }
}

describe('training', () => {
  it('of N workers is that of one whose iter_size is N times as large, bit for bit', async () => {
    const one = await train(1, 4)
    for (const [workers, iterSize] of [
      [2, 2],
      [4, 1],
    ]) {
      const { weights, log } = await train(workers, iterSize)
      for (const own of weights) expect(own).toEqual(one.weights[0])
      expect(log).toEqual(one.log)
    }
  })

  it('with share is that of one worker, for any number of them', async () => {
    const extra = 'test_iter: 3 test_interval: 2'
    const one = await train(1, 8, extra)
    expect(one.log.length).toBeGreaterThan(6)
    for (const workers of [2, 4, 8]) {
      const { weights, log } = await train(workers, 8, extra, { share: true })
      for (const own of weights) expect(own).toEqual(one.weights[0])
      expect(log).toEqual(one.log)
    }
  })
})
