import { describe, expect, test } from 'vitest'
import { ArgMaxLayer } from '../../lib/layers/argmax.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const x = [{ shape: [2, 4], values: [3, 7, 7, 1, -5, -2, -9, -2] }]

describe.each(hostEngines)('ArgMax on %s', engine => {
  test.each([
    ['', [2, 1, 1], [2, 3]],
    ['top_k: 3', [2, 1, 3], [2, 1, 0, 3, 1, 0]],
    ['top_k: 2 out_max_val: true', [2, 2, 2], [2, 1, 7, 7, 3, 1, -2, -2]],
    ['axis: 0', [1, 4], [0, 0, 0, 0]],
    ['axis: 1 top_k: 2', [2, 2], [2, 1, 3, 1]],
    ['axis: -1 out_max_val: true', [2, 1], [7, -2]],
    ['axis: 0 top_k: 2 out_max_val: true', [2, 4], [3, 7, 7, 1, -5, -2, -9, -2]],
  ])('hand-worked: %s, the larger index first on a tie', async (param, shape, expected) => {
    const { y, shapes } = await handPass(`type: "ArgMax" argmax_param { ${param} }`, x, { engine })
    expect(shapes[0]).toEqual(shape)
    expect(y[0]).toEqual(expected)
  })

  test('checks', async () => {
    await checkLayer(ArgMaxLayer, {
      param: 'argmax_param { axis: 1 top_k: 3 }',
      bottoms: [[2, 5, 3, 2]],
      engine,
      backward: false,
    })
    await checkLayer(ArgMaxLayer, {
      param: 'argmax_param { top_k: 7 out_max_val: true }',
      bottoms: [[3, 5, 7]],
      engine,
      backward: false,
    })
  })
})

test('refuses more values than there are, and a gradient', async () => {
  await expect(handNet('type: "ArgMax" argmax_param { top_k: 5 }', [[2, 4]])).rejects.toThrow(
    /top_k: 5 must be at least 1 and at most 4/,
  )
  await expect(handNet('type: "ArgMax" argmax_param { top_k: 0 }', [[2, 4]])).rejects.toThrow(/top_k: 0/)
  await expect(handPass('type: "ArgMax"', x, { dy: [[1, 1]] })).rejects.toThrow(/has no gradient/)
})
