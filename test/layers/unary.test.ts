import { describe, expect, test } from 'vitest'
import { UnaryLayer } from '../../lib/layers/unary.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const unary = (operation: string) => `type: "Unary" unary_param { operation: ${operation} }`

describe.each(hostEngines)('Unary on %s', engine => {
  test.each([
    ['FLOOR', [-2.5, -0.5, 0.5, 1.5, 2.5], [-3, -1, 0, 1, 2]],
    ['CEIL', [-2.5, 0.5, 1, 1.5, 2.5], [-2, 1, 1, 2, 3]],
    ['ROUND', [-2.5, -1.5, 0.5, 1.5, 2.4], [-2, -2, 0, 2, 2]],
    ['SIGN', [-2.5, 0, 0.5, 1.5, 2.4], [-1, 0, 1, 1, 1]],
    ['SOFTSIGN', [-3, -1, 0, 1, 3], [-0.75, -0.5, 0, 0.5, 0.75]],
    ['ERF', [-1, 0, 0.5, 1, 7], [-0.842701, 0, 0.5205, 0.842701, 1]],
  ])('hand-worked: %s', async (operation, values, y) => {
    const run = await handPass(unary(operation), [{ shape: [5], values }], { engine })
    expect(run.y[0]).toEqual(y)
  })

  test.each('ERF SOFTSIGN SIN COS TAN ASIN ACOS ATAN SINH COSH ASINH ATANH'.split(' '))(
    'checks %s',
    async operation => {
      const values = Array.from({ length: 12 }, (_, i) => ((i * 5) % 12) / 8 - 0.7)
      const param = `unary_param { operation: ${operation} }`
      await checkLayer(UnaryLayer, { param, bottoms: [{ shape: [3, 4], values }], engine, reshapeTo: false })
    },
  )

  test('checks ACOSH above 1', async () => {
    const values = Array.from({ length: 12 }, (_, i) => 1.5 + i / 8)
    const param = 'unary_param { operation: ACOSH }'
    await checkLayer(UnaryLayer, { param, bottoms: [{ shape: [3, 4], values }], engine, reshapeTo: false })
  })
})

test('refuses to guess', async () => {
  await expect(handNet('type: "Unary"', [[2]])).rejects.toThrow(/operation must be written: one of ERF, FLOOR/)
})
