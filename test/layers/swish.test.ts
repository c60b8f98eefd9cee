import { describe, expect, test } from 'vitest'
import { SwishLayer } from '../../lib/layers/swish.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('Swish on %s', engine => {
  test.each([false, true])('hand-worked: beta·x = ln 3, so the sigmoid is 3/4, in place: %s', async inPlace => {
    const x = Math.log(3) / 2
    const { y, dx } = await handPass('type: "Swish" swish_param { beta: 2 }', [{ shape: [2], values: [0, x] }], {
      engine,
      inPlace,
      dy: [[1, 1]],
    })
    expect(y[0][0]).toBe(0)
    expect(y[0][1]).toBeCloseTo(0.75 * x, 6)
    expect(dx[0][0]).toBe(0.5)
    expect(dx[0][1]).toBeCloseTo(0.75 + 2 * x * 0.75 * 0.25, 6)
  })

  test.each(['', 'swish_param { beta: 2 }', 'swish_param { beta: -0.5 }'])('checks: %s', async param => {
    await checkLayer(SwishLayer, { param, bottoms: [[2, 3, 5]], engine, mode: 'elementwise', inPlace: true })
  })
})
