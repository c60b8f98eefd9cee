import { describe, expect, test } from 'vitest'
import { SpatialDropoutLayer } from '../../lib/layers/spatial_dropout.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [4, 8, 2, 2], values: new Array(128).fill(1) }]
const python = (text: string) =>
  `type: "Python" python_param { module: "spatial_dropout" layer: "SpatialDropoutLayer" param_str: "${text}" }`

describe.each(hostEngines)('SpatialDropout on %s', engine => {
  test.each([
    ['type: "SpatialDropout" spatial_dropout_param { dropout_ratio: 0.25 }'],
    [python("{'phase': 'TEST', 'p': '0.25'}")],
  ])('drops whole channels, scales the others, and gradients alike: %s', async inside => {
    const { y, dx } = await handPass(inside, x, { engine, dy: [x[0].values] })
    const channels = Array.from({ length: 32 }, (_, c) => y[0].slice(4 * c, 4 * c + 4))
    for (const values of channels) for (const value of values) expect(value).toBe(values[0])
    const kinds = new Set(channels.map(([value]) => value.toFixed(4)))
    expect([...kinds].sort()).toEqual(['0.0000', '1.3333'])
    expect(dx[0]).toEqual(y[0])
  })

  test('TEST leaves everything, in place too', async () => {
    const inside = 'type: "SpatialDropout"'
    for (const inPlace of [false, true]) {
      const { y } = await handPass(inside, x, { engine, phase: 'TEST', inPlace })
      expect(y[0]).toEqual(x[0].values)
    }
  })

  test('checks', async () => {
    await checkLayer(SpatialDropoutLayer, { bottoms: [[2, 3, 2, 2]], engine, phase: 'TEST' })
  })
})

test.each([
  ['type: "SpatialDropout" spatial_dropout_param { dropout_ratio: 1 }', [2, 3], /dropout_ratio: 1 must be/],
  ['type: "SpatialDropout"', [3], /has no channels/],
  [python("{'phase': 'TRAIN'}"), [2, 3], /param_str must give p/],
])('refuses %s', async (inside, shape, message) => {
  await expect(handNet(inside, [shape])).rejects.toThrow(message)
})
