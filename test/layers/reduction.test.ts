import { describe, expect, test } from 'vitest'
import { ReductionLayer } from '../../lib/layers/reduction.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [2, 3], values: [1, -2, 3, 0, 5, -6] }]

describe.each(hostEngines)('Reduction on %s', engine => {
  test.each([
    ['', [], [1], [7, 7, 7, 7, 7, 7]],
    ['axis: 1', [2], [2, -1], [7, 7, 7, 1, 1, 1]],
    ['axis: 1 operation: ASUM coeff: 2', [2], [12, 22], [14, -14, 14, 0, 2, -2]],
    ['axis: 1 operation: SUMSQ', [2], [14, 61], [14, -28, 42, 0, 10, -12]],
    ['axis: -1 operation: MEAN coeff: 3', [2], [2, -1], [7, 7, 7, 1, 1, 1]],
  ])('hand-worked: %s', async (param, shape, y, dx) => {
    const run = await handPass(`type: "Reduction" reduction_param { ${param} }`, x, {
      engine,
      dy: [[7, 1].slice(0, y.length)],
    })
    expect(run.shapes[0]).toEqual(shape)
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0].map(v => v + 0)).toEqual(dx)
  })

  test.each(['SUM', 'ASUM', 'SUMSQ', 'MEAN'])('checks: %s', async operation => {
    for (const axis of [0, 1, -1]) {
      const param = `reduction_param { operation: ${operation} axis: ${axis} coeff: -0.7 }`
      await checkLayer(ReductionLayer, { param, bottoms: [[2, 3, 5]], engine, kinkRange: 0.02 })
    }
  })
})

test('refuses an axis that is not there', async () => {
  await expect(handNet('type: "Reduction" reduction_param { axis: 2 }', [[2, 3]])).rejects.toThrow(
    /axis: 2 is out of range/,
  )
})
