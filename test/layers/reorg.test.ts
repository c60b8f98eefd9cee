import { describe, expect, test } from 'vitest'
import { ReorgLayer } from '../../lib/layers/reorg.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const values = Array.from({ length: 16 }, (_, i) => i)

describe.each(hostEngines)('Reorg on %s', engine => {
  test('hand-worked: the four channels of 2 × 2 are taken for a picture of 4 × 4', async () => {
    const x = [{ shape: [1, 4, 2, 2], values }]
    const run = await handPass('type: "Reorg" reorg_param { stride: 2 }', x, { engine, dy: [values] })
    expect(run.shapes[0]).toEqual([1, 16, 1, 1])
    // top left, top right, bottom left, bottom right pixel of each block
    const order = [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]
    expect(run.y[0]).toEqual(order)
    expect(run.dx[0]).toEqual(values.map(i => order.indexOf(i)))
    const back = await handPass(
      'type: "Reorg" reorg_param { stride: 2 reverse: true }',
      [{ shape: [1, 4, 2, 2], values: order }],
      { engine },
    )
    expect(back.shapes[0]).toEqual([1, 1, 4, 4])
    expect(back.y[0]).toEqual(values)
  })

  test.each([
    ['stride: 2', [2, 4, 2, 6]],
    ['stride: 3', [1, 9, 3, 6]],
    ['stride: 2 reverse: true', [2, 8, 3, 1]],
    ['stride: 1', [1, 2, 3, 2]],
  ])('checks: %s', async (fields, shape) => {
    await checkLayer(ReorgLayer, { param: `reorg_param { ${fields} }`, bottoms: [shape], engine })
  })

  test('another size', async () => {
    const net = await handNet('type: "Reorg" reorg_param { stride: 2 }', [[1, 4, 4, 4]], { engine })
    net.blobs.in0.reshape([2, 8, 6, 2])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([2, 32, 3, 1])
  })
})

test('refuses', async () => {
  await expect(handNet('type: "Reorg"', [[1, 4, 2, 2]])).rejects.toThrow(
    /needs a stride of at least 1 \(stride is missing\)/,
  )
  const stride = 'type: "Reorg" reorg_param { stride: 2 }'
  await expect(handNet(stride, [[1, 6, 2, 2]])).rejects.toThrow(/6 channels .* by 4/)
  await expect(handNet(stride, [[1, 4, 3, 2]])).rejects.toThrow(/height and width .* stride: 2/)
  await expect(handNet(stride, [[4, 2]])).rejects.toThrow(/four axes/)
})
