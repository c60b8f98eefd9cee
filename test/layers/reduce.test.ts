import { describe, expect, test } from 'vitest'
import { ReduceLayer } from '../../lib/layers/reduce.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const reduce = (fields: string) => `type: "Reduce" reduce_param { ${fields} }`
/** No two alike, none near 0: at a kink there is no gradient to check. */
const apart = Array.from({ length: 48 }, (_, i) => (((i * 29) % 48) - 23.5) / 16)
const x = [{ shape: [2, 3], values: [1, -2, 3, 3, 0, 3] }]

describe.each(hostEngines)('Reduce on %s', engine => {
  test.each([
    ['axis: 0', [3], [4, -2, 6]],
    ['axis: -1 operation: MEAN keep_dims: true', [2, 1], [0.666667, 2]],
    ['operation: MAX', [], [3]],
    ['axis: 1 operation: MIN', [2], [-2, 0]],
    ['axis: 1 operation: PROD', [2], [-6, 0]],
    ['axis: 1 operation: ASUM', [2], [6, 6]],
    ['axis: 1 operation: SUMSQ', [2], [14, 18]],
    ['axis: 1 operation: L2', [2], [3.74166, 4.24264]],
    ['axis: 0 operation: LOG_SUM_EXP', [3], [3.12693, 0.126928, 3.69315]],
    ['axis: 1 operation: ARGMAX', [2], [2, 0]],
    ['axis: 1 operation: ARGMAX last: true', [2], [2, 2]],
    ['axis: 0 operation: ARGMIN keep_dims: true', [1, 3], [0, 0, 0]],
  ])('hand-worked: %s', async (fields, shape, y) => {
    const run = await handPass(reduce(fields), x, { engine, force: false })
    expect([run.shapes[0], run.y[0]]).toEqual([shape, y])
  })

  test('hand-worked: of equal largest ones the first gets the gradient; a product with a 0 has one', async () => {
    const largest = await handPass(reduce('axis: 1 operation: MAX'), x, { engine, dy: [[5, 7]] })
    expect(largest.dx[0]).toEqual([0, 0, 5, 7, 0, 0])
    const product = await handPass(reduce('axis: 1 operation: PROD'), x, { engine, dy: [[1, 1]] })
    expect(product.dx[0]).toEqual([-6, 3, -2, 0, 9, 0])
  })

  test.each(['SUM', 'MEAN', 'MAX', 'MIN', 'PROD', 'ASUM', 'SUMSQ', 'L2', 'LOG_SUM_EXP'])(
    'checks %s',
    async operation => {
      for (const axes of ['axis: 1', 'axis: 0 axis: 2', 'axis: 2 axis: 3 keep_dims: true', ''])
        await checkLayer(ReduceLayer, {
          param: `reduce_param { operation: ${operation} ${axes} }`,
          bottoms: [{ shape: [2, 3, 4, 2], values: apart }],
          engine,
          reshapeTo: false,
        })
    },
  )
})

test('of another size later', async () => {
  const net = await handNet(reduce('axis: 1'), [[2, 3, 2]])
  net.blobs.in0.reshape([1, 5, 4])
  net.reshape()
  expect(net.blobs.y0.shape).toEqual([1, 4])
})

test('refuses', async () => {
  await expect(handNet(reduce('operation: ARGMAX'), [[2, 3]], { force: false })).rejects.toThrow(
    /axis is given 0 times/,
  )
  await expect(handNet(reduce('axis: 2'), [[2, 3]])).rejects.toThrow(/axis: 2 is out of range/)
  await expect(handNet(reduce('axis: 1 operation: MAX'), [[2, 0]])).rejects.toThrow(/has no values along the axes/)
})
