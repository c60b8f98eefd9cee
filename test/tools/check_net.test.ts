/** The report on a net of somebody else's. */
import { describe, expect, test } from 'vitest'
import { checkNet } from '../../lib/tools/index.js'

const train = `name: "n"
layer { name: "d" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { crop_size: 20 emit_constraint { emit_overlap: 1 } } data_param { source: "nowhere" batch_size: 64 } }
layer { name: "e" type: "Input" top: "data" top: "label" include { phase: TEST }
  input_param { shape { dim: 1 dim: 3 dim: 20 dim: 20 } shape { dim: 1 } } }
layer { name: "c" type: "Convolution" bottom: "data" top: "c"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } engine: MKL2017 } }
layer { name: "p" type: "Pooling" bottom: "c" top: "p" pooling_param { pool: MAX kernel_size: 3 stride: 2 ceil_mode: false } }
layer { name: "i" type: "InnerProduct" bottom: "p" top: "i" inner_product_param { num_output: 5 } }
layer { name: "l" type: "SoftmaxWithLoss" bottom: "i" bottom: "label" top: "l"
  loss_param { normalization: PRE_FIXED pre_fixed_normalizer: 8 } }
`

test('both phases, inputs in place of data that is elsewhere, finite passes', async () => {
  const check = await checkNet(train, { file: 'a.prototxt', run: true })
  expect(check).toMatchObject({ file: 'a.prototxt', kind: 'net', name: 'n', parsed: true, errors: [] })
  expect(check.findings).toMatchObject([
    {
      severity: 'note',
      layer: 'd',
      type: 'Data',
      field: 'transform_param.emit_constraint',
      fork: 'SSD (weiliu89/caffe)',
      line: 3,
    },
  ])
  const [inTrain, inTest] = check.phases
  expect(inTrain).toMatchObject({ phase: 'TRAIN', built: true, forward: true, backward: true, errors: [] })
  expect(inTrain.standIns).toEqual([
    { layer: 'd', type: 'Data', top: 'data', shape: [2, 3, 20, 20] },
    { layer: 'd', type: 'Data', top: 'label', shape: [2] },
  ])
  expect(inTrain.summary?.layers.find(({ name }) => name === 'p')?.shapes).toEqual([[2, 4, 8, 8]])
  expect(inTest).toMatchObject({ phase: 'TEST', built: true, forward: true, standIns: [] })
})

test('what is missing, without a pass', async () => {
  const check = await checkNet(`${train}layer { name: "x" type: "DenseCRF" bottom: "p" top: "x" odd: 1 }`)
  expect(check.findings.map(({ severity, kind, type, field }) => [severity, kind, type, field])).toEqual([
    ['error', 'type', 'DenseCRF', 'type'],
    ['note', 'field', 'Data', 'transform_param.emit_constraint'],
    ['note', 'field', 'DenseCRF', 'odd'],
  ])
  expect(check.phases.map(({ built, errors }) => [built, errors.length])).toEqual([
    [false, 1],
    [false, 1],
  ])
})

