import { describe, expect, test } from 'vitest'
import { FlipLayer } from '../../lib/layers/flip.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [1, 1, 2, 3], values: [1, 2, 3, 4, 5, 6] }]

describe.each(hostEngines)('Flip on %s', engine => {
  test.each([
    ['', [3, 2, 1, 6, 5, 4]],
    ['flip_height: true', [6, 5, 4, 3, 2, 1]],
    ['flip_width: false flip_height: true', [4, 5, 6, 1, 2, 3]],
    ['flip_width: false', [1, 2, 3, 4, 5, 6]],
  ])('hand-worked, and the same way back: %s', async (fields, y) => {
    const run = await handPass(`type: "Flip" flip_param { ${fields} }`, x, { engine, dy: [x[0].values] })
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0]).toEqual(y)
  })

  test('checks', async () => {
    await checkLayer(FlipLayer, { param: 'flip_param { flip_height: true }', bottoms: [[2, 2, 3, 4]], engine })
  })
})

test('refuses what is no picture', async () => {
  await expect(handNet('type: "Flip"', [[2, 3]])).rejects.toThrow(/must be N × C × H × W/)
})
