import { describe, expect, test } from 'vitest'
import { MultinomialLogisticLossLayer } from '../../lib/layers/multinomial_logistic_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('MultinomialLogisticLoss on %s', engine => {
  test('hand-worked, with a loss weight', async () => {
    const bottoms = [
      { shape: [2, 2], values: [0.25, 0.75, 0.5, 0.5] },
      { shape: [2], values: [0, 1] },
    ]
    const run = await handPass('type: "MultinomialLogisticLoss" loss_weight: 3', bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo(Math.log(8) / 2, 5)
    expect(run.dx[0].map(v => v + 0)).toEqual([-6, 0, 0, -3])
  })

  test('a probability of 0 costs 46.05, not infinity', async () => {
    const bottoms = [
      { shape: [1, 2], values: [0, 1] },
      { shape: [1], values: [0] },
    ]
    const run = await handPass('type: "MultinomialLogisticLoss"', bottoms, { engine })
    expect(run.y[0][0]).toBeCloseTo(-Math.log(1e-20), 4)
  })

  test('checks', async () => {
    const p = { shape: [5, 7], filler: { type: 'uniform' as const, min: 0.5, max: 1 } }
    await checkLayer(MultinomialLogisticLossLayer, { bottoms: [p, { shape: [5], labels: 7 }], engine })
  })
})

test('refuses labels that are more than one number an item', async () => {
  await expect(handNet('type: "MultinomialLogisticLoss"', shapesOf('2×3 2×2'))).rejects.toThrow(/must hold 2 values/)
})
