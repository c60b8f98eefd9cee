import { describe, expect, test } from 'vitest'
import { StridedSliceLayer } from '../../lib/layers/strided_slice.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const slice = (fields: string) => `type: "StridedSlice" strided_slice_param { ${fields} }`
const x = [{ shape: [2, 4], values: [0, 1, 2, 3, 4, 5, 6, 7] }]

describe.each(hostEngines)('StridedSlice on %s', engine => {
  test.each([
    ['axis: 1 start: 0 end: 2147483647 step: 2', [2, 2], [0, 2, 4, 6]],
    ['axis: -1 start: -1 end: -2147483648 step: -1', [2, 4], [3, 2, 1, 0, 7, 6, 5, 4]],
    ['axis: 0 axis: 1 start: 1 start: 1 end: 2 end: -1', [1, 2], [5, 6]],
    ['axis: 1 start: 3 end: 1 step: 1', [2, 0], []],
  ])('hand-worked: %s', async (fields, shape, y) => {
    const run = await handPass(slice(fields), x, { engine, dy: [y.map(() => 1)] })
    expect(run.shapes[0]).toEqual(shape)
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0]).toEqual(x[0].values.map(value => (y.includes(value) ? 1 : 0)))
  })

  test('checks', async () => {
    const param = 'strided_slice_param { axis: 1 axis: 3 start: -1 start: 1 end: 0 end: 5 step: -2 step: 3 }'
    await checkLayer(StridedSliceLayer, { param, bottoms: [[2, 5, 2, 6]], engine })
  })
})

test('refuses', async () => {
  await expect(handNet(slice('axis: 0 start: 0'), [[4]])).rejects.toThrow(/end is given 0 times for 1 axes/)
  await expect(handNet(slice('axis: 0 start: 0 end: 1 step: 0'), [[4]])).rejects.toThrow(/step: 0 leads nowhere/)
  await expect(handNet(slice('axis: 0 axis: -1 start: 0 start: 0 end: 1 end: 1'), [[4]])).rejects.toThrow(
    /axis 0 is named twice/,
  )
})
