/** Binary models of forks, whose numbers collide. */
import { describe, expect, test } from 'vitest'
import { unknownFields } from '../../lib/proto/fields.js'
import { upgradeNet } from '../../lib/proto/upgrade.js'
import { readNetParameter, writeMessage } from '../../lib/proto/wire.js'

type Part = number | string | Uint8Array
const raw = (...parts: Part[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap(part =>
      typeof part === 'number' ? [part] : [...(typeof part === 'string' ? new TextEncoder().encode(part) : part)],
    ),
  )
const varint = (value: number): Uint8Array =>
  value < 128 ? Uint8Array.of(value) : raw((value & 127) | 128, varint(value >>> 7))
/** A field that holds bytes. */
const field = (number: number, ...parts: Part[]): Uint8Array => {
  const bytes = raw(...parts)
  return raw(varint(number * 8 + 2), varint(bytes.length), bytes)
}
const float = (value: number) => new Uint8Array(Float32Array.of(value).buffer)
/** A model of one layer, field 100. */
const model = (type: string, ...fields: Uint8Array[]) => field(100, field(1, 'l'), field(2, type), ...fields)
const layerOf = (bytes: Uint8Array) => readNetParameter(bytes).layer![0]

const size = raw(8, 7, 16, 6)
describe('a number means what the type of its layer says', () => {
  test.each([
    ['Upsample', 137, raw(8, 2), { upsample_param: { scale: 2 } }],
    ['Upsample', 150, raw(8, 2), { upsample_param: { scale: 2 } }],
    ['Embed', 137, raw(8, 2), { embed_param: { num_output: 2 } }],
    ['Interp', 143, size, { interp_param: { height: 7, width: 6 } }],
    ['Input', 143, field(1, field(1, 3)), { input_param: { shape: [{ dim: [3] }] } }],
    ['ROIPooling', 204, size, { roi_pooling_param: { pooled_h: 7, pooled_w: 6 } }],
    ['DetectionOutput', 204, raw(8, 21), { detection_output_param: { num_classes: 21 } }],
    ['SmoothL1Loss', 148, raw(13, float(3)), { smooth_l1_loss_param: { sigma: 3 } }],
    ['BoxAnnotatorOHEM', 152, raw(8, 64), { box_annotator_ohem_param: { roi_per_img: 64 } }],
    ['BN', 152, raw(29, float(0.5)), { bn_param: { momentum: 0.5 } }],
    ['SeLU', 232, raw(13, float(1)), { selu_param: { lambda: 1 } }],
  ])('%s, %i', (type, number, bytes, param) => {
    const file = model(type, field(number, bytes))
    expect(layerOf(file)).toMatchObject({ type, ...param })
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })

  test('the type may stand behind it', () => {
    const file = field(100, field(143, size), field(1, 'l'), field(2, 'Interp'))
    expect(layerOf(file)).toMatchObject({ interp_param: { height: 7 } })
  })

  test.each([
    ['a type that has no such message', model('Convolution', field(143, size))],
    ["another fork's, ill-typed for this one", model('DetectionOutput', field(204, field(1, 'x')))],
    ['one that lacks what is required', model('Clip', field(148, raw(13, float(1))))],
    ['one that is cut short within itself', model('Upsample', field(137, raw(8)))],
    ['no message at all', model('Upsample', raw(varint(137 * 8), 1))],
  ])('%s: the bytes are kept', (_, file) => {
    const layer = layerOf(file)
    expect(Object.keys(layer)).toEqual(['name', 'type'])
    expect((layer as Record<symbol, Uint8Array[]>)[unknownFields]).toHaveLength(1)
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })
})

describe('what two forks write differently is told by its fields', () => {
  const filler = field(1, field(1, 'msra'))
  const blob = field(7, field(5, float(1)))
  test.each([
    [
      'SegNet by bn_mode',
      model('BN', field(45, filler, raw(24, 1))),
      { scale_filler: { type: 'msra' }, bn_mode: 'INFERENCE' },
    ],
    ['SegNet by its two blobs', model('BN', blob, blob, field(45, filler)), { scale_filler: { type: 'msra' } }],
    ['PSPNet', model('BN', blob, blob, blob, blob, field(45, filler)), { slope_filler: { type: 'msra' } }],
  ])('BN of %s', (_, file, bn_param) => {
    expect(layerOf(file).bn_param).toEqual(bn_param)
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })

  test("Proposal of Synopsys, whose 3 and 4 are counts, and PVANet's", () => {
    const synopsys = model('Proposal', field(212, raw(24, 3, 32, 2)))
    expect(layerOf(synopsys).proposal_param).toEqual({ anchor_scale: 3, anchor_ratio: 2 })
    expect(writeMessage('NetParameter', readNetParameter(synopsys))).toEqual(synopsys)
    const pvanet = model('Proposal', field(201, raw(24, 3, 37, float(0.5))))
    expect(layerOf(pvanet).proposal_param).toEqual({ min_size: 3, ratio: [0.5] })
  })

  test('3 is PRE_FIXED where its normalizer stands, else NONE', () => {
    const rfcn = model('SoftmaxWithLoss', field(101, raw(24, 3, 37, float(128))))
    expect(layerOf(rfcn).loss_param).toEqual({ normalization: 'PRE_FIXED', pre_fixed_normalizer: 128 })
    expect(writeMessage('NetParameter', readNetParameter(rfcn))).toEqual(rfcn)
    // with the normalizer left out PRE_FIXED divides by 1, as NONE
    const caffe = model('SoftmaxWithLoss', field(101, raw(24, 3)))
    expect(layerOf(caffe).loss_param).toEqual({ normalization: 'NONE' })
    expect(writeMessage('NetParameter', readNetParameter(caffe))).toEqual(caffe)
  })

  test("4 is R-FCN's NONE, with the normalizer and without", () => {
    for (const rest of [[], [37, float(128)]]) {
      const file = model('SoftmaxWithLoss', field(101, raw(24, 4, ...rest)))
      expect(layerOf(file).loss_param).toMatchObject({ normalization: 'NONE' })
      expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
      // and 3 once something else is written there
      const changed = readNetParameter(file)
      changed.layer![0].loss_param = { normalization: 'NONE' }
      expect(layerOf(writeMessage('NetParameter', changed)).loss_param).toEqual({ normalization: 'NONE' })
    }
  })

  test("weights of several classes are SegNet's", () => {
    const weights = [0.5, 2, 4].flatMap(value => [37, float(value)])
    const file = model('SoftmaxWithLoss', field(101, raw(8, 11, 24, 1, ...weights)))
    const loss_param = { ignore_label: 11, weight_by_label_freqs: true, class_weighting: [0.5, 2, 4] }
    expect(layerOf(file).loss_param).toEqual(loss_param)
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
    const written = writeMessage('NetParameter', { layer: [{ name: 'l', type: 'SoftmaxWithLoss', loss_param }] })
    expect(written).toEqual(file)
    const off = { weight_by_label_freqs: false, class_weighting: [1, 2] }
    const other = { name: 'l', type: 'SoftmaxWithLoss', loss_param: off }
    expect(layerOf(writeMessage('NetParameter', { layer: [other] })).loss_param).toEqual(off)
  })

  test("BN of Synopsys, whose numbers of PSPNet's fields are its own", () => {
    const file = model('BN', field(45, field(7, field(1, 'msra')), raw(77, float(0.5))))
    expect(layerOf(file).bn_param).toMatchObject({ slope_filler: { type: 'msra' }, momentum: 0.5 })
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })

  test.each([
    ['DenseCRF', 146],
    ['MatWrite', 145],
    ['SubRegion', 206],
    ['Hotspot', 208],
    ['PyramidROIAlign', 222],
  ])("%s, whose number is another layer's here: the bytes are kept", (type, number) => {
    const file = model(type, field(number, raw(8, 1)))
    expect(Object.keys(layerOf(file))).toEqual(['name', 'type'])
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })

  test("Caffe's own keep their numbers, in a type of somebody's own, too", () => {
    const recurrent = field(146, raw(8, 5))
    for (const type of ['LSTM', 'MyLSTM'])
      expect(layerOf(model(type, recurrent))).toMatchObject({ recurrent_param: { num_output: 5 } })
  })
})

describe('older layers of caffe-windows', () => {
  const old = (...fields: Uint8Array[]) => field(2, field(4, 'l'), ...fields)
  const upgraded = (bytes: Uint8Array) => upgradeNet(readNetParameter(bytes)).layer![0]

  test.each([
    ['BN', old(raw(40, 42), field(43, raw(29, float(0.5)))), { type: 'BN', bn_param: { momentum: 0.5 } }],
    ['ROIPOOLING', old(raw(40, 46), field(48, size)), { type: 'ROIPooling', roi_pooling_param: { pooled_h: 7 } }],
  ])('%s', (type, file, layer) => {
    expect(readNetParameter(file).layers![0]).toMatchObject({ type })
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
    expect(upgraded(file)).toMatchObject(layer)
    // with today's numbers
    const again = writeMessage('NetParameter', upgradeNet(readNetParameter(file)))
    expect(upgraded(again)).toMatchObject(layer)
    expect(again).not.toEqual(file)
  })

  test.each([
    ['without its message it may be another fork’s', old(raw(40, 42))],
    ['nor is a message taken without its type', old(raw(40, 4), field(43, raw(29, float(0.5))))],
    ['nor for another type', old(raw(40, 46), field(48, size), field(43, raw(29, float(0.5))))],
  ])('%s', (_, file) => {
    const [layer] = readNetParameter(file).layers!
    expect((layer as Record<symbol, Uint8Array[]>)[unknownFields]).toHaveLength(1)
    expect(layer.bn_param).toBeUndefined()
    expect(writeMessage('NetParameter', readNetParameter(file))).toEqual(file)
  })
})
