import { describe, expect, test } from 'vitest'
import { TopKLayer } from '../../lib/layers/topk.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const topK = (fields: string) => `type: "TopK" top_k_param { ${fields} }`
const x = [{ shape: [2, 4], values: [1, 3, -2, 3, 0, -1, 5, 4] }]

describe.each(hostEngines)('TopK on %s', engine => {
  test.each([
    ['k: 2', [3, 3, 5, 4], [1, 3, 2, 3]],
    ['k: 3 largest: false', [-2, 1, 3, -1, 0, 4], [2, 0, 1, 1, 0, 3]],
    ['axis: 0', [1, 3, 5, 4], [0, 0, 1, 1]],
  ])('hand-worked: %s; of equal ones the first', async (fields, best, places) => {
    const run = await handPass(topK(fields), x, { engine, tops: 2, force: false })
    expect(run.y).toEqual([best, places])
  })

  test('hand-worked: the gradient goes where values were taken from', async () => {
    const run = await handPass(topK('k: 2'), x, { engine, dy: [[1, 2, 3, 4]] })
    expect(run.dx[0]).toEqual([0, 1, 0, 2, 0, 0, 3, 4])
  })

  test('checks', async () => {
    const values = Array.from({ length: 30 }, (_, i) => ((i * 17) % 30) / 10 - 1.4)
    for (const fields of ['k: 2 axis: 1', 'k: 3 axis: 0 largest: false'])
      await checkLayer(TopKLayer, {
        param: `top_k_param { ${fields} }`,
        bottoms: [{ shape: [3, 5, 2], values }],
        engine,
        reshapeTo: false,
      })
  })
})

test('refuses', async () => {
  await expect(handNet(topK('k: 5'), [[2, 4]])).rejects.toThrow(/k: 5 of the 4 values along axis 1 of 'in0'/)
})
