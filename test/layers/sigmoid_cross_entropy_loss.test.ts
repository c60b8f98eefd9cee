import { describe, expect, test } from 'vitest'
import { SigmoidCrossEntropyLossLayer } from '../../lib/layers/sigmoid_cross_entropy_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const LN3 = Math.log(3)
/** σ = 1/2, 3/4, 1/4, 3/4; costs ln 2, ln 4/3, ln 4/3, and for the target 0 ln 4. */
const bottoms = [
  { shape: [2, 2], values: [0, LN3, -LN3, LN3] },
  { shape: [2, 2], values: [1, 1, 0, 0] },
]

describe.each(hostEngines)('SigmoidCrossEntropyLoss on %s', engine => {
  test.each([
    ['', 2],
    ['loss_param { normalization: FULL }', 4],
    ['loss_param { normalization: NONE }', 1],
    ['loss_param { normalize: true }', 4],
    ['loss_param { normalize: false }', 2],
  ])('hand-worked: divided by the batch size, or as loss_param says: %s', async (param, divisor) => {
    const run = await handPass(`type: "SigmoidCrossEntropyLoss" ${param}`, bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo((Math.LN2 + 2 * Math.log(4 / 3) + Math.log(4)) / divisor, 5)
    for (const [i, value] of [-0.5, -0.25, 0.25, 0.75].entries()) expect(run.dx[0][i]).toBeCloseTo(value / divisor, 5)
  })

  test('an ignored target costs nothing', async () => {
    const layer = 'type: "SigmoidCrossEntropyLoss" loss_param { ignore_label: 1 normalization: VALID }'
    const run = await handPass(layer, bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo((Math.log(4 / 3) + Math.log(4)) / 2, 5)
    expect(run.dx[0].slice(0, 2)).toEqual([0, 0])
  })

  test('scores of any size stay finite', async () => {
    const large = [
      { shape: [1, 2], values: [1000, -1000] },
      { shape: [1, 2], values: [0, 0] },
    ]
    const run = await handPass('type: "SigmoidCrossEntropyLoss"', large, { engine, dy: [null] })
    expect(run.y[0]).toEqual([1000])
    expect(run.dx[0]).toEqual([1, 0])
  })

  test('checks', async () => {
    const target = { shape: [3, 5], filler: { type: 'uniform' as const, min: 0, max: 1 }, gradient: false }
    await checkLayer(SigmoidCrossEntropyLossLayer, { bottoms: [[3, 5], target], engine })
    const labels = { shape: [3, 5], labels: 2 }
    const param = 'loss_param { ignore_label: 0 normalization: VALID }'
    await checkLayer(SigmoidCrossEntropyLossLayer, { param, bottoms: [[3, 5], labels], engine })
  })
})

test('refuses targets of another count', async () => {
  await expect(handNet('type: "SigmoidCrossEntropyLoss"', shapesOf('2×3 2×4'))).rejects.toThrow(/same number of values/)
})
