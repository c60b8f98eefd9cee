import { describe, expect, test } from 'vitest'
import { NetError } from '../../lib/errors.js'
import { unknownFields } from '../../lib/proto/fields.js'
import type { ConvolutionParameter } from '../../lib/proto/message.js'
import { checkMessage, withDefaults } from '../../lib/proto/message.js'

describe('withDefaults', () => {
  test('adds defaults and empty lists, and leaves the rest out', () => {
    expect(withDefaults('PoolingParameter', { kernel_size: 3 })).toEqual({
      kernel_size: 3,
      pool: 'MAX',
      count_include_pad: true,
      stride: 1,
      pad: 0,
      pad_h: 0,
      pad_w: 0,
      engine: 'DEFAULT',
      global_pooling: false,
      round_mode: 'CEIL',
    })
    const conv = withDefaults('ConvolutionParameter')
    expect(conv.kernel_size).toEqual([])
    expect(conv.bias_term).toBe(true)
    expect('num_output' in conv || 'weight_filler' in conv).toBe(false)
    expect(withDefaults('BlobProto').data).toEqual(new Float32Array(0))
    expect(withDefaults('BlobProto').double_diff).toEqual(new Float64Array(0))
    expect(withDefaults('MVNParameter').eps).toBe(1e-9)
    expect(withDefaults('ImageDataParameter').root_folder).toBe('')
  })

  test('never touches what it was given, and each list is fresh', () => {
    const given: ConvolutionParameter = Object.freeze({ pad: [1], group: undefined })
    const filled = withDefaults('ConvolutionParameter', given)
    expect(filled.group).toBe(1)
    expect(filled.pad).toBe(given.pad)
    expect(Object.keys(given)).toEqual(['pad', 'group'])
    expect(withDefaults('ConvolutionParameter').stride).not.toBe(filled.stride)
  })
})

describe('checkMessage', () => {
  test('normalises a hand-written net', () => {
    const net = checkMessage('NetParameter', {
      name: 'toy',
      state: null,
      layer: [
        { name: 'data', type: 'Input', top: 'data', input_param: { shape: { dim: [2, 3] } }, include: { phase: 1 } },
        {
          name: 'conv',
          type: 'Convolution',
          bottom: ['data'],
          convolution_param: { num_output: 4, kernel_size: 3, pad: Uint32Array.of(1, 2) },
        },
        {
          name: 'w',
          type: 'Parameter',
          blobs: [
            { shape: { dim: 2 }, data: [0.5, 1] },
            { data: Float64Array.of(2), double_data: 3 },
          ],
        },
      ],
      debug_info: undefined,
    })
    expect(net).toEqual({
      name: 'toy',
      layer: [
        {
          name: 'data',
          type: 'Input',
          top: ['data'],
          input_param: { shape: [{ dim: [2, 3] }] },
          include: [{ phase: 'TEST' }],
        },
        {
          name: 'conv',
          type: 'Convolution',
          bottom: ['data'],
          convolution_param: { num_output: 4, kernel_size: [3], pad: [1, 2] },
        },
        {
          name: 'w',
          type: 'Parameter',
          blobs: [
            { shape: { dim: [2] }, data: Float32Array.of(0.5, 1) },
            { data: Float32Array.of(2), double_data: Float64Array.of(3) },
          ],
        },
      ],
    })
  })

  test('keeps tensors and unknown fields as they are', () => {
    const data = Float32Array.of(1)
    const kept = [Uint8Array.of(1)]
    const blob = checkMessage('BlobProto', { data, [unknownFields]: kept })
    expect(blob.data).toBe(data)
    expect((blob as Record<symbol, unknown>)[unknownFields]).toBe(kept)
  })

  const layer = (param: object): object => ({ layer: [{}, {}, {}, { name: 'c', ...param }] })
  test.each([
    [
      layer({ convolution_param: { kernel_size: 'a' } }),
      "layer[3].convolution_param.kernel_size must be a non-negative integer, not 'a'",
    ],
    [
      layer({ convolution_param: { kernel_size: [1, -1] } }),
      'layer[3].convolution_param.kernel_size[1] must be a non-negative integer, not -1',
    ],
    [
      layer({ convolution_param: { kernelSize: 1 } }),
      "layer[3].convolution_param.kernelSize: ConvolutionParameter has no field 'kernelSize'",
    ],
    [
      layer({ pooling_param: { pool: 'MEAN' } }),
      "layer[3].pooling_param.pool must be one of MAX, AVE, STOCHASTIC, not 'MEAN'",
    ],
    [layer({ pooling_param: { pool: 7 } }), 'layer[3].pooling_param.pool must be one of MAX, AVE, STOCHASTIC, not 7'],
    [layer({ pooling_param: [] }), 'layer[3].pooling_param must be an object (a PoolingParameter), not a list of 0'],
    [
      layer({ pooling_param: { global_pooling: 1 } }),
      'layer[3].pooling_param.global_pooling must be true or false, not 1',
    ],
    [layer({ relu_param: { negative_slope: '0' } }), "layer[3].relu_param.negative_slope must be a number, not '0'"],
    [layer({ concat_param: { axis: 0.5 } }), 'layer[3].concat_param.axis must be an integer (int32), not 0.5'],
    [layer({ clip_param: { min: 0 } }), 'layer[3].clip_param needs max'],
    [layer({ blobs: { data: [1, '2'] } }), "layer[3].blobs.data[1] must be a number, not '2'"],
    [layer({ type: 5 }), 'layer[3].type must be a string, not 5'],
    [layer({ bottom: ['a', {}] }), 'layer[3].bottom[1] must be a string, not an object'],
    [layer({ concat_param: { concat_dim: 2 ** 32 } }), 'must be a non-negative integer, not 4294967296'],
    [JSON.parse('{"__proto__": {"layer": []}}'), "NetParameter has no field '__proto__'"],
    ['a net', "NetParameter must be an object (a NetParameter), not 'a net'"],
    [null, 'NetParameter must be an object (a NetParameter), not null'],
    [undefined, 'not undefined'],
  ])('%j', (net, message) => {
    expect(() => checkMessage('NetParameter', net, 'my net')).toThrow(NetError)
    expect(() => checkMessage('NetParameter', net, 'my net')).toThrow(`my net: `)
    expect(() => checkMessage('NetParameter', net, 'my net')).toThrow(message)
  })
})
