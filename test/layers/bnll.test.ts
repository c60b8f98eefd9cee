import { describe, expect, test } from 'vitest'
import { BNLLLayer } from '../../lib/layers/bnll.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

const LN3 = Math.log(3)

describe.each(hostEngines)('BNLL on %s', engine => {
  test.each([false, true])('hand-worked, in place: %s', async inPlace => {
    const x = [{ shape: [4], values: [0, LN3, -LN3, 100] }]
    const { y, dx } = await handPass('type: "BNLL"', x, { engine, inPlace, dy: [[4, 4, 4, 4]] })
    const expected = [Math.log(2), Math.log(4), Math.log(4 / 3), 100]
    for (const [i, value] of expected.entries()) expect(y[0][i]).toBeCloseTo(value, 5)
    // 1/(1 + e⁻ˣ) is 1/2, 3/4, 1/4 and 1; Caffe's in-place gradient would be that of the outputs
    for (const [i, value] of [2, 3, 1, 4].entries()) expect(dx[0][i]).toBeCloseTo(value, 5)
  })

  test('checks', async () => {
    await checkLayer(BNLLLayer, { bottoms: [[2, 3, 5, 7]], engine, mode: 'elementwise', inPlace: true })
  })
})
