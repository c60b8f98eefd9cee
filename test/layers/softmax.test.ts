import { describe, expect, test } from 'vitest'
import { SoftmaxLayer } from '../../lib/layers/softmax.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf, numbers } from './run.js'

const layer = (axis: number) =>
  `layer { name: "y" type: "Softmax" bottom: "in0" top: "y" softmax_param { axis: ${axis} } }`

describe.each(hostEngines)('Softmax on %s', engine => {
  test('hand-worked: e^0, e^ln 2 and e^ln 5 make eighths', async () => {
    const net = await netOf([[1, 3]], layer(1), { engine })
    await net.forward({ in0: [0, Math.log(2), Math.log(5)] })
    expect(numbers(net.blobs.y.dataArray)).toEqual([0.125, 0.25, 0.625])
    net.blobs.y.diffArray.set([8, 0, 0])
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([0.875, -0.25, -0.625])
  })

  test('large values do not overflow', async () => {
    const net = await netOf([[2, 2]], layer(-1), { engine })
    await net.forward({ in0: [1e30, 1e30, 1000, -1000] })
    expect(numbers(net.blobs.y.dataArray)).toEqual([0.5, 0.5, 1, 0])
  })

  test.each([0, 1, 2, -1])('checks along axis %i', async axis => {
    await checkLayer(SoftmaxLayer, {
      param: `softmax_param { axis: ${axis} }`,
      bottoms: [[3, 5, 2]],
      engine,
      inPlace: true,
    })
  })

  test('a bottom without values', async () => {
    const net = await netOf([[0, 3]], layer(1), { engine })
    await net.forward()
    expect(net.blobs.y.shape).toEqual([0, 3])
  })
})

test('an axis that the bottom lacks is refused', async () => {
  await expect(netOf([[2, 3]], layer(2))).rejects.toThrow(/layer 'y' \(Softmax\): axis: 2 is out of range/)
})
