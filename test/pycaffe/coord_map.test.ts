import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { coordMap, coordMapFromTo, crop } from '../../lib/pycaffe/coord_map.js'
import { L, NetSpec } from '../../lib/pycaffe/net_spec.js'

interface Sizes {
  ks?: number | number[]
  stride?: number | number[]
  pad?: number | number[]
  pool?: number
  dstride?: number
  dpad?: number
}

/** Convolution, pooling and a deconvolution that undoes the pooling. */
function spec({ ks = 3, stride = 1, pad = 0, pool = 2, dstride = 2, dpad = 0 }: Sizes = {}) {
  const n = new NetSpec()
  n.data = L.Input({ shape: { dim: [2, 1, 100, 100] } })
  n.aux = L.Input({ shape: { dim: [2, 1, 20, 20] } })
  n.conv = L.Convolution(n.data, { num_output: 10, kernel_size: ks, stride, pad })
  n.pool = L.Pooling(n.conv, { pool: 'MAX', kernel_size: pool, stride: pool, pad: 0 })
  n.deconv = L.Deconvolution(n.pool, { num_output: 10, kernel_size: 2 * dstride, stride: dstride, pad: dpad })
  return n
}

describe('coordMapFromTo', () => {
  test('through convolution, pooling and deconvolution', () => {
    let n = spec()
    expect(coordMapFromTo(n.deconv, n.data)).toEqual([1, [1], [0]])
    n = spec({ pool: 4, dstride: 4 })
    expect(coordMapFromTo(n.deconv, n.data)).toEqual([1, [1], [-1]])
    n = spec({ stride: 2 })
    expect(coordMapFromTo(n.pool, n.data)).toEqual([1, [4], [2]])
    expect(coordMapFromTo(n.data, n.pool)).toEqual([1, [0.25], [-0.5]])
  })
  test('layers that move nothing', () => {
    const n = spec()
    n.relu = L.ReLU(n.deconv)
    n.conv1x1 = L.Convolution(n.relu, { num_output: 10, kernel_size: 1 })
    for (const top of [n.relu, n.conv1x1]) expect(coordMapFromTo(top, n.data)).toEqual(coordMapFromTo(n.deconv, n.data))
    expect(coordMapFromTo(n.relu, n.deconv)).toEqual([null, [1], [0]])
  })
  test('padding', () => {
    for (const pad of [1, 7]) {
      const shift = ({ deconv, data }: ReturnType<typeof spec>) => coordMapFromTo(deconv, data)[2]
      expect(shift(spec({ pad }))).toEqual([0 - pad])
      expect(shift(spec({ dpad: pad }))).toEqual([pad])
      expect(shift(spec({ pad, dpad: pad }))).toEqual([0])
    }
  })
  test('several bottoms and tops are mapped alike', () => {
    const n = spec()
    ;[n.a, n.b] = L.Convolution(n.data, n.aux, { ntop: 2, num_output: 10, kernel_size: 5, stride: 2 })
    expect(coordMapFromTo(n.a, n.data)).toEqual(coordMapFromTo(n.b, n.aux))
  })
  test('rectangles are their two sides, also as _h and _w', () => {
    const both = ({ deconv, data }: ReturnType<typeof spec>) => coordMapFromTo(deconv, data)
    const [, a3, b3] = both(spec())
    const [, a5, b5] = both(spec({ ks: 5, stride: 2, pad: 10 }))
    expect(both(spec({ ks: [3, 5], stride: [1, 2], pad: [0, 10] }))).toEqual([1, [...a3, ...a5], [...b3, ...b5]])
    const n = spec()
    const conv = L.Convolution(n.data, {
      num_output: 1,
      kernel_h: 3,
      kernel_w: 5,
      stride_h: 1,
      stride_w: 2,
      pad_h: 0,
      pad_w: 10,
    })
    expect(coordMap(conv)).toEqual(coordMap(spec({ ks: [3, 5], stride: [1, 2], pad: [0, 10] }).conv))
  })
  test('three spatial axes, dilation', () => {
    const n = new NetSpec()
    n.data = L.Input({ shape: { dim: [2, 3, 100, 100, 100] } })
    n.conv = L.Convolution(n.data, { num_output: 10, kernel_size: 3, pad: [0, 1, 2] })
    expect(coordMapFromTo(n.conv, n.data)).toEqual([1, [1, 1, 1], [1, 0, -1]])
    expect(coordMap(L.Convolution(n.data, { num_output: 1, kernel_size: 3, dilation: 4 }))).toEqual([1, [1], [-4]])
    expect(() => coordMap(L.Convolution(n.data, { num_output: 1, kernel_size: [3, 3], pad: [0, 1, 2] }))).toThrow(
      /different spatial axes/,
    )
  })
  test('Crop moves by its offset and does not lead to its second bottom', () => {
    const n = spec()
    n.crop = L.Crop(n.deconv, n.aux, { axis: 2, offset: 7 })
    expect(coordMapFromTo(n.crop, n.data)).toEqual([1, [1], [7]])
    expect(() => coordMapFromTo(n.crop, n.aux)).toThrow(/share no blob/)
  })
  test('what is not connected, or not by the same axis', () => {
    const n = spec()
    n.ip = L.InnerProduct(n.deconv, { num_output: 10 })
    expect(() => coordMapFromTo(n.ip, n.data)).toThrow(/no map from the InnerProduct to the Input layer/)
    expect(() => coordMap(n.ip)).toThrow(/InnerProduct layer has no map/)
    const deep = L.Convolution(n.conv, { num_output: 1, kernel_size: 3, axis: 2 })
    expect(() => coordMapFromTo(deep, n.data)).toThrow(/axis 2 and axis 1/)
    expect(() => coordMap(L.Pooling(n.data, { global_pooling: true }))).toThrow(/no map/)
  })
})

