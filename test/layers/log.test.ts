import { describe, expect, test } from 'vitest'
import { LogLayer } from '../../lib/layers/log.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Log on %s', engine => {
  test.each([false, true])('hand-worked: log₂(4 + 2x), in place: %s', async inPlace => {
    const layer = 'type: "Log" log_param { base: 2 scale: 2 shift: 4 }'
    const { y, dx } = await handPass(layer, [{ shape: [3], values: [0, 2, -1] }], { engine, inPlace, dy: [[1, 1, 1]] })
    expect(y[0].map(v => Number(v.toFixed(4)))).toEqual([2, 3, 1])
    for (const [i, inside] of [4, 8, 2].entries()) expect(dx[0][i]).toBeCloseTo(2 / inside / Math.LN2, 5)
  })

  test.each([
    '',
    'log_param { base: 2 }',
    'log_param { base: 10 scale: 2 shift: 0.5 }',
    'log_param { scale: -1 shift: 9 }',
  ])('checks: %s', async param => {
    const bottom = { shape: [2, 3, 5], filler: { type: 'uniform' as const, min: 0.5, max: 3 } }
    await checkLayer(LogLayer, { param, bottoms: [bottom], engine, mode: 'elementwise', inPlace: true })
  })
})

test.each(['0', '1', '-2'])('refuses base %s', async base => {
  await expect(handNet(`type: "Log" log_param { base: ${base} }`, [[2]])).rejects.toThrow(
    /base: .* must be positive and not 1/,
  )
})
