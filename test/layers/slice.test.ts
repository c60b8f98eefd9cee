import { describe, expect, test } from 'vitest'
import { SliceLayer } from '../../lib/layers/slice.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Slice on %s', engine => {
  test('hand-worked: at a point, and back together', async () => {
    const x = [{ shape: [2, 3], values: [1, 2, 3, 4, 5, 6] }]
    const run = await handPass('type: "Slice" slice_param { slice_point: 1 }', x, {
      engine,
      tops: 2,
      dy: [
        [10, 40],
        [20, 30, 50, 60],
      ],
    })
    expect(run.y).toEqual([
      [1, 4],
      [2, 3, 5, 6],
    ])
    expect(run.dx[0]).toEqual([10, 20, 30, 40, 50, 60])
  })

  test('evenly along slice_dim; a single top shares the memory', async () => {
    const even = await handNet('type: "Slice" slice_param { slice_dim: 0 }', [[6, 2]], { engine, tops: 3 })
    expect(even.blobs.y2.shape).toEqual([2, 2])
    const single = await handNet('type: "Slice"', [[2, 3]], { engine })
    expect(single.blobs.y0.memory.data).toBe(single.blobs.in0.memory.data)
    expect(single.blobs.y0.memory.diff).toBe(single.blobs.in0.memory.diff)
  })

  test('checks', async () => {
    const param = 'slice_param { axis: 1 slice_point: 1 slice_point: 4 }'
    await checkLayer(SliceLayer, { param, bottoms: [[2, 5, 3]], tops: 3, engine })
    await checkLayer(SliceLayer, { param: 'slice_param { axis: -1 }', bottoms: [[3, 5, 4]], tops: 2, engine })
  })
})

test.each([
  ['', /5 does not divide evenly into 2 tops/],
  ['slice_param { slice_point: [1, 2] }', /given 2 times for 2 tops/],
  ['slice_param { slice_point: 5 }', /must rise and lie between 0 and 5/],
  ['slice_param { slice_point: 0 }', /must rise/],
  ['slice_param { slice_dim: 0 axis: 0 }', /twice/],
  ['slice_param { slice_dim: 2 }', /slice_dim: 2 is out of range/],
])('refuses %s', async (param, message) => {
  await expect(handNet(`type: "Slice" ${param}`, [[2, 5]], { tops: 2 })).rejects.toThrow(message)
})
