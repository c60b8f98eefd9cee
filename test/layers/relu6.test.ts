import { describe, expect, test } from 'vitest'
import { ReLU6Layer } from '../../lib/layers/relu6.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handPass } from './hand.js'

const x = [{ shape: [6], values: [-2, 0, 1, 5.5, 6, 7] }]
const dy = [[1, 2, 3, 4, 5, 6]]

describe.each(hostEngines)('on %s', engine => {
  test.each(['type: "ReLU6"', 'type: "ReLU" relu_param { relu6: true }'])('hand-worked: %s', async layer => {
    for (const inPlace of [false, true]) {
      const run = await handPass(layer, x, { engine, inPlace, dy })
      expect(run.y[0]).toEqual([0, 0, 1, 5.5, 6, 6])
      expect(run.dx[0]).toEqual([0, 0, 3, 4, 0, 0])
    }
  })

  test.each(['type: "ReLU6" relu6_param', 'type: "ReLU" relu_param'])('with a slope below 0: %s', async layer => {
    const param = `{ negative_slope: 0.5 ${layer.includes('ReLU6') ? '' : 'relu6: true'} }`
    for (const inPlace of [false, true]) {
      const run = await handPass(`${layer} ${param}`, x, { engine, inPlace, dy })
      expect(run.y[0]).toEqual([-1, 0, 1, 5.5, 6, 6])
      expect(run.dx[0]).toEqual([0.5, 1, 3, 4, 0, 0])
    }
  })

  test('a slope that turns the sign, in place: x decides, not y', async () => {
    const run = await handPass('type: "ReLU6" relu6_param { negative_slope: -1 }', x, { engine, inPlace: true, dy })
    expect(run.y[0]).toEqual([2, 0, 1, 5.5, 6, 6])
    expect(run.dx[0]).toEqual([-1, -2, 3, 4, 0, 0])
  })

  test.each(['', 'relu6_param { negative_slope: 0.25 }'])('checks: %s', async param => {
    await checkLayer(ReLU6Layer, {
      param,
      bottoms: [[2, 3, 5]],
      engine,
      mode: 'elementwise',
      inPlace: true,
      kink: 0,
      kinkRange: 0.02,
    })
  })

  test('the layer before takes it along, in training too', async () => {
    const inputs = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 2 dim: 2 } } }'
    const convolution =
      'type: "Convolution" bottom: "x" convolution_param { num_output: 2 kernel_size: 1 weight_filler { value: 1 } }'
    const pass = async (text: string) => {
      const net = await Net.create(parseNet(`force_backward: true ${inputs} ${text}`), {
        engine,
        phase: 'TRAIN',
        threads: 1,
      })
      net.blobs.x.dataArray.set([-2, 1, 2, 5, 0, 1, 2, 5])
      await net.forward()
      const y = Array.from(net.blobs.y.dataArray)
      net.blobs.y.diffArray.fill(1)
      await net.backward()
      return { net, y, dx: Array.from(net.blobs.x.diffArray) }
    }
    const fused = await pass(
      `layer { name: "c" top: "y" ${convolution} } layer { name: "r" type: "ReLU6" bottom: "y" top: "y" }`,
    )
    const apart = await pass(
      `layer { name: "c" top: "z" ${convolution} } layer { name: "r" type: "ReLU6" bottom: "z" top: "y" }`,
    )
    expect(fused.y).toEqual([0, 2, 4, 6, 0, 2, 4, 6])
    expect(apart.y).toEqual(fused.y)
    expect(fused.dx).toEqual([0, 2, 2, 0, 0, 2, 2, 0])
    expect(apart.dx).toEqual(fused.dx)
  })
})
