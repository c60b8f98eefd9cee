import { describe, expect, test } from 'vitest'
import { MishLayer } from '../../lib/layers/mish.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

describe.each(hostEngines)('Mish on %s', engine => {
  test.each([false, true])('hand-worked: e^x = 2, so the tangent is 8/10, in place: %s', async inPlace => {
    const x = Math.log(2)
    const run = await handPass('type: "Mish"', [{ shape: [3], values: [0, x, 30] }], {
      engine,
      inPlace,
      dy: [[1, 1, 2]],
    })
    expect(run.y[0][0]).toBe(0)
    expect(run.y[0][1]).toBeCloseTo(0.8 * x, 6)
    expect(run.y[0][2]).toBe(30)
    // the tangent of log(2) is 3/5; s = 2/3, 1 − t² = 0.36
    expect(run.dx[0][0]).toBeCloseTo(0.6, 6)
    expect(run.dx[0][1]).toBeCloseTo(0.8 + x * (2 / 3) * 0.36, 6)
    expect(run.dx[0][2]).toBe(2)
  })

  test('checks', async () => {
    await checkLayer(MishLayer, { bottoms: [[2, 3, 5]], engine, mode: 'elementwise', inPlace: true })
  })
})
