import { describe, expect, test } from 'vitest'
import { PowerLayer } from '../../lib/layers/power.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('Power on %s', engine => {
  test.each([
    ['power: 2 scale: 3 shift: 1', [1, 16, 4], [6, 24, -12]],
    ['power: 3', [0, 1, -1], [0, 3, 3]],
    ['power: 1 scale: 0.5 shift: 2', [2, 2.5, 1.5], [0.5, 0.5, 0.5]],
    ['power: 0 scale: 7', [1, 1, 1], [0, 0, 0]],
    ['power: 2 scale: 0 shift: 3', [9, 9, 9], [0, 0, 0]],
    ['power: -1 shift: 2', [0.5, 0.333333, 1], [-0.25, -0.111111, -1]],
  ])('hand-worked: %s', async (param, expected, slopes) => {
    for (const inPlace of [false, true]) {
      const x = [{ shape: [3], values: [0, 1, -1] }]
      const { y, dx } = await handPass(`type: "Power" power_param { ${param} }`, x, {
        engine,
        inPlace,
        dy: [[1, 1, 1]],
      })
      expect(y[0]).toEqual(expected)
      expect(dx[0].map(v => v + 0)).toEqual(slopes)
    }
  })

  test('a constant power hides values that are not finite', async () => {
    const x = [{ shape: [2], values: [Number.NaN, Number.POSITIVE_INFINITY] }]
    const { y } = await handPass('type: "Power" power_param { power: 2 scale: 0 shift: 3 }', x, { engine })
    expect(y[0]).toEqual([9, 9])
  })

  test.each([
    '',
    'power_param { power: 2 scale: -0.7 shift: 1.3 }',
    'power_param { power: 0.37 scale: 0.83 shift: 4 }',
    'power_param { power: 3 }',
  ])('checks: %s', async param => {
    const bottom = { shape: [2, 3, 5], filler: { type: 'uniform' as const, min: -2, max: 2 } }
    await checkLayer(PowerLayer, { param, bottoms: [bottom], engine, mode: 'elementwise', inPlace: true })
  })
})