describe('crop', () => {
  test('makes the layer that aligns the two', async () => {
    const n = new NetSpec()
    n.data = L.Input({ shape: { dim: [1, 1, 21, 24] } })
    n.conv = L.Convolution(n.data, { num_output: 2, kernel_size: 3, pad: 5 })
    n.pool = L.Pooling(n.conv, { kernel_size: 3, stride: 3 })
    n.up = L.Deconvolution(n.pool, { num_output: 1, kernel_size: 5, stride: 3 })
    n.score = crop(n.up, n.data)
    expect(n.toProto().layer?.at(-1)).toEqual({
      name: 'score',
      type: 'Crop',
      bottom: ['up', 'data'],
      top: ['score'],
      crop_param: { axis: 2, offset: [5] },
    })
    using net = await Net.create(n.toProto(), { engine: 'js' })
    expect(net.blobs['score'].shape).toEqual([1, 1, 21, 24])
  })
  test('large strides cancel in spite of rounding', () => {
    const data = L.Input({ shape: { dim: [1, 1, 490, 490] } })
    const pool = L.Pooling(L.Convolution(data, { num_output: 1, kernel_size: 3, pad: 2 }), {
      kernel_size: 49,
      stride: 49,
    })
    const up = L.Deconvolution(pool, { num_output: 1, kernel_size: 49, stride: 49 })
    expect(49 * (1 / 49)).not.toBe(1)
    expect(crop(up, data).layer.params['crop_param']).toEqual({ axis: 2, offset: [1] })
  })
  test('refuses other scales, negative and broken offsets', () => {
    let n = spec({ pool: 3, dstride: 2 })
    expect(() => crop(n.deconv, n.data)).toThrow(/scales differ/)
    n = spec({ dpad: 10 })
    expect(() => crop(n.deconv, n.data)).toThrow(/negative \(-10\)/)
    n = spec({ ks: 4, pad: 3 })
    expect(() => crop(n.deconv, n.data)).toThrow(/no whole number/)
  })
})
