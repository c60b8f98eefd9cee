import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { netOf } from './run.js'

const layer = (param: string) => `layer { name: "i" type: "Input" top: "a" top: "b" input_param { ${param} } }`

describe.each(hostEngines)('Input on %s', engine => {
  test.each([
    ['shape { dim: 2 dim: 3 }', [2, 3], [2, 3]],
    ['shape { dim: 2 } shape { dim: 0 dim: 4 }', [2], [0, 4]],
    ['shape { } shape { dim: 1 }', [], [1]],
    ['', [], []],
  ])('%s', async (param, a, b) => {
    const net = await netOf([], layer(param), { engine })
    expect([net.blobs.a.shape, net.blobs.b.shape]).toEqual([a, b])
    expect(net.inputs).toEqual(['a', 'b'])
    expect(net.blobs.a.dataArray.every(value => value === 0)).toBe(true)
  })

  test('keeps what the program puts in, over passes and shapes', async () => {
    const net = await netOf([[2]], 'layer { name: "y" type: "ReLU" bottom: "in0" top: "y" }', { engine })
    await net.forward({ in0: [1, 2] })
    await net.forward()
    expect([...net.blobs.in0.dataArray]).toEqual([1, 2])
    net.blobs.in0.reshape([3])
    await net.forward({ in0: [3, 4, 5] })
    expect([...net.blobs.y.dataArray]).toEqual([3, 4, 5])
  })
})

test('what is refused', async () => {
  const three = 'shape { dim: 1 } shape { dim: 1 } shape { dim: 1 }'
  await expect(netOf([], layer(three))).rejects.toThrow(/layer 'i' \(Input\): shape is given 3 times for 2 tops/)
  await expect(netOf([], layer('shape { dim: -1 }'))).rejects.toThrow(/-1/)
})
