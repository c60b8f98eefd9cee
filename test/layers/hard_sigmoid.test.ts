import { describe, expect, test } from 'vitest'
import { HardSigmoidLayer } from '../../lib/layers/hard_sigmoid.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('HardSigmoid on %s', engine => {
  test.each([false, true])('hand-worked, in place: %s', async inPlace => {
    const x = [{ shape: [5], values: [-9, -1, 0, 1, 9] }]
    const { y, dx } = await handPass('type: "HardSigmoid" hard_sigmoid_param { alpha: 0.25 }', x, {
      engine,
      inPlace,
      dy: [[4, 4, 8, 4, 4]],
    })
    expect(y[0]).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(dx[0]).toEqual([0, 1, 2, 1, 0])
  })

  test('the fields left out: 0.2·x + 0.5', async () => {
    const { y } = await handPass('type: "HardSigmoid"', [{ shape: [3], values: [-2.5, 1, 3] }], { engine })
    expect(y[0]).toEqual([0, 0.7, 1])
  })

  test('checks', async () => {
    const param = 'hard_sigmoid_param { alpha: 0.5 beta: 0.5 }'
    await checkLayer(HardSigmoidLayer, {
      param,
      bottoms: [[2, 3, 5]],
      engine,
      mode: 'elementwise',
      inPlace: true,
      kink: 1,
      kinkRange: 0.02,
    })
  })
})
