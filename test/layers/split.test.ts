import { describe, expect, test } from 'vitest'
import { SplitLayer } from '../../lib/layers/split.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = 'layer { name: "s" type: "Split" bottom: "in0" top: "a" top: "b" }'

describe.each(hostEngines)('Split on %s', engine => {
  test('hand-worked: tops share the values, the gradients are summed', async () => {
    const net = await netOf([[3]], layer, { engine })
    await net.forward({ in0: [1, 2, 3] })
    expect([...net.blobs.a.dataArray, ...net.blobs.b.dataArray]).toEqual([1, 2, 3, 1, 2, 3])
    expect(net.blobs.a.memory.data).toBe(net.blobs.in0.memory.data)
    net.blobs.a.diffArray.set([1, 1, 1])
    net.blobs.b.diffArray.set([0, 10, 20])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual([1, 11, 21])
  })

  test('a larger and a smaller bottom bring values and gradients along', async () => {
    const net = await netOf([[2]], layer, { engine })
    for (const size of [5, 3, 7]) {
      net.blobs.in0.reshape([size])
      await net.forward({ in0: new Float32Array(size).fill(size) })
      expect(net.blobs.b.diffArray).toHaveLength(size)
      net.blobs.a.diffArray.fill(1)
      net.blobs.b.diffArray.fill(2)
      await net.backward()
      expect(net.blobs.in0.diffArray).toEqual(new Float32Array(size).fill(3))
    }
  })

  test.each([1, 2, 3])('checks with %i tops', async tops => {
    await checkLayer(SplitLayer, { bottoms: [[3, 5]], tops, engine })
  })
})
