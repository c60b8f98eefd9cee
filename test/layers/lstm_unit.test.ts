import { describe, expect, test } from 'vitest'
import { LSTMUnitLayer } from '../../lib/layers/lstm_unit.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const LN3 = Math.log(3)

describe.each(hostEngines)('LSTMUnit on %s', engine => {
  test('hand-worked: gates i, f, o, g of one value; cont 0 forgets', async () => {
    for (const cont of [1, 0]) {
      const bottoms = [
        { shape: [1, 1, 1], values: [2] },
        { shape: [1, 1, 4], values: [LN3, -LN3, 0, 0.5] },
        { shape: [1, 1], values: [cont] },
      ]
      const run = await handPass('type: "LSTMUnit"', bottoms, { engine, tops: 2, dy: [[1], [0]] })
      const g = Math.tanh(0.5)
      const c = cont * 0.25 * 2 + 0.75 * g
      expect(run.y[0][0]).toBeCloseTo(c, 5)
      expect(run.y[1][0]).toBeCloseTo(0.5 * Math.tanh(c), 5)
      expect(run.dx[0][0]).toBeCloseTo(cont * 0.25, 5)
      const dgates = [g * 0.75 * 0.25, cont * 2 * 0.25 * 0.75, 0, 0.75 * (1 - g * g)]
      for (const [i, value] of dgates.entries()) expect(run.dx[1][i]).toBeCloseTo(value, 5)
    }
  })

  test('checks', async () => {
    const cont = (shape: number[]) => ({ shape, values: [0, 1, 1, 1, 0].slice(0, shape[1]), gradient: false })
    const bottoms = [[1, 3, 5], [1, 3, 20], cont([1, 3])]
    await checkLayer(LSTMUnitLayer, { bottoms, engine, reshapeTo: [[1, 5, 2], [1, 5, 8], cont([1, 5])] })
  })
})

test('refuses shapes that do not fit, and a gradient of cont', async () => {
  const net = (...shapes: number[][]) => handNet('type: "LSTMUnit"', shapes, { tops: 2 })
  await expect(net([1, 3, 5], [1, 3, 15], [1, 3])).rejects.toThrow(/is 1×3×15, but must be 1×3×20/)
  await expect(net([2, 3, 5], [1, 3, 20], [1, 3])).rejects.toThrow(/is 2×3×5, but must be 1×3×5/)
  await expect(net([1, 3, 5], [1, 3, 20], [3])).rejects.toThrow(/must be 1×3/)
})
