import { describe, expect, test } from 'vitest'
import { NetError } from '../../lib/errors.js'
import { needsUpgrade } from '../../lib/proto/age.js'
import type { NetParameter } from '../../lib/proto/message.js'
import { parseNet, parseSolver } from '../../lib/proto/text.js'
import { upgradeNet } from '../../lib/proto/upgrade.js'
import { upgradeSolver } from '../../lib/proto/upgrade_solver.js'
import { readNetParameter, writeMessage } from '../../lib/proto/wire.js'
import { goldenBytes, goldenFiles, goldenText } from './helpers.js'

const upgraded = (text: string): NetParameter => upgradeNet(parseNet(text))

describe("what Caffe's upgrade tools make of old files", () => {
  const inputs = goldenFiles('.in.prototxt')
  test('there are some', () => expect(inputs.length).toBeGreaterThan(6))

  test.each(inputs)('%s', file => {
    const [text, expected] = [goldenText(file), goldenText(file.replace('.in.', '.out.'))]
    if (file.includes('solver')) {
      expect(upgradeSolver(parseSolver(text))).toEqual(parseSolver(expected))
      return
    }
    const net = parseNet(text)
    const before = structuredClone(net)
    const after = upgradeNet(net)
    expect(after).toEqual(parseNet(expected))
    expect(net).toEqual(before)
    expect(needsUpgrade(after)).toBe(false)
    expect(upgradeNet(after)).toBe(after)
    // the same by way of a binary file
    expect(upgradeNet(readNetParameter(writeMessage('NetParameter', net)))).toEqual(after)
  })

  test('the model with old layers keeps its weights', () => {
    const model = readNetParameter(goldenBytes('nets/legacy_v1.caffemodel'))
    expect(needsUpgrade(model)).toBe(true)
    const net = upgradeNet(model)
    const old = model.layers?.find(layer => layer.name === 'conv1')
    const conv = net.layer?.find(layer => layer.name === 'conv1')
    expect(conv).toMatchObject({ type: 'Convolution', convolution_param: { num_output: 5 } })
    expect(conv?.blobs).toBe(old?.blobs)
    expect(net.layers).toBeUndefined()
  })

  test('files of today are left alone', () => {
    const model = readNetParameter(goldenBytes('nets/lenet/lenet.caffemodel'))
    expect(needsUpgrade(model)).toBe(false)
    expect(upgradeNet(model)).toBe(model)
    const solver = parseSolver(goldenText('solvers/solver_adam.prototxt'))
    expect(upgradeSolver(solver)).toBe(solver)
  })
})

