import { describe, expect, test } from 'vitest'
import { TanHLayer } from '../../lib/layers/tanh.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf, numbers } from './run.js'

describe.each(hostEngines)('TanH on %s', engine => {
  test('hand-worked: tanh(0) = 0, tanh(ln 3 / 2) = 1/2, slopes 1 and 3/4', async () => {
    const net = await netOf([[3]], 'layer { name: "y" type: "TanH" bottom: "in0" top: "y" }', { engine })
    await net.forward({ in0: [0, Math.log(3) / 2, -Math.log(3) / 2] })
    expect(numbers(net.blobs.y.dataArray)).toEqual([0, 0.5, -0.5])
    net.blobs.y.diffArray.set([2, 4, 8])
    await net.backward()
    expect(numbers(net.blobs.in0.diffArray)).toEqual([2, 3, 6])
  })

  test('checks', async () => {
    await checkLayer(TanHLayer, { bottoms: [[3, 1, 7]], engine, mode: 'elementwise', inPlace: true })
  })
})
