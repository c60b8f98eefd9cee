import { describe, expect, test } from 'vitest'
import { SeLULayer } from '../../lib/layers/selu.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('SeLu on %s', engine => {
  test.each([
    ['SeLu', false],
    ['SeLU', true],
  ])('hand-worked: %s, in place: %s', async (type, inPlace) => {
    const x = [{ shape: [3], values: [2, 0, -Math.log(2)] }]
    const param = 'selu_param { lambda: 3 alpha: 4 }'
    const { y, dx } = await handPass(`type: "${type}" ${param}`, x, { engine, inPlace, dy: [[1, 1, 1]] })
    expect(y[0]).toEqual([6, 0, -6])
    expect(dx[0]).toEqual([3, 12, 6])
  })

  test('the fields left out', async () => {
    const { y } = await handPass('type: "SeLu"', [{ shape: [2], values: [1, -80] }], { engine })
    expect(y[0][0]).toBeCloseTo(1.050701, 5)
    expect(y[0][1]).toBeCloseTo(-1.758099, 5)
  })

  test('checks', async () => {
    await checkLayer(SeLULayer, {
      bottoms: [[2, 3, 5]],
      engine,
      mode: 'elementwise',
      inPlace: true,
      kink: 0,
      kinkRange: 0.02,
    })
  })
})
