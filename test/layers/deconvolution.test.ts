import { describe, expect, test } from 'vitest'
import { DeconvolutionLayer } from '../../lib/layers/deconvolution.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf, numbers } from './run.js'

const layer = (param: string) =>
  `layer { name: "d" type: "Deconvolution" bottom: "in0" top: "d" convolution_param { ${param} } }`

describe.each(hostEngines)('Deconvolution on %s', engine => {
  test('hand-worked: every value becomes a block', async () => {
    const net = await netOf([[1, 1, 2, 2]], layer('num_output: 1 kernel_size: 2 stride: 2'), { engine })
    const [w, b] = net.params.d
    w.dataArray.set([1, 2, 3, 4])
    b.dataArray.set([1])
    await net.forward({ in0: [1, 2, 3, 4] })
    expect(net.blobs.d.shape).toEqual([1, 1, 4, 4])
    expect([...net.blobs.d.dataArray]).toEqual([2, 3, 3, 5, 4, 5, 7, 9, 4, 7, 5, 9, 10, 13, 13, 17])
    net.blobs.d.diffArray.fill(1)
    await net.backward()
    expect([...w.diffArray]).toEqual([10, 10, 10, 10])
    expect([...b.diffArray]).toEqual([16])
    expect([...net.blobs.in0.diffArray]).toEqual([10, 10, 10, 10])
  })

  test('the upsampling idiom keeps a constant inside the picture', async () => {
    const net = await netOf(
      [[1, 2, 4, 4]],
      layer(
        'num_output: 2 group: 2 kernel_size: 4 stride: 2 pad: 1 bias_term: false weight_filler { type: "bilinear" }',
      ),
      { engine },
    )
    expect(net.params.d[0].shape).toEqual([2, 1, 4, 4])
    await net.forward({ in0: new Float32Array(32).fill(5) })
    expect(net.blobs.d.shape).toEqual([1, 2, 8, 8])
    const rows = numbers(net.blobs.d.dataArray)
    for (let y = 1; y < 7; y++) expect(rows.slice(y * 8 + 1, y * 8 + 7)).toEqual([5, 5, 5, 5, 5, 5])
  })

  test('output_pad, hand-worked: places behind that no window reaches hold the bias', async () => {
    const net = await netOf([[1, 1, 1, 2]], layer('num_output: 1 kernel_size: 2 stride: 2 output_pad: 1'), { engine })
    net.params.d[0].dataArray.set([1, 2, 3, 4])
    net.params.d[1].dataArray.set([5])
    await net.forward({ in0: [1, 10] })
    expect(net.blobs.d.shape).toEqual([1, 1, 3, 5])
    expect(numbers(net.blobs.d.dataArray)).toEqual([6, 7, 15, 25, 5, 8, 9, 35, 45, 5, 5, 5, 5, 5, 5])
  })

  test('weights are (in, out/group, kernel)', async () => {
    const net = await netOf([[1, 4, 2, 2]], layer('num_output: 6 group: 2 kernel_h: 2 kernel_w: 3'), { engine })
    expect(net.params.d.map(blob => blob.shape)).toEqual([[4, 3, 2, 3], [6]])
  })

  test.each([
    ['num_output: 3 kernel_size: 3', [[2, 2, 3, 2]]],
    ['num_output: 2 kernel_size: 4 stride: 2 pad: 1 bias_term: false', [[1, 3, 2, 3]]],
    ['num_output: 4 kernel_size: 2 group: 2 dilation: 2', [[2, 2, 2, 3]]],
    ['num_output: 2 kernel_size: 3', [[2, 2, 3]]],
    ['num_output: 2 kernel_size: 2 stride: 2', [[1, 2, 1, 2, 2]]],
    ['num_output: 2 kernel_size: 3 stride: 3 stride: 2 output_pad: 2 output_pad: 1', [[1, 2, 2, 3]]],
    ['num_output: 2 kernel_size: 2', shapesOf('1×2×2×2 1×2×2×2')],
  ])('checks: %s', async (param, bottoms) => {
    await checkLayer(DeconvolutionLayer, { param: `convolution_param { ${param} }`, bottoms, engine })
  })
})

test('what is refused', async () => {
  await expect(netOf([[1, 1, 1, 1]], layer('num_output: 1 kernel_size: 2 pad: 1'))).rejects.toThrow(
    /layer 'd' \(Deconvolution\): axis 2 of 'in0' \(1×1×1×1\) would become 0/,
  )
  await expect(netOf([[1, 3, 2, 2]], layer('num_output: 4 group: 2 kernel_size: 1'))).rejects.toThrow(
    /do not divide into group: 2/,
  )
  await expect(netOf([[1, 1, 2, 2]], layer('num_output: 1 kernel_size: 3 stride: 2 output_pad: 2'))).rejects.toThrow(
    /output_pad \[2, 2\] must be below the stride \[2, 2\]/,
  )
})
