/** Batches of no items, on hosts and on devices: no backend has tensors without values, and sums over nothing are 0. */
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'

const filler = 'weight_filler { type: "gaussian" }'
const layers: [type: string, fields?: string][] = [
  ['Convolution', `convolution_param { num_output: 4 kernel_size: 2 ${filler} }`],
  ['Convolution', `convolution_param { num_output: 4 group: 2 kernel_size: 3 stride: 2 pad: 1 ${filler} }`],
  ['DepthwiseConvolution', `convolution_param { num_output: 4 kernel_size: 2 ${filler} }`],
  ['Deconvolution', `convolution_param { num_output: 3 kernel_size: 2 stride: 2 ${filler} }`],
  ['InnerProduct', `inner_product_param { num_output: 3 ${filler} }`],
  ['PReLU', 'prelu_param { channel_shared: true }'],
  ['Scale', 'scale_param { bias_term: true }'],
  ['Normalize'],
  ['MVN'],
  ['MVN', 'mvn_param { across_channels: true normalize_variance: false }'],
  ['SPP', 'spp_param { pyramid_height: 2 }'],
  ['SPP', 'spp_param { pyramid_height: 2 pool: AVE }'],
  ['Softmax', 'softmax_param { axis: 0 }'],
  ['Softmax'],
  ['LRN'],
  ['Pooling', 'pooling_param { kernel_size: 2 }'],
  ['Reduction', 'reduction_param { axis: 1 }'],
]

describe.each(['js', 'wasm', 'gpu:cpu'])('a batch of no items on %s', engine => {
  test.each(layers)('%s %s', async (type, fields = '') => {
    const net = await Net.create(
      parseNet(`force_backward: true
        layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 0 dim: 4 dim: 5 dim: 6 } } }
        layer { name: "t" type: "${type}" bottom: "x" top: "y" ${fields} }`),
      { engine, seed: 1 },
    )
    const { y } = await net.forward({ x: [] })
    expect(y.data).toHaveLength(0)
    const { x } = await net.backward({ y: [] })
    expect(x.shape).toEqual([0, 4, 5, 6])
    await net.pull()
    for (const { diffArray } of net.params.t ?? []) expect(diffArray.every(value => value === 0)).toBe(true)
    net.dispose()
  })
})
