/** A name that is unknown: the error names the one that was meant and, where the list is short, all of them. */
import { describe, expect, test } from 'vitest'
import { createSolver, Net, parseNet, parseSolver } from '../lib/index.js'
import { oneOf } from '../lib/system/names.js'
import { convertImageset, makeDataset } from '../lib/tools/index.js'
import { cli } from './cli/helpers.js'
import { inputLayer } from './shapes.js'

const text = (type: string, more = '') => `
  ${inputLayer('d', '2×3×4×4')}
  layer { name: "x" type: "${type}" bottom: "d" top: "x" ${more} }`
const create = (prototxt: string, options: object = {}) =>
  Net.create(parseNet(prototxt), { phase: 'TEST', engine: 'js', ...options })
const filled = (type: string) => create(text('Bias', `bias_param { filler { type: "${type}" } }`))
const solver = (fields: string) =>
  createSolver(
    parseSolver(
      `base_lr: 1 max_iter: 1 lr_policy: "fixed" net_param { ${text('ReLU')} }`.replace(
        fields.startsWith('lr_policy') ? 'lr_policy: "fixed"' : /$/,
        fields,
      ),
    ),
    { engine: 'js' },
  )
const picture = (fields: string) => async () => parseNet(text('ReLU', `transform_param { ${fields} }`))
const modes = 'WARP, FIT_SMALL_SIZE, FIT_LARGE_SIZE_AND_PAD'
const policies = 'fixed, step, exp, inv, multistep, poly, multifixed, sigmoid, cosine, plateau, stepearly'

describe('an unknown name', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['layer', () => create(text('InerProduct')), "did you mean 'InnerProduct'?"],
    ['layer, like none', () => create(text('Wobble')), 'layerTypes() lists those that there are'],
    ['filler', () => filled('xaviar'), "did you mean 'xavier'?; it is one of constant, uniform,"],
    ['filler, like none', () => filled('zzz'), 'of that type; it is one of constant, uniform,'],
    ['lr_policy', () => solver('lr_policy: "stpe"'), `did you mean 'step'?; it may be ${policies}`],
    ['lr_policy, like none', () => solver('lr_policy: "zzz"'), `'zzz'; it may be ${policies}`],
    ['solver', () => solver('type: "sgd"'), "did you mean 'SGD'?; it may be SGD, Nesterov, AdaGrad"],
    ['solver, like none', () => solver('type: "zzz"'), "'zzz'; it may be SGD, Nesterov, AdaGrad"],
    ['decay', () => solver('weight_decay: 1 regularization_type: "L3"'), "'L3'; it may be L1 or L2"],
    ['engine', () => create('', { engine: 'wsam' }), "did you mean 'wasm'?; known engines: js, wasm,"],
    ['engine, like none', () => create('', { engine: 'zzz' }), "'zzz'; known engines: js, wasm,"],
    ['phase', () => create('', { phase: 'Test' }), "phase is 'TRAIN' or 'TEST', not 'Test'"],
    [
      'phase in a text',
      async () => parseNet('state { phase: TSET }'),
      "cannot be 'TSET'; did you mean 'TEST'?; it is one of TRAIN, TEST",
    ],
    [
      'enum',
      async () => parseNet(text('Pooling', 'pooling_param { pool: STOCASTIC }')),
      "did you mean 'STOCHASTIC'?; it is one of MAX, AVE, STOCHASTIC",
    ],
    [
      'enum, like none',
      async () => parseNet(text('Pooling', 'pooling_param { pool: zzz }')),
      "'zzz'; it is one of MAX, AVE, STOCHASTIC",
    ],
    [
      'enum of many',
      async () => parseNet('layers { type: CONVOLUTON }'),
      "cannot be 'CONVOLUTON'; did you mean 'CONVOLUTION'?",
    ],
    [
      'enum of an object',
      () => Net.create({ state: { phase: 'TSET' as 'TEST' } }, { engine: 'js' }),
      "must be one of TRAIN, TEST, not 'TSET'; did you mean 'TEST'?",
    ],
    ['field of a transformation', picture('mirorr: true'), "did you mean 'mirror'?"],
    ['field within', picture('expand_param { zzz: 1 probb: 1 }'), "did you mean 'prob'?"],
    [
      'resize mode',
      picture('resize_param { resize_mode: FIT_SMAL_SIZE }'),
      `did you mean 'FIT_SMALL_SIZE'?; it is one of ${modes}`,
    ],
    ['resize mode, like none', picture('resize_param { resize_mode: SQUASH }'), `'SQUASH'; it is one of ${modes}`],
    [
      'resize of a data set',
      () => makeDataset('none', { output: 'none', size: 2, resize: 'sqash' as 'squash' }),
      "did you mean 'squash'?; it is one of squash, crop, fill, half-crop",
    ],
    [
      'picture format',
      () => convertImageset({ list: [], output: 'none', encodeType: 'pgn' as 'png' }),
      "cannot be 'pgn'; it is one of png, jpg, jpeg",
    ],
    [
      'model format',
      async () => (await create(text('ReLU'))).toBytes({ format: 'hdf' as 'hdf5' }),
      "it is 'caffemodel', 'hdf5', 'onnx' or 'zip'",
    ],
  ])('%s', async (_kind, make, says) => {
    await expect((async () => make())()).rejects.toThrow(says)
  })

  test.each([
    ['command', ['trian'], 'Did you mean train?'],
    ['option', ['train', '--solvr', 'x'], 'Did you mean --solver?'],
    ['value of an option', ['draw', 'x', '--rankdir', 'XX'], 'Allowed choices are LR, RL, TB, BT'],
    ['phase', ['draw', 'x', '--phase', 'TSET'], 'Allowed choices are TRAIN, TEST, ALL'],
  ])('on the command line: %s', { tags: 'long' }, async (_kind, words, says) => {
    const { code, err } = await cli(...words)
    expect(code).toBeGreaterThan(0)
    expect(err).toContain(says)
  })
})

test('of a long list the near one is enough', () => {
  const many = Array.from({ length: 13 }, (_, i) => `name${String.fromCharCode(97 + i)}`)
  expect(oneOf('nameaa', many)).toBe("; did you mean 'namea'?")
  expect(oneOf('zzz', many)).toBe(`; it is one of ${many.slice(0, 12).join(', ')} and 1 more`)
  expect(oneOf('zzz', many.slice(0, 12))).toBe(`; it is one of ${many.slice(0, 12).join(', ')}`)
})
