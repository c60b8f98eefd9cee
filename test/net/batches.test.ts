import ndarray from 'ndarray'
import { describe, expect, test } from 'vitest'
import { Net, parseNet } from '../../lib/index.js'
import { forwardAll, forwardBackwardAll } from '../../lib/pycaffe/index.js'
import { inputLayer } from '../shapes.js'

/** y = 2x for batches of 2 × 3, and its mean square as a loss. */
const create = () =>
  Net.create(
    parseNet(`
      force_backward: true
      ${inputLayer('x', '2×3')}
      layer { name: "double" type: "Scale" bottom: "x" top: "y" scale_param { filler { value: 2 } } }
      layer { name: "sum" type: "Reduction" bottom: "y" top: "sum" loss_weight: 1 }
      layer { name: "copy" type: "Power" bottom: "y" top: "z" }`),
    { engine: 'js' },
  )
const items = [1, 2, 3, 4, 5].map(i => [i, 10 * i, 100 * i])

describe('forwardAll', () => {
  test('cuts items into batches and leaves out the filling', async () => {
    using net = await create()
    for (const x of [items, items.flat(), ndarray(Float32Array.from(items.flat()), [5, 3])]) {
      const { z, sum, y } = await net.forwardAll({ x }, { blobs: ['y'] })
      expect(z.shape).toEqual([5, 3])
      expect([...z.data]).toEqual(items.flat().map(value => 2 * value))
      expect(y).toEqual(z)
      // no batch axis: one value a batch
      expect(sum.shape).toEqual([3])
      expect([...sum.data]).toEqual([666, 1554, 1110])
    }
    expect(net.runner.count).toBe(9)
    expect(await forwardAll(net, { x: [] })).toEqual({})
  })
  test('says what does not fit', async () => {
    using net = await create()
    await expect(forwardAll(net, { x: [1, 2, 3, 4] })).rejects.toThrow(/4 values do not make whole items of 3/)
    await expect(forwardAll(net, { data: [1] })).rejects.toThrow(/no blob 'data'; its blobs are x, /)
  })
})

describe('forwardBackwardAll', () => {
  test('with gradients for every item', async () => {
    using net = await create()
    const [out, diffs] = await forwardBackwardAll(net, { x: items, z: items }, { blobs: ['y'], diffs: ['z'] })
    expect(out.y.shape).toEqual([5, 3])
    expect([...diffs.z.data]).toEqual(items.flat())
    // through z, and 1 from the loss
    expect([...diffs.x.data]).toEqual(items.flat().map(value => 2 * (value + 1)))
    expect(net.params['double'][0].diffArray[0]).toBeGreaterThan(0)
    await expect(forwardBackwardAll(net, { x: items, z: items.slice(1) })).rejects.toThrow(
      /5 items, but gradients for 4/,
    )
  })
})
