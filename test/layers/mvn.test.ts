import { describe, expect, test } from 'vitest'
import { MVNLayer } from '../../lib/layers/mvn.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('MVN on %s', engine => {
  test('hand-worked: eps is added to the standard deviation', async () => {
    const x = [{ shape: [1, 1, 1, 2], values: [1, 5] }]
    const { y } = await handPass('type: "MVN" mvn_param { eps: 2 }', x, { engine })
    expect(y[0]).toEqual([-0.5, 0.5])
  })

  test('hand-worked: the mean alone, and its gradient', async () => {
    const layer = 'type: "MVN" mvn_param { normalize_variance: false across_channels: true }'
    const { y, dx } = await handPass(layer, [{ shape: [1, 2, 1, 2], values: [1, 2, 3, 6] }], {
      engine,
      dy: [[4, 0, 0, 0]],
    })
    expect(y[0]).toEqual([-2, -1, 0, 3])
    expect(dx[0]).toEqual([3, -1, -1, -1])
  })

  test('a mean that is infinite is taken off every value', async () => {
    const { NaN: no, NEGATIVE_INFINITY: below, POSITIVE_INFINITY: above } = Number
    const x = [{ shape: [1, 1, 1, 3], values: [1, above, 3] }]
    const { y } = await handPass('type: "MVN" mvn_param { normalize_variance: false }', x, { engine })
    expect(y[0]).toEqual([below, no, below])
  })

  test('the top has four axes whatever the bottom has', async () => {
    const net = await handNet('type: "MVN" mvn_param { across_channels: true }', [[2, 3]], { engine })
    expect(net.blobs.y0.shape).toEqual([2, 3, 1, 1])
  })

  test.each(['', 'mvn_param { across_channels: true }', 'mvn_param { normalize_variance: false }'])(
    'checks: %s',
    async param => {
      await checkLayer(MVNLayer, { param, bottoms: [[2, 2, 3, 5]], engine, inPlace: true })
    },
  )
})

test('refuses more than four axes', async () => {
  await expect(handNet('type: "MVN"', [[1, 2, 3, 4, 5]])).rejects.toThrow(/at most 4 axes/)
})
