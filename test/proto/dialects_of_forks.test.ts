/** Models as each fork writes them: encoded by protobufjs, with the fork's numbers of its messages. */
import { readdirSync, readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { unknownFields } from '../../lib/proto/fields.js'
import { parseText } from '../../lib/proto/text.js'
import { readNetParameter, writeMessage } from '../../lib/proto/wire.js'
import { goldenPath } from '../golden.js'
import { plain, reflection } from './helpers.js'

/** By fork and layer type: the message, its number there, and what is in it. */
const forks: Record<string, Record<string, [message: string, number: number, fields: object]>> = {
  'weiliu89/caffe': {
    Permute: ['permute_param', 202, { order: [0, 2, 3, 1] }],
    PriorBox: ['prior_box_param', 203, { min_size: [30], aspect_ratio: [2, 3], variance: [0.5, 0.25], step: 8 }],
    DetectionOutput: [
      'detection_output_param',
      204,
      { num_classes: 21, nms_param: { nms_threshold: 0.5, top_k: 400 } },
    ],
    DetectionEvaluate: ['detection_evaluate_param', 205, { num_classes: 21, evaluate_difficult_gt: false }],
    MultiBoxLoss: ['multibox_loss_param', 201, { num_classes: 21, conf_loss_type: 1, neg_pos_ratio: 3 }],
    Normalize: ['norm_param', 206, { across_spatial: false, scale_filler: { type: 'constant', value: 20 } }],
    AnnotatedData: ['annotated_data_param', 200, { label_map_file: 'map.prototxt' }],
  },
  'rbgirshick/caffe-fast-rcnn': {
    ROIPooling: ['roi_pooling_param', 8266711, { pooled_h: 7, pooled_w: 7, spatial_scale: 0.0625 }],
    SmoothL1Loss: ['smooth_l1_loss_param', 8266712, { sigma: 3 }],
  },
  'intel/caffe': {
    ROIPooling: ['roi_pooling_param', 154, { pooled_h: 7, pooled_w: 7 }],
    SmoothL1Loss: ['smooth_l1_loss_param', 148, { sigma: 3 }],
    PSROIPooling: ['psroi_pooling_param', 153, { spatial_scale: 0.0625, output_dim: 21, group_size: 7 }],
    BoxAnnotatorOHEM: ['box_annotator_ohem_param', 152, { roi_per_img: 128 }],
    Reorg: ['reorg_param', 159, { stride: 2 }],
  },
  'eric612/MobileNet-YOLO': {
    Upsample: ['upsample_param', 150, { scale: 2 }],
    Reorg: ['reorg_param', 149, { stride: 2 }],
    ReLU6: ['relu6_param', 211, { negative_slope: 0.5 }],
    Yolov3: ['yolov3_param', 603, { num_class: 20, biases: [10, 13], mask: [0], iou_loss: 4 }],
  },
  'happynear/caffe-windows': {
    ROIPooling: ['roi_pooling_param', 204, { pooled_h: 7, pooled_w: 7 }],
    Permute: ['permute_param', 224, { order: [0, 2, 1] }],
    PSROIPooling: ['psroi_pooling_param', 220, { spatial_scale: 0.5, output_dim: 2, group_size: 3 }],
    Proposal: ['proposal_param', 219, { feat_stride: 16, ratio: [0.5, 1], scale: [8] }],
    BN: ['bn_param', 200, { slope_filler: { type: 'constant' }, frozen: true }],
    Normalize: ['normalize_param', 214, { normalize_type: 'L1' }],
  },
  'hszhao/PSPNet': {
    BN: ['bn_param', 152, { slope_filler: { type: 'constant' }, momentum: 0.5, frozen: false }],
    Interp: ['interp_param', 143, { height: 90, width: 90 }],
  },
  'alexgkendall/caffe-segnet': {
    BN: ['bn_param', 45, { bn_mode: 1 }],
    Upsample: ['upsample_param', 137, { scale: 2, pad_out_h: true }],
    DenseImageData: ['dense_image_data_param', 138, { source: 'list.txt', batch_size: 4 }],
  },
  'synopsys-caffe': {
    Interp: ['interp_param', 163, { zoom_factor: 2 }],
    Upsample: ['upsample_param', 177, { scale: 2 }],
    Reorg: ['reorg_param', 197, { stride: 2 }],
    ShuffleChannel: ['shuffle_channel_param', 166, { group: 3 }],
    ROIAlign: ['roi_align_param', 247, { pooled_h: 7, pooled_w: 7 }],
    SeLU: ['selu_param', 232, { lambda: 1 }],
  },
  LRCN: {
    LSTM: ['recurrent_param', 134, { num_output: 8 }],
  },
  'BVLC/caffe': {
    Log: ['log_param', 134, { base: 2 }],
    Embed: ['embed_param', 137, { num_output: 2 }],
    Tile: ['tile_param', 138, { tiles: 2 }],
    Input: ['input_param', 143, { shape: [{ dim: [1, 3] }] }],
    Parameter: ['parameter_param', 145, { shape: { dim: [2] } }],
    LSTM: ['recurrent_param', 146, { num_output: 8 }],
    Swish: ['swish_param', 147, { beta: 2 }],
    Clip: ['clip_param', 148, { min: 0, max: 6 }],
  },
}

/** Numbers of SegNet's fields where PSPNet's are ours. */
const segnet: Record<string, number> = { scale_filler: 1, shift_filler: 2, bn_mode: 3 }

/** LayerParameter with one message under the fork's number. */
async function forkLayer(message: string, number: number, fields: object): Promise<protobuf.Type> {
  const root = protobuf.Root.fromJSON((await reflection()).toJSON())
  const layer = root.lookupType('caffe.LayerParameter')
  const field = layer.fields[message]
  for (const other of layer.fieldsArray) if (other === field || other.id === number) layer.remove(other)
  const inner = root.lookupType(`caffe.${field.type}`)
  for (const name of Object.keys(fields))
    if (inner.name === 'BNParameter' && segnet[name]) {
      const own = inner.fields[name]
      for (const other of inner.fieldsArray) if (other === own || other.id === segnet[name]) inner.remove(other)
      inner.add(new protobuf.Field(name, segnet[name], own.type, own.rule))
    }
  layer.add(new protobuf.Field(message, number, field.type, field.rule))
  root.resolveAll()
  return root.lookupType('caffe.NetParameter')
}

describe.each(Object.entries(forks))('%s', (_, types) => {
  test.each(Object.entries(types))('%s', { tags: 'long' }, async (type, [message, number, fields]) => {
    const Model = await forkLayer(message, number, fields)
    const written = { layer: [{ name: 'l', type, bottom: ['a'], top: ['b'], [message]: fields, blobs: [] }] }
    const bytes = Model.encode(Model.fromObject(written)).finish()
    const net = readNetParameter(bytes)
    const [layer] = net.layer!
    const expected = plain(Model, Model.decode(bytes)) as { layer: Record<string, unknown>[] }
    expect({ ...(layer as Record<string, unknown>)[message]! }).toMatchObject(expected.layer[0][message]!)
    expect((layer as Record<symbol, unknown>)[unknownFields]).toBeUndefined()
    expect(Buffer.compare(writeMessage('NetParameter', net), bytes)).toBe(0)
  })
})

describe('models that were recorded', () => {
  const folder = '../golden-forks/nets'
  const names = readdirSync(goldenPath(folder)).filter(name => !name.endsWith('_train'))

  test.each(names)('%s: read and written byte for byte', name => {
    const bytes = readFileSync(goldenPath(`${folder}/${name}/${name}.caffemodel`))
    expect(Buffer.compare(writeMessage('NetParameter', readNetParameter(bytes)), bytes)).toBe(0)
  })
})

test('a number that collides stays bytes, and the params of the prototxt count', async () => {
  const description = parseText(
    'NetParameter',
    `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 4] } } }
     layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }
     layer { name: "out" type: "Clip" bottom: "ip" top: "out" clip_param { min: 0 max: 5 } }`,
  )
  const from = await Net.create(description, { engine: 'js', seed: 1 })
  from.params['ip'][0].dataArray.fill(1)
  const bytes = await from.toBytes()
  // Intel's smooth_l1_loss_param, sigma 3, in the place of Clip's
  const model = readNetParameter(bytes)
  const clip = model.layer!.find(layer => layer.name === 'out')!
  delete clip.clip_param
  const sigma = Uint8Array.of(0xa2, 0x09, 5, 13, ...new Uint8Array(Float32Array.of(3).buffer))
  ;(clip as Record<symbol, unknown>)[unknownFields] = [sigma]
  const collided = writeMessage('NetParameter', model)
  const net = await Net.create(description, { engine: 'js', weights: collided })
  const { out } = await net.forward({ data: Float32Array.of(1, 2, 3, 4) })
  expect([...(out.data as Float32Array)]).toEqual([5, 5])
  expect(Buffer.compare(writeMessage('NetParameter', readNetParameter(collided)), collided)).toBe(0)
})

test('values in half precision are loaded, and saved as Caffe has them', async () => {
  const description = parseText(
    'NetParameter',
    `layer { name: "data" type: "Input" top: "data" input_param { shape { dim: [1, 2] } } }
     layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 bias_term: false } }`,
  )
  const halves = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4200).buffer)
  const blobs = [{ shape: { dim: [2, 2] }, raw_data_type: 'FLOAT16', raw_data: halves }] as const
  const model = {
    layer: [{ name: 'ip', type: 'InnerProduct', blobs: blobs.map(blob => ({ ...blob, shape: { dim: [2, 2] } })) }],
  }
  const bytes = writeMessage('NetParameter', model)
  expect(Buffer.compare(writeMessage('NetParameter', readNetParameter(bytes)), bytes)).toBe(0)
  const net = await Net.create(description, { engine: 'js', weights: bytes })
  expect([...net.params['ip'][0].dataArray]).toEqual([1, -2, 0.5, 3])
  const saved = readNetParameter(await net.toBytes()).layer!.find(layer => layer.name === 'ip')!.blobs![0]
  expect(saved).toEqual({ shape: { dim: [2, 2] }, data: Float32Array.of(1, -2, 0.5, 3) })
})
