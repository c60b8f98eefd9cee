import { describe, expect, test } from 'vitest'
import { Im2colLayer } from '../../lib/layers/im2col.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param: string) =>
  `layer { name: "i" type: "Im2col" bottom: "in0" top: "i" convolution_param { ${param} } }`

describe.each(hostEngines)('Im2col on %s', engine => {
  test('hand-worked: one channel per kernel position', async () => {
    const net = await netOf([[1, 1, 3, 3]], layer('kernel_size: 2'), { engine })
    await net.forward({ in0: [1, 2, 3, 4, 5, 6, 7, 8, 9] })
    expect(net.blobs.i.shape).toEqual([1, 4, 2, 2])
    expect([...net.blobs.i.dataArray]).toEqual([1, 2, 4, 5, 2, 3, 5, 6, 4, 5, 7, 8, 5, 6, 8, 9])
    net.blobs.i.diffArray.fill(1)
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([1, 2, 1, 2, 4, 2, 1, 2, 1])
  })

  test('hand-worked: padding is 0', async () => {
    const net = await netOf([[1, 1, 2]], layer('kernel_size: 3 pad: 1'), { engine })
    await net.forward({ in0: [1, 2] })
    expect([...net.blobs.i.dataArray]).toEqual([0, 1, 1, 2, 2, 0])
  })

  test.each([
    ['kernel_size: 3 stride: 2 pad: 1 dilation: 1', [2, 2, 5, 4]],
    ['kernel_h: 1 kernel_w: 3', [1, 2, 3, 5]],
    ['kernel_size: 2 dilation: 2', [1, 1, 3, 4, 3]],
  ])('checks: %s', { tags: 'long' }, async (param, shape) => {
    await checkLayer(Im2colLayer, { param: `convolution_param { ${param} }`, bottoms: [shape], engine })
  })
})