describe('V0', () => {
  const v0 = (...layers: string[]): string => `input: "data" ${layers.map(layer => `layers { ${layer} }`).join('\n')}`
  const PAD = 'layer { name: "p" type: "padding" pad: 3 } bottom: "data" top: "p"'

  test('padding goes into the pooling or convolution layers that read it', () => {
    const pool = 'layer { name: "q" type: "pool" kernelsize: 2 } bottom: "p" top: "q"'
    const conv = 'layer { name: "c" type: "conv" pad: 1 } bottom: "p" top: "c"'
    expect(upgraded(v0(PAD, pool, conv)).layer).toEqual([
      { name: 'q', type: 'Pooling', bottom: ['data'], top: ['q'], pooling_param: { kernel_size: 2, pad: 3 } },
      { name: 'c', type: 'Convolution', bottom: ['data'], top: ['c'], convolution_param: { pad: [3] } },
    ])
  })

  test.each([
    [v0(PAD, 'layer { name: "r" type: "relu" } bottom: "p" top: "r"'), "layer 'r' (relu) reads from a padding layer"],
    [v0(PAD, 'layer { name: "c" type: "conv" } bottom: "p" bottom: "p" top: "c"'), 'one bottom and one top'],
    [v0('layer { name: "c" type: "conv" } bottom: "nope" top: "c"'), "layer 'c' reads the unknown blob 'nope'"],
    [v0('layer { name: "c" type: "convolution" } bottom: "data"'), "layer 'c' has the unknown V0 type 'convolution'"],
    [v0('layer { name: "c" type: "constructor" } bottom: "data"'), "layer 'c' has the unknown V0 type 'constructor'"],
  ])('%s', (text, message) => {
    expect(() => upgraded(text)).toThrow(NetError)
    expect(() => upgraded(text)).toThrow(message)
  })

  test('every field that names a place finds it, others are reported', () => {
    const warnings: string[] = []
    const net =
      parseNet(`debug_info: true layers { layer { name: "w" type: "window_data" source: "s" batchsize: 2 det_fg_threshold: 0.6 det_bg_threshold: 0.4
      det_fg_fraction: 0.3 det_context_pad: 16 det_crop_mode: "square" meanfile: "m" cropsize: 8 mirror: true scale: 2 pool: AVE num_output: 3 } top: "d" }
      layers { layer { name: "h" type: "hdf5_output" hdf5_output_param { file_name: "f" } } bottom: "d" }
      layers { layer { name: "i" type: "infogain_loss" source: "H" } bottom: "d" bottom: "d" }`)
    expect(upgradeNet(net, warning => warnings.push(warning))).toEqual({
      layer: [
        {
          name: 'w',
          type: 'WindowData',
          top: ['d'],
          window_data_param: {
            source: 's',
            batch_size: 2,
            fg_threshold: 0.6,
            bg_threshold: 0.4,
            fg_fraction: 0.3,
            context_pad: 16,
            crop_mode: 'square',
          },
          transform_param: { scale: 2, mean_file: 'm', crop_size: 8, mirror: true },
        },
        { name: 'h', type: 'HDF5Output', bottom: ['d'], hdf5_output_param: { file_name: 'f' } },
        { name: 'i', type: 'InfogainLoss', bottom: ['d', 'd'], infogain_loss_param: { source: 'H' } },
      ],
    })
    expect(warnings).toEqual([
      'debug_info has no effect in a net with V0 layers',
      "layer 'w' (window_data): num_output is not for this type and was dropped",
      "layer 'w' (window_data): pool is not for this type and was dropped",
    ])
  })

  test('weights move along', () => {
    const net = upgraded(
      'layers { layer { name: "f" type: "innerproduct" blobs { width: 2 data: [1, 2] } blobs_lr: 1 weight_decay: 0 } }',
    )
    expect(net.layer).toEqual([
      {
        name: 'f',
        type: 'InnerProduct',
        blobs: [{ width: 2, data: Float32Array.of(1, 2) }],
        param: [{ lr_mult: 1, decay_mult: 0 }],
      },
    ])
  })
})

