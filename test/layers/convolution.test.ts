import { describe, expect, test } from 'vitest'
import { ConvolutionLayer } from '../../lib/layers/convolution.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { netOf } from './run.js'

const layer = (param: string, io = 'bottom: "in0" top: "c"') =>
  `layer { name: "c" type: "Convolution" ${io} convolution_param { ${param} } }`

describe.each(hostEngines)('Convolution on %s', engine => {
  test('hand-worked: x[i, j] + x[i + 1, j + 1] + 10', async () => {
    const net = await netOf([[1, 1, 3, 3]], layer('num_output: 1 kernel_size: 2'), { engine })
    const [w, b] = net.params.c
    expect([w.shape, b.shape]).toEqual([[1, 1, 2, 2], [1]])
    w.dataArray.set([1, 0, 0, 1])
    b.dataArray.set([10])
    await net.forward({ in0: [1, 2, 3, 4, 5, 6, 7, 8, 9] })
    expect(net.blobs.c.shape).toEqual([1, 1, 2, 2])
    expect([...net.blobs.c.dataArray]).toEqual([16, 18, 22, 24])
    net.blobs.c.diffArray.fill(1)
    await net.backward()
    expect([...w.diffArray]).toEqual([12, 16, 24, 28])
    expect([...b.diffArray]).toEqual([4])
    expect([...net.blobs.in0.diffArray]).toEqual([1, 1, 0, 1, 2, 1, 0, 1, 1])
  })

  test('groups see their own channels only', async () => {
    const net = await netOf([[1, 2, 1, 2]], layer('num_output: 2 kernel_size: 1 group: 2 bias_term: false'), { engine })
    expect(net.params.c).toHaveLength(1)
    net.params.c[0].dataArray.set([2, 3])
    await net.forward({ in0: [1, 10, 100, 1000] })
    expect([...net.blobs.c.dataArray]).toEqual([2, 20, 300, 3000])
  })

  test.each([
    ['kernel_size: 3', [5, 7], [3, 5]],
    ['kernel_size: 3 stride: 2 pad: 1', [6, 7], [3, 4]],
    ['kernel_h: 1 kernel_w: 3 stride_h: 2 pad_w: 2 stride_w: 1', [5, 5], [3, 7]],
    ['kernel_size: 3 dilation: 2', [5, 6], [1, 2]],
    ['kernel_size: 2 kernel_size: 3 stride: 1 stride: 2 pad: 0 pad: 1 dilation: 2 dilation: 1', [5, 5], [3, 3]],
  ])('output size: %s', async (param, size, expected) => {
    const net = await netOf([[2, 3, ...size]], layer(`num_output: 4 ${param}`), { engine })
    expect(net.blobs.c.shape).toEqual([2, 4, ...expected])
  })

  test('no spatial axes: an inner product of the channels', async () => {
    const net = await netOf([[2, 2]], layer('num_output: 1'), { engine })
    net.params.c[0].dataArray.set([1, 10])
    await net.forward({ in0: [1, 2, 3, 4] })
    expect([...net.blobs.c.dataArray]).toEqual([21, 43])
  })

  test.each([
    ['num_output: 3 kernel_size: 3', [[2, 2, 5, 4]]],
    ['num_output: 2 kernel_size: 3 stride: 2 pad: 1 bias_term: false', [[1, 3, 5, 6]]],
    ['num_output: 4 kernel_size: 2 group: 2 dilation: 2', [[2, 2, 4, 5]]],
    ['num_output: 3 kernel_size: 3 group: 3 pad: 1', [[1, 3, 3, 5]]],
    ['num_output: 2 kernel_size: 1', [[2, 3, 3, 3]]],
    ['num_output: 2 kernel_size: 2 pad: 3 stride: 3', [[1, 1, 2, 2]]],
    ['num_output: 2 kernel_size: 3', [[2, 2, 7]]],
    ['num_output: 2 kernel_size: 2 stride: 1 stride: 2 stride: 1 pad: 1', [[1, 2, 2, 3, 2]]],
    ['num_output: 2 kernel_size: 2 axis: 2', [[1, 2, 2, 3, 3]]],
    ['num_output: 2 kernel_size: 2', shapesOf('1×2×3×3 1×2×3×3')],
  ])('checks: %s', { tags: 'long' }, async (param, bottoms) => {
    await checkLayer(ConvolutionLayer, { param: `convolution_param { ${param} }`, bottoms, engine })
  })

  test('a picture of another size', async () => {
    const options = { param: 'convolution_param { num_output: 2 kernel_size: 3 stride: 2 }', engine }
    await checkLayer(ConvolutionLayer, { ...options, bottoms: [[2, 2, 5, 5]], reshapeTo: [[1, 2, 9, 4]] })
  })
})

test('what is refused', async () => {
  const refuses = (param: string, message: RegExp, shape = [1, 3, 5, 5]) =>
    expect(netOf([shape], layer(param))).rejects.toThrow(message)
  await refuses(
    'num_output: 4 kernel_size: 3 group: 2',
    /layer 'c' \(Convolution\): 3 channels of 'in0' .* do not divide into group: 2/,
  )
  await refuses('num_output: 4 kernel_size: 3 group: 3', /num_output: 4 does not divide into group: 3/)
  await refuses('num_output: 2', /needs a kernel_size/)
  await refuses('kernel_size: 3', /num_output/)
  await refuses('num_output: 2 kernel_size: 0', /kernel_size \[0, 0\] must be at least 1/)
  await refuses('num_output: 2 kernel_size: 3 stride: 0', /stride \[0, 0\] must be at least 1/)
  await refuses(
    'num_output: 2 kernel_size: 3 kernel_h: 3 kernel_w: 3',
    /kernel_size and kernel_h, kernel_w say the same/,
  )
  await refuses('num_output: 2 kernel_h: 3', /must be at least 1/)
  await refuses('num_output: 2 kernel_size: 3 stride_h: 2', /stride \[2, 0\] must be at least 1/)
  await refuses(
    'num_output: 2 kernel_size: 3 kernel_size: 3 kernel_size: 3',
    /kernel_size is given 3 times for 2 spatial axes/,
  )
  await refuses('num_output: 2 kernel_h: 3 kernel_w: 3', /are for two spatial axes/, [1, 3, 5])
  await refuses('num_output: 2 kernel_size: 6', /the kernel covers 6 values along axis 2, but 'in0' \(1×3×5×5\) has 5/)
  await refuses('num_output: 2 kernel_size: 3 axis: 4', /axis: 4 is out of range/)
  await expect(
    netOf(
      shapesOf('1×3×5×5 1×3×5×6'),
      layer('num_output: 2 kernel_size: 3', 'bottom: "in0" bottom: "in1" top: "c" top: "d"'),
    ),
  ).rejects.toThrow(/must have the same shape/)
  await expect(
    netOf([[1, 3, 5, 5]], layer('num_output: 2 kernel_size: 3', 'bottom: "in0" top: "c" top: "d"')),
  ).rejects.toThrow(/1 bottoms and 2 tops/)
})

test('a bottom with other channels does not fit the weights any more', async () => {
  const net = await netOf([[1, 3, 5, 5]], layer('num_output: 2 kernel_size: 3'))
  net.blobs.in0.reshape([1, 4, 5, 5])
  expect(() => net.reshape()).toThrow(
    /layer 'c' \(Convolution\): 'in0' is 1×4×5×5 now, but the weights were made for 4 axes with 3 channels/,
  )
})
