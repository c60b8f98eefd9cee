import { describe, expect, test } from 'vitest'
import { FlattenLayer } from '../../lib/layers/flatten.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param = '') => `layer { name: "f" type: "Flatten" bottom: "in0" top: "f" flatten_param { ${param} } }`

describe.each(hostEngines)('Flatten on %s', engine => {
  test.each([
    ['', [2, 60]],
    ['axis: 0', [120]],
    ['axis: 2', [2, 3, 20]],
    ['axis: -2', [2, 3, 20]],
    ['axis: 0 end_axis: 1', [6, 4, 5]],
    ['axis: 1 end_axis: -2', [2, 12, 5]],
    ['axis: 3', [2, 3, 4, 5]],
    ['axis: 2 end_axis: 1', [2, 3, 1, 4, 5]],
  ])('%s makes %j', async (param, shape) => {
    const net = await netOf([[2, 3, 4, 5]], layer(param), { engine })
    expect(net.blobs.f.shape).toEqual(shape)
  })

  test('nothing is copied, and values and gradients follow a new shape', async () => {
    const net = await netOf([[2, 3, 4]], layer(), { engine })
    net.blobs.in0.reshape([3, 2, 5])
    await net.forward({ in0: Float32Array.from({ length: 30 }, (_, i) => i) })
    expect(net.blobs.f.shape).toEqual([3, 10])
    expect(net.blobs.f.dataArray[29]).toBe(29)
    net.blobs.f.diffArray.fill(4)
    await net.backward()
    expect(net.blobs.in0.diffArray).toEqual(new Float32Array(30).fill(4))
  })

  test('checks', async () => {
    await checkLayer(FlattenLayer, { bottoms: [[2, 3, 1, 5]], engine })
  })
})

test('what is refused', async () => {
  await expect(netOf([[2, 3]], 'layer { name: "f" type: "Flatten" bottom: "in0" top: "in0" }')).rejects.toThrow(
    /layer 'f' \(Flatten\): top 'in0' may not be its bottom/,
  )
  await expect(netOf([[2, 3]], layer('axis: 2'))).rejects.toThrow(/axis: 2 is out of range/)
  await expect(netOf([[2, 3, 4]], layer('axis: -1 end_axis: -3'))).rejects.toThrow(/end_axis: -3 comes before axis: -1/)
})
