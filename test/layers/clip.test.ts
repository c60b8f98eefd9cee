import { describe, expect, test } from 'vitest'
import { ClipLayer } from '../../lib/layers/clip.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = 'type: "Clip" clip_param { min: -1 max: 2 }'

describe.each(hostEngines)('Clip on %s', engine => {
  test.each([false, true])('hand-worked: the bounds belong to the inside, in place: %s', async inPlace => {
    const x = [{ shape: [5], values: [-3, -1, 0.5, 2, 7] }]
    const { y, dx } = await handPass(layer, x, { engine, inPlace, dy: [[1, 2, 3, 4, 5]] })
    expect(y[0]).toEqual([-1, -1, 0.5, 2, 2])
    expect(dx[0]).toEqual([0, 2, 3, 4, 0])
  })

  test('checks', async () => {
    const kink = { kink: 0.7, kinkRange: 0.02 }
    await checkLayer(ClipLayer, {
      param: 'clip_param { min: -0.7 max: 0.7 }',
      bottoms: [[2, 3, 5]],
      engine,
      ...kink,
      mode: 'elementwise',
      inPlace: true,
    })
  })
})

test('needs both bounds', async () => {
  await expect(handNet('type: "Clip"', [[2]])).rejects.toThrow(/min is missing, max is missing/)
})
