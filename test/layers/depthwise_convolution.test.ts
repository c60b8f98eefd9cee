import { describe, expect, test } from 'vitest'
import { DepthwiseConvolutionLayer } from '../../lib/layers/depthwise_convolution.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { graphOf } from '../../lib/pycaffe/draw/drawing.js'
import { checkLayer } from '../../lib/testing.js'
import { summarize } from '../../lib/tools/summarize.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const types = ['DepthwiseConvolution', 'ConvolutionDepthwise']
const param = 'convolution_param { num_output: 2 kernel_size: 1 }'

describe.each(hostEngines)('on %s', engine => {
  test.each(types)('%s, hand-worked: each channel has its weight, group may be left out', async type => {
    const x = [{ shape: [1, 2, 1, 2], values: [1, 2, 3, 4] }]
    const run = await handPass(`type: "${type}" ${param}`, x, {
      engine,
      params: [
        [10, 100],
        [0, 1],
      ],
      dy: [[1, 1, 1, 1]],
    })
    expect(run.y[0]).toEqual([10, 20, 301, 401])
    expect(run.dx[0]).toEqual([10, 10, 100, 100])
    expect(run.dw[0]).toEqual([3, 7])
    expect(run.net.params.y[0].shape).toEqual([2, 1, 1, 1])
  })

  test('checks, several outputs a channel too', { tags: 'long' }, async () => {
    for (const outputs of [3, 6])
      await checkLayer(DepthwiseConvolutionLayer, {
        param: `convolution_param { num_output: ${outputs} kernel_size: 3 pad: 1 weight_filler { type: "gaussian" std: 0.5 } }`,
        bottoms: [[2, 3, 5, 4]],
        engine,
      })
  })
})

test('refuses a group that is not the number of channels, and another number of channels later', async () => {
  const grouped = 'convolution_param { num_output: 4 kernel_size: 1 group: 2 }'
  await expect(handNet(`type: "DepthwiseConvolution" ${grouped}`, [[1, 4, 2, 2]])).rejects.toThrow(
    /group: 2 is not the number of channels, 4/,
  )
  const net = await handNet(`type: "DepthwiseConvolution" ${param}`, [[1, 2, 2, 2]])
  net.blobs.in0.reshape([1, 4, 2, 2])
  expect(() => net.reshape()).toThrow(/with 2 channels/)
})

/** conv, batch norm, scale, ReLU: everything that a convolution takes along. */
const block = (type: string) => `
  layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 4 dim: 5 dim: 5 } } }
  layer { name: "dw" type: "${type}" bottom: "x" top: "y" convolution_param { num_output: 4 group: 4 kernel_size: 3 weight_filler { type: "msra" } } }
  layer { name: "bn" type: "BatchNorm" bottom: "y" top: "y" batch_norm_param { use_global_stats: true } }
  layer { name: "scale" type: "Scale" bottom: "y" top: "y" scale_param { bias_term: true filler { value: 2 } } }
  layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }`

test.each(types)('%s is folded, fused, counted and drawn as a Convolution is', async type => {
  const nets = await Promise.all(
    ['Convolution', type].map(name =>
      Net.create(parseNet(block(name)), { phase: 'TEST', engine: 'wasm', optimize: 'inference', threads: 1, seed: 7 }),
    ),
  )
  expect(nets[1].memory()).toEqual(nets[0].memory())
  const values = []
  for (const net of nets) {
    net.blobs.x.dataArray.forEach((_, i, x) => {
      x[i] = Math.sin(i)
    })
    net.params.bn[2].dataArray[0] = 1
    net.params.bn[1].dataArray.fill(1)
    await net.forward()
    values.push(Array.from(net.blobs.y.dataArray))
  }
  expect(Math.max(...values[0])).toBeGreaterThan(0)
  expect(values[1]).toEqual(values[0])
  expect(summarize(nets[1]).multiplyAdds).toBe(4 * 9 * 9)
  expect(summarize(nets[1]).multiplyAdds).toBe(summarize(nets[0]).multiplyAdds)
  const [node] = graphOf(parseNet(block(type))).nodes.filter(({ lines }) => lines[0] === 'dw')
  expect([node.kind, ...node.lines]).toEqual([
    'convolution',
    'dw',
    `(${type})`,
    'kernel size: 3',
    'stride: 1',
    'pad: 0',
    'group: 4',
  ])
})
