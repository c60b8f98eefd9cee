import { describe, expect, test } from 'vitest'
import { HardSwishLayer } from '../../lib/layers/hard_swish.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('HardSwish on %s', engine => {
  test.each([
    ['HardSwish', false],
    ['HSwish', true],
  ])('hand-worked: %s, in place: %s', async (type, inPlace) => {
    const x = [{ shape: [6], values: [-4, -3, -1.5, 0, 3, 5] }]
    const { y, dx } = await handPass(`type: "${type}"`, x, { engine, inPlace, dy: [[1, 1, 1, 2, 1, 1]] })
    expect(y[0].map(v => v + 0)).toEqual([0, 0, -0.375, 0, 3, 5])
    // 1/6 is no float32: at −1.5 the two halves may differ in the last place
    for (const [i, d] of [0, 0, 0, 1, 1, 1].entries()) expect(dx[0][i]).toBeCloseTo(d, 7)
  })

  test('checks on both sides of the kinks', async () => {
    await checkLayer(HardSwishLayer, { bottoms: [[2, 3, 5]], engine, mode: 'elementwise', inPlace: true })
  })
})