describe('nets that only a guess can make', () => {
  test.each([
    ['an input that is not described', 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }', [[1, 3, 224, 224]]],
    [
      'digits',
      `layer { name: "m" type: "HDF5Data" top: "data" hdf5_data_param { batch_size: 1 } }
       layer { name: "s" type: "Reshape" bottom: "data" top: "s" reshape_param { shape { dim: 0 dim: 1 dim: 7 dim: 112 } } }`,
      [[1, 1, 28, 28]],
    ],
    [
      'pictures beside each other, by the Reshape that parts them',
      `layer { name: "v" type: "VideoData" top: "data" top: "label" }
       layer { name: "s" type: "Reshape" bottom: "data" top: "s" reshape_param { shape { dim: -1 dim: 10 dim: 8 dim: 9 } } }`,
      [[1, 10, 8, 9], [1]],
    ],
    [
      'three pictures of each video, one label',
      `layer { name: "v" type: "VideoData" top: "data" top: "label" video_data_param { num_segments: 3 } }
       layer { name: "s" type: "Reshape" bottom: "data" top: "s" reshape_param { shape { dim: -1 dim: 3 dim: 150528 } } }
       layer { name: "l" type: "Silence" bottom: "s" bottom: "label" }`,
      [[3, 3, 224, 224], [1]],
    ],
    [
      'edges of a picture',
      'layer { name: "e" type: "ImageLabelmapData" top: "data" top: "label" image_data_param { crop_size: 8 } }',
      [
        [1, 3, 8, 8],
        [1, 1, 8, 8],
      ],
    ],
    [
      "SegNet's, whose unpooling names the size",
      `layer { name: "d" type: "DenseImageData" top: "data" top: "label" }
       layer { name: "p" type: "Pooling" bottom: "data" top: "p" top: "m" pooling_param { kernel_size: 8 stride: 8 } }
       layer { name: "u" type: "Upsample" bottom: "p" bottom: "m" top: "u" upsample_param { scale: 8 } }
       layer { name: "s" type: "Reshape" bottom: "u" top: "s" reshape_param { shape { dim: 0 dim: 3 dim: 360 dim: 480 } } }
       layer { name: "l" type: "Silence" bottom: "s" }`,
      [
        [1, 3, 360, 480],
        [1, 1, 360, 480],
      ],
    ],
    [
      'a segmentation beside boxes, of the size of its scores',
      `layer { name: "a" type: "AnnotatedData" top: "data" top: "boxes" top: "map" data_param { batch_size: 8 } }
       layer { name: "c" type: "Convolution" bottom: "data" top: "c"
         convolution_param { num_output: 5 kernel_size: 3 pad: 1 stride: 4 } }
       layer { name: "u" type: "Upsample" bottom: "c" top: "u" upsample_param { scale: 2 } }
       layer { name: "l" type: "YoloSeg" bottom: "u" bottom: "map" top: "loss" }`,
      [
        [2, 3, 224, 224],
        [1, 1, 4, 8],
        [2, 5, 112, 112],
      ],
    ],
    [
      'texts and their labels',
      `layer { name: "d" type: "Data" top: "data" top: "label" data_param { batch_size: 2 } transform_param { crop_size: 8 } }
       layer { name: "t" type: "Reshape" bottom: "data" top: "t" reshape_param { shape { dim: 24 dim: 2 dim: 8 } } }
       layer { name: "l" type: "WarpCTCLoss" bottom: "t" bottom: "label" top: "loss" }`,
      [
        [2, 3, 8, 8],
        [2, 4],
      ],
    ],
  ])('%s', async (_, text, shapes) => {
    const { phases } = await checkNet(text)
    expect(phases.map(({ built }) => built)).toEqual([true])
    expect(phases[0].standIns.map(({ shape }) => shape)).toEqual(shapes)
  })

  test('or what the program says', async () => {
    const text = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }'
    const { phases } = await checkNet(text, { shapes: { data: [5, 7] } })
    expect(phases[0].summary?.layers.at(-1)?.shapes).toEqual([[5, 7]])
  })
})

test('a layer that only its fillers tell from another, and one that makes its values, are themselves', async () => {
  const { phases } = await checkNet(`layer { name: "i" type: "ContinuationIndicator" top: "cont"
      continuation_indicator_param { time_step: 3 batch_size: 2 } }
    layer { name: "b" type: "BN" bottom: "data" top: "b"
      bn_param { scale_filler { type: "constant" value: 1 } shift_filler { type: "constant" } } }`)
  expect(phases[0].errors).toEqual([])
  expect(phases[0].standIns.map(({ top }) => top)).toEqual(['data'])
  expect(phases[0].summary?.layers.find(({ name }) => name === 'i')?.shapes).toEqual([[3, 2]])
})

test('files that detections would be saved with need not be there', async () => {
  const sizes = ['1, 8', '1, 4', '1, 2, 8'].map(dims => `shape { dim: [${dims}] }`)
  const { phases } = await checkNet(`layer { name: "i" type: "Input" top: "loc" top: "conf" top: "prior"
      input_param { ${sizes.join(' ')} } }
    layer { name: "o" type: "DetectionOutput" bottom: "loc" bottom: "conf" bottom: "prior" top: "o"
      detection_output_param { num_classes: 2 save_output_param { output_directory: "there" output_format: "VOC"
        label_map_file: "nowhere.prototxt" name_size_file: "nowhere.txt" } } }`)
  expect(phases[0]).toMatchObject({ built: true, errors: [] })
})

test('solvers and label maps are looked through; broken texts are told', async () => {
  const solver = await checkNet('net: "a"\nbase_lr: 0.1\nclip_weights: 3\nodd: 1')
  expect(solver.kind).toBe('solver')
  expect(solver.findings.map(({ severity, field, line }) => [severity, field, line])).toEqual([
    ['error', 'clip_weights', 3],
    ['error', 'odd', 4],
  ])
  expect(await checkNet('item { name: "cat" label: 1 display_name: "Cat" }')).toMatchObject({
    kind: 'label map',
    parsed: true,
    findings: [],
  })
  expect(await checkNet('layer { name: 3 }')).toMatchObject({ kind: 'net', parsed: false, phases: [] })
  expect(await checkNet('layers { name: "a" } layer { name: "b" }')).toMatchObject({ parsed: false })
})
