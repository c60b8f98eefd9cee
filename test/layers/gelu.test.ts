import { describe, expect, test } from 'vitest'
import { GeluLayer } from '../../lib/layers/gelu.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('Gelu on %s', engine => {
  test('hand-worked: x times the normal distribution', async () => {
    const x = { shape: [5], values: [-10, -1, 0, 1, 10] }
    const exact = await handPass('type: "Gelu"', [x], { engine, dy: [[1, 1, 1, 1, 1]] })
    // Φ(1) = 0.841345, its density 0.241971
    expect(exact.y[0]).toEqual([expect.closeTo(0), -0.158655, 0, 0.841345, 10])
    expect(exact.dx[0]).toEqual([expect.closeTo(0), -0.0833155, 0.5, 1.08332, 1])
    const near = await handPass('type: "Gelu" gelu_param { approximation: TANH }', [x], { engine })
    expect(near.y[0][3]).toBeCloseTo(0.5 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * 1.044715)), 5)
  })

  test.each(['NONE', 'TANH'])('checks %s', async approximation => {
    await checkLayer(GeluLayer, {
      param: `gelu_param { approximation: ${approximation} }`,
      bottoms: [[3, 4, 5]],
      engine,
    })
  })
})
