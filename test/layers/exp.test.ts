import { describe, expect, test } from 'vitest'
import { ExpLayer } from '../../lib/layers/exp.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Exp on %s', engine => {
  test('hand-worked: 2^(1 + 3x), and its slope 3·ln 2·y', async () => {
    const layer = 'type: "Exp" exp_param { base: 2 scale: 3 shift: 1 }'
    const { y, dx } = await handPass(layer, [{ shape: [3], values: [0, 1, -1] }], { engine, dy: [[1, 1, 2]] })
    for (const [i, value] of [2, 16, 0.25].entries()) {
      expect(y[0][i]).toBeCloseTo(value, 4)
      expect(dx[0][i]).toBeCloseTo(3 * Math.LN2 * value * (i === 2 ? 2 : 1), 3)
    }
  })

  test.each([
    '',
    'exp_param { base: 2 scale: -0.5 }',
    'exp_param { scale: 0 shift: 1.5 }',
    'exp_param { base: 10 scale: 0.2 shift: -1 }',
  ])('checks: %s', async param => {
    await checkLayer(ExpLayer, { param, bottoms: [[2, 3, 5]], engine, mode: 'elementwise', inPlace: true })
  })
})

test.each(['0', '-2'])('refuses base %s', async base => {
  await expect(handNet(`type: "Exp" exp_param { base: ${base} }`, [[2]])).rejects.toThrow(/base: .* must be positive/)
})
