import { describe, expect, test } from 'vitest'
import { ReLULayer } from '../../lib/layers/relu.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { netOf, numbers } from './run.js'

describe.each(hostEngines)('ReLU on %s', engine => {
  test('hand-worked: forward, gradient, a leak, and 0 counts as negative', async () => {
    const layer = (param: string) => `layer { name: "y" type: "ReLU" bottom: "in0" top: "y" ${param} }`
    for (const [param, y, dx] of [
      ['', [0, 0, 3], [0, 0, 30]],
      ['relu_param { negative_slope: 0.5 }', [-1, 0, 3], [5, 10, 30]],
    ] as const) {
      const net = await netOf([[3]], layer(param), { engine })
      await net.forward({ in0: [-2, 0, 3] })
      expect(numbers(net.blobs.y.dataArray)).toEqual(y)
      net.blobs.y.diffArray.set([10, 20, 30])
      await net.backward()
      expect(numbers(net.blobs.in0.diffArray)).toEqual(dx)
    }
  })

  test.each(['', 'relu_param { negative_slope: 0.1 }', 'relu_param { negative_slope: -0.5 }'])(
    'checks: %s',
    async param => {
      const report = await checkLayer(ReLULayer, {
        param,
        bottoms: [[2, 3, 5, 7]],
        engine,
        kinkRange: 0.02,
        mode: 'elementwise',
        inPlace: true,
      })
      expect(report.engine).toBe(engine)
      expect(report.gradient!.compared).toBeGreaterThan(200 * 200)
    },
  )
})
