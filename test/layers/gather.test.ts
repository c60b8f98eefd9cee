import { describe, expect, test } from 'vitest'
import { GatherLayer } from '../../lib/layers/gather.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const gather = (fields: string) => `type: "Gather" gather_param { ${fields} }`
const x = [{ shape: [3, 2], values: [1, 2, 3, 4, 5, 6] }]

describe.each(hostEngines)('Gather on %s', engine => {
  test('hand-worked: rows, one of them twice, whose gradients add up', async () => {
    const run = await handPass(gather('index: -1 index: 0 index: 2'), x, { engine, dy: [[1, 2, 3, 4, 5, 6]] })
    expect(run.y[0]).toEqual([5, 6, 1, 2, 5, 6])
    expect(run.dx[0]).toEqual([3, 4, 0, 0, 6, 8])
  })

  test('hand-worked: one column, whose axis goes; a table of them', async () => {
    const one = await handPass(gather('axis: 1 index: 1 shape {}'), x, { engine })
    expect([one.shapes[0], one.y[0]]).toEqual([[3], [2, 4, 6]])
    const table = gather('axis: 1 index: [0, 1, 1, 0] shape { dim: 2 dim: 2 }')
    const four = await handPass(table, x, { engine })
    expect(four.shapes[0]).toEqual([3, 2, 2])
    expect(four.y[0].slice(0, 4)).toEqual([1, 2, 2, 1])
  })

  test('checks', async () => {
    await checkLayer(GatherLayer, {
      param: 'gather_param { axis: 1 index: [2, 0, 2, -1] }',
      bottoms: [[2, 4, 3]],
      engine,
    })
  })
})

test('refuses', async () => {
  await expect(handNet(gather('index: 3'), [[3]])).rejects.toThrow(
    /index: 3 is no place of axis 0 of 'in0', which has 3/,
  )
  await expect(handNet(gather('index: 1 shape { dim: 2 }'), [[3]])).rejects.toThrow(/shape 2 has not as many places/)
})
