import { describe, expect, test } from 'vitest'
import { SigmoidLayer } from '../../lib/layers/sigmoid.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf, numbers } from './run.js'

describe.each(hostEngines)('Sigmoid on %s', engine => {
  test('hand-worked: σ(0) = 1/2, σ(±ln 3) = 3/4 and 1/4, slopes 1/4 and 3/16', async () => {
    const net = await netOf([[3]], 'layer { name: "y" type: "Sigmoid" bottom: "in0" top: "y" }', { engine })
    await net.forward({ in0: [0, Math.log(3), -Math.log(3)] })
    expect(numbers(net.blobs.y.dataArray)).toEqual([0.5, 0.75, 0.25])
    net.blobs.y.diffArray.set([4, 16, 16])
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([1, 3, 3])
  })

  test('saturates without NaN', async () => {
    const net = await netOf([[4]], 'layer { name: "y" type: "Sigmoid" bottom: "in0" top: "y" }', { engine })
    await net.forward({ in0: [-1000, -90, 90, 1000] })
    const [a, b, c, d] = net.blobs.y.dataArray
    expect(a).toBe(0)
    expect(b).toBeLessThan(1e-38)
    expect([c, d]).toEqual([1, 1])
  })

  test('checks', async () => {
    await checkLayer(SigmoidLayer, { bottoms: [[3, 1, 7]], engine, mode: 'elementwise', inPlace: true })
  })
})
