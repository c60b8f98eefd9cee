import { describe, expect, test } from 'vitest'
import { ELULayer } from '../../lib/layers/elu.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

const LN2 = Math.log(2)

describe.each(hostEngines)('ELU on %s', engine => {
  test.each([false, true])('hand-worked: at 0 the slope is alpha, in place: %s', async inPlace => {
    const x = [{ shape: [3], values: [-LN2, 0, 3] }]
    const { y, dx } = await handPass('type: "ELU" elu_param { alpha: 4 }', x, { engine, inPlace, dy: [[1, 1, 1]] })
    expect(y[0][0]).toBeCloseTo(-2, 5)
    expect(y[0].slice(1)).toEqual([0, 3])
    expect(dx[0][0]).toBeCloseTo(2, 5)
    expect(dx[0].slice(1)).toEqual([4, 1])
  })

  test.each(['', 'elu_param { alpha: 0.3 }', 'elu_param { alpha: -0.5 }'])('checks: %s', async param => {
    await checkLayer(ELULayer, {
      param,
      bottoms: [[2, 3, 5]],
      engine,
      kinkRange: 0.02,
      mode: 'elementwise',
      inPlace: true,
    })
  })
})
