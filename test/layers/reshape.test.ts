import { describe, expect, test } from 'vitest'
import { ReshapeLayer } from '../../lib/layers/reshape.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const dims = (...sizes: number[]) => `shape { ${sizes.map(d => `dim: ${d}`).join(' ')} }`
const layer = (param: string) => `type: "Reshape" reshape_param { ${param} }`

describe.each(hostEngines)('Reshape on %s', engine => {
  test.each([
    [dims(0, -1), [2, 12]],
    [dims(4, 6), [4, 6]],
    [dims(-1), [24]],
    [`${dims(6, 2)} axis: 1`, [2, 6, 2]],
    [`${dims(2, 2)} axis: -2`, [2, 3, 2, 2]],
    [`${dims(1)} axis: -1`, [2, 3, 4, 1]],
    [`${dims(1, 3)} axis: 1 num_axes: 1`, [2, 1, 3, 4]],
    [`${dims(1)} num_axes: 0`, [1, 2, 3, 4]],
    [`${dims(0, 2, -1)} axis: 1`, [2, 3, 2, 2]],
  ])('2×3×4 by %s', async (param, shape) => {
    const net = await handNet(layer(param), [[2, 3, 4]], { engine })
    expect(net.blobs.y0.shape).toEqual(shape)
    expect(net.blobs.y0.memory.data).toBe(net.blobs.in0.memory.data)
    expect(net.blobs.y0.memory.diff).toBe(net.blobs.in0.memory.diff)
  })

  test('values and gradients pass as they are, also after the bottom changes its size', async () => {
    const run = await handPass(layer(dims(-1, 2)), [{ shape: [4], values: [1, 2, 3, 4] }], {
      engine,
      dy: [[5, 6, 7, 8]],
    })
    expect(run.y[0]).toEqual([1, 2, 3, 4])
    expect(run.dx[0]).toEqual([5, 6, 7, 8])
    run.net.blobs.in0.reshape([6])
    run.net.blobs.in0.dataArray.set([1, 2, 3, 4, 5, 6])
    const { y0 } = await run.net.forward()
    expect(y0.shape).toEqual([3, 2])
    expect(Array.from(y0.data)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('checks', async () => {
    await checkLayer(ReshapeLayer, {
      param: `reshape_param { ${dims(0, -1, 1)} }`,
      bottoms: [[2, 3, 5]],
      engine,
      mode: 'elementwise',
    })
  })
})

test.each([
  [dims(3, 4), [2, 5], /10 values, which do not fit the shape \[3, 4\]/],
  [dims(-1, -1), [2, 6], /more than one -1/],
  [dims(-1, 4), [2, 5], /10 values, which do not fit the shape \[-1, 4\]/],
  [dims(2, 5, 0), [2, 5], /wants to copy axis 2/],
  [`${dims(1)} axis: 3`, [2, 5], /axis: 3 is out of range/],
  [`${dims(1)} axis: -4`, [2, 5], /axis: -4 is out of range/],
  [`${dims(1)} axis: 1 num_axes: 2`, [2, 5], /reaches past/],
  [`${dims(1)} num_axes: -2`, [2, 5], /num_axes: -2/],
])('refuses %s', async (param, shape, message) => {
  await expect(handNet(layer(param), [shape])).rejects.toThrow(message)
})

test('refuses to work in place', async () => {
  await expect(handNet(layer(dims(-1)), [[2, 2]], { inPlace: true })).rejects.toThrow(/in place/)
})
