import { describe, expect, test } from 'vitest'
import { EuclideanLossLayer } from '../../lib/layers/euclidean_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf } from './run.js'

const layer = 'layer { name: "l" type: "EuclideanLoss" bottom: "in0" bottom: "in1" loss_weight: 2 top: "l" }'

describe.each(hostEngines)('EuclideanLoss on %s', engine => {
  test('hand-worked: differences 1, 0, 2, 3 over two items cost 14/4; both bottoms learn', async () => {
    const net = await netOf(shapesOf('2×2 2×2'), layer, { engine })
    await net.forward({ in0: [1, 2, 3, 4], in1: [0, 2, 1, 1] })
    expect(net.blobs.l.dataArray[0]).toBe(3.5)
    await net.backward()
    // loss_weight 2
    expect([...net.blobs.in0.diffArray]).toEqual([1, 0, 2, 3])
    expect([...net.blobs.in1.diffArray].map(value => value + 0)).toEqual([-1, 0, -2, -3])
  })

  test('shapes may differ where the counts agree, and may be odd', async () => {
    await checkLayer(EuclideanLossLayer, { bottoms: [[3, 7], { shape: [3, 7, 1, 1] }], engine })
    await checkLayer(EuclideanLossLayer, { bottoms: [[1], [1]], engine })
  })

  test('an empty batch costs 0', async () => {
    const net = await netOf(shapesOf('0×2 0×2'), layer, { engine })
    await net.forward()
    expect(net.blobs.l.dataArray[0]).toBe(0)
  })
})

test('what Caffe refuses', async () => {
  await expect(netOf(shapesOf('2×2 3×2'), layer)).rejects.toThrow(/layer 'l' \(EuclideanLoss\): .* first axis/)
  await expect(netOf(shapesOf('2×2 2×3'), layer)).rejects.toThrow(/layer 'l' \(EuclideanLoss\): .* equally many values/)
})