describe('V1', () => {
  test('data layers hand over their transformation, each of them once one does', () => {
    const net =
      upgraded(`layers { name: "a" type: DATA data_param { source: "s" scale: 0.5 mirror: false } transform_param { scale: 1 crop_size: 7 } }
      layers { name: "b" type: WINDOW_DATA window_data_param { mean_file: "m" crop_size: 3 } } layers { name: "c" type: IMAGE_DATA }`)
    expect(net.layer).toEqual([
      {
        name: 'a',
        type: 'Data',
        data_param: { source: 's' },
        transform_param: { scale: 0.5, mirror: false, crop_size: 7 },
      },
      { name: 'b', type: 'WindowData', window_data_param: {}, transform_param: { mean_file: 'm', crop_size: 3 } },
      { name: 'c', type: 'ImageData', image_data_param: {}, transform_param: {} },
    ])
    expect(upgraded('layers { type: DATA data_param { source: "s" } }').layer).toEqual([
      { type: 'Data', data_param: { source: 's' } },
    ])
  })

  test('lists of different lengths make one param for the longest', () => {
    expect(
      upgraded('layers { param: "w" blobs_lr: [1, 2] weight_decay: [0, 1, 3] blob_share_mode: PERMISSIVE }').layer?.[0]
        .param,
    ).toEqual([
      { name: 'w', share_mode: 'PERMISSIVE', lr_mult: 1, decay_mult: 0 },
      { lr_mult: 2, decay_mult: 1 },
      { decay_mult: 3 },
    ])
  })

  test('layers of both forms in one net are refused', () => {
    expect(() => upgraded('layers { type: RELU } layer { type: "ReLU" }')).toThrow(
      /1 layers in the old form .* and 1 in the new one/,
    )
  })

  test('fields that V1 does not have are reported, not passed on to fields with the same number', () => {
    const warnings: string[] = []
    const model = readNetParameter(Uint8Array.of(0x12, 6, 0x22, 1, 0x61, 0xe0, 0x08, 1)) // layers { name: "a", 140: 1 }
    const net = upgradeNet(model, warning => warnings.push(warning))
    expect(net.layer).toEqual([{ name: 'a' }])
    expect(Object.getOwnPropertySymbols(net.layer![0])).toEqual([])
    expect(warnings).toEqual(["layer 'a': fields that Caffe's V1 layers do not have were dropped"])
  })
})

describe('inputs', () => {
  test('sizes by fours or shapes become an Input layer', () => {
    expect(upgraded('input: "a" input: "b" input_dim: [1, 2, 3, 4, 5, 6, 7, 8] layer { name: "r" }').layer).toEqual([
      {
        name: 'input',
        type: 'Input',
        top: ['a', 'b'],
        input_param: { shape: [{ dim: [1, 2, 3, 4] }, { dim: [5, 6, 7, 8] }] },
      },
      { name: 'r' },
    ])
    expect(upgraded('input: "a" input_shape { dim: 9 } input_dim: 1').layer?.[0].input_param).toEqual({
      shape: [{ dim: [9] }],
    })
  })

  test('without sizes they are dropped, as in old model files', () => {
    expect(upgraded('input: "a" layer { name: "r" }')).toEqual({ layer: [{ name: 'r' }] })
  })

  test('sizes that are missing are named', () => {
    expect(() => upgraded('input: "a" input: "b" input_dim: [1, 2, 3, 4]')).toThrow(
      "input 'b' needs 4 input_dim: there are 2 inputs and 4 sizes",
    )
    expect(() => upgraded('input: "a" input: "b" input_shape {}')).toThrow("input 'b' has no input_shape")
  })
})

test('three params of a BatchNorm layer are frozen, other numbers are left alone', () => {
  const bn = (params: string): NetParameter => upgraded(`layer { type: "BatchNorm" ${params} }`)
  expect(bn('param { name: "m" lr_mult: 1 } param {} param { decay_mult: 2 }').layer?.[0].param).toEqual([
    { name: 'm', lr_mult: 0, decay_mult: 0 },
    { lr_mult: 0, decay_mult: 0 },
    { lr_mult: 0, decay_mult: 0 },
  ])
  expect(bn('param { lr_mult: 1 } param {}').layer?.[0].param).toEqual([{ lr_mult: 1 }, {}])
})

describe('solver types', () => {
  test.each([
    ['SGD', 'SGD'],
    ['NESTEROV', 'Nesterov'],
    ['ADAGRAD', 'AdaGrad'],
    ['RMSPROP', 'RMSProp'],
    ['ADADELTA', 'AdaDelta'],
    ['ADAM', 'Adam'],
    ['5', 'Adam'],
  ])('%s', (old, type) =>
    expect(upgradeSolver(parseSolver(`solver_type: ${old} base_lr: 1`))).toEqual({ type, base_lr: 1 }),
  )

  test('both forms at once are refused', () => {
    expect(() => upgradeSolver(parseSolver('solver_type: SGD type: "Adam"'))).toThrow(NetError)
  })
})
