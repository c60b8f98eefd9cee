import { describe, expect, test } from 'vitest'
import { LayerNormLayer } from '../../lib/layers/layer_norm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('LayerNorm on %s', engine => {
  test('hand-worked: rows of mean 0 and deviation 1, scaled and shifted', async () => {
    const x = { shape: [2, 2], values: [1, 3, 10, 30] }
    const run = await handPass('type: "LayerNorm" layer_norm_param { eps: 0 }', [x], {
      engine,
      params: [
        [2, 3],
        [1, 0],
      ],
      dy: [[1, 1, 1, 1]],
    })
    expect(run.y[0]).toEqual([-1, 3, -1, 3])
    expect(run.dw).toEqual([
      [-2, 2],
      [2, 2],
    ])
  })

  test.each(['', 'axis: 1', 'axis: 2 bias_term: false', 'axis: 1 eps: 0.1 scale_term: false'])(
    'checks with %s',
    async fields => {
      await checkLayer(LayerNormLayer, { param: `layer_norm_param { ${fields} }`, bottoms: [[3, 4, 5]], engine })
    },
  )
})

test('refuses', async () => {
  await expect(
    handNet('type: "LayerNorm" layer_norm_param { scale_term: false bias_term: true }', [[2, 3]]),
  ).rejects.toThrow(/bias_term: true needs scale_term: true/)
  const net = await handNet('type: "LayerNorm"', [[2, 3]])
  net.blobs.in0.reshape([2, 4])
  expect(() => net.reshape()).toThrow(/its scale is 3, but 'in0' \(2×4\) has other sizes from axis 1 on/)
})
