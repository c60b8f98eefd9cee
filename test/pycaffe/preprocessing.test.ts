import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { writeMessage } from '../../lib/proto/wire.js'
import { Classifier, type ClassifierOptions } from '../../lib/pycaffe/classifier.js'
import { Detector } from '../../lib/pycaffe/detector.js'

const deploy = (channels: number, size: number) => `
  layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: ${channels} dim: ${size} dim: ${size} } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }`

/** What a Classifier says of a model whose training had this data layer. */
async function said(layer: string, options: ClassifierOptions, channels = 3, size = 4) {
  const log: string[] = []
  const common = { engine: 'js', log: (line: string) => log.push(line) } as const
  using net = await Net.create(parseNet(deploy(channels, size)), { engine: 'js' })
  const { layer: layers = [] } = await import('../../lib/net/files.js').then(({ netToProto }) => netToProto(net.built))
  const data = parseNet(layer).layer ?? []
  const weights = writeMessage('NetParameter', { layer: [...data, ...layers.filter(l => l.type !== 'Input')] })
  using classifier = await Classifier.create(parseNet(deploy(channels, size)), { ...common, weights, ...options })
  return { notices: classifier.notices, log: log.filter(line => !/source layer/.test(line)) }
}
const data = (transform: string, more = 'type: "Data" data_param { source: "x" batch_size: 1 }') =>
  `layer { name: "mnist" top: "data" top: "label" ${more} transform_param { ${transform} } }`

describe('what the training did with pictures', () => {
  test('is held against the options: factor, mean, order of channels, crop', async () => {
    const { notices, log } = await said(
      data('scale: 0.00390625 mean_value: 104 mean_value: 117 mean_value: 123 crop_size: 4'),
      {},
    )
    expect(notices.map(notice => notice.set)).toEqual([
      [
        ['rawScale', '255'],
        ['inputScale', '0.00390625'],
      ],
      [['mean', '104,117,123']],
      [],
      [['channelSwap', '2,1,0']],
    ])
    expect(log).toEqual([
      "layer 'mnist' (Data) of the training gave values of 0 … 0.99609375 before the mean was taken off, here they are 0 … 1; rawScale: 255; inputScale: 0.00390625",
      expect.stringMatching(/took 104, 117, 123 off values of 0 … 255, here nothing is; mean: \[104,117,123\]$/),
      expect.stringMatching(/cut 4×4 out of larger pictures, here a whole picture becomes the input: imageDims/),
      expect.stringMatching(/order B G R, here it is another; channelSwap: \[2,1,0\]$/),
    ])
  })

  test('says nothing where options do the same, in whichever units', async () => {
    const layer = data('scale: 0.017 mean_value: 104 mean_value: 117 mean_value: 123 crop_size: 4')
    const channelSwap = [2, 1, 0]
    const imageDims = [6, 6] as const
    for (const options of [
      { rawScale: 255, inputScale: 0.017, mean: [104, 117, 123] },
      { rawScale: 255, inputScale: 0.017, mean: [104.0069, 116.6688, 122.6789] },
      { inputScale: 4.335, mean: [104 / 255, 117 / 255, 123 / 255] },
    ])
      expect(await said(layer, { ...options, channelSwap, imageDims })).toEqual({ notices: [], log: [] })
    expect((await said(data(''), { rawScale: 255 }, 1)).notices).toEqual([])
  })

  test('a factor written so that it cannot be told from another is none', async () => {
    // 0 … 1 where bytes were trained on: the difference that is seen most
    const { notices } = await said(data(''), {}, 1)
    expect(notices.map(({ text, set }) => ({ text, set }))).toEqual([
      {
        text: "layer 'mnist' (Data) of the training gave values of 0 … 255 before the mean was taken off, here they are 0 … 1",
        set: [['rawScale', '255']],
      },
    ])
  })

  test('means: files, one too many, another', async () => {
    const mean = async (transform: string, value?: number[]) =>
      (await said(data(transform), { rawScale: 255, mean: value }, 1)).notices.map(({ set }) => set)
    expect(await mean('mean_file: "mean.binaryproto"')).toEqual([[['mean', 'mean.binaryproto']]])
    expect(await mean('mean_file: "mean.binaryproto"', [33])).toEqual([])
    expect(await mean('', [33])).toEqual([[['mean', '0']]])
    expect(await mean('mean_value: 40', [33])).toEqual([[['mean', '40']]])
    expect(await mean('mean_value: 33.5', [33])).toEqual([])
  })

  test('sizes and colours of lists of images', async () => {
    const images = (more: string) => `type: "ImageData" image_data_param { source: "x" ${more} }`
    const options = { rawScale: 255, channelSwap: [2, 1, 0] }
    const of = async (transform: string, more: string, channels = 3, imageDims?: [number, number]) =>
      (
        await said(
          data(transform, images(more)),
          { ...options, channelSwap: channels === 3 ? [2, 1, 0] : undefined, imageDims },
          channels,
        )
      ).notices
    expect((await of('crop_size: 4', 'new_height: 9 new_width: 8')).map(({ set }) => set)).toEqual([
      [['imageDims', '9,8']],
    ])
    expect(await of('crop_size: 4', 'new_height: 9 new_width: 8', 3, [9, 8])).toEqual([])
    expect((await of('', 'new_height: 5 new_width: 4'))[0].text).toMatch(/made 5×4, the input is 4×4/)
    expect((await of('', 'is_color: false'))[0].text).toMatch(/gave grey pictures, the input has 3 channels/)
    expect((await of('force_color: true', '', 1))[0].text).toMatch(/gave coloured pictures, the input has one channel/)
  })

  test("stands in the prototxt too, in layers that this phase leaves out, and in Detector's log", async () => {
    const log: string[] = []
    const net = await Net.create(
      parseNet(
        `${data('scale: 0.5 crop_size: 4').replace('top: "label"', 'include { phase: TRAIN }')} ${deploy(1, 4)}`,
      ),
      { engine: 'js', log: line => log.push(line) },
    )
    using classifier = await Classifier.create(net, { rawScale: 255, imageDims: [5, 5] })
    expect(classifier.notices.map(({ set }) => set)).toEqual([[['inputScale', '0.5']]])
    log.length = 0
    await Detector.create(net, { rawScale: 255 })
    expect(log).toEqual([
      expect.stringMatching(/values of 0 … 127.5 before .* here they are 0 … 255; inputScale: 0.5$/),
    ])
  })

  test('nothing known, nothing said by the program: what is assumed', async () => {
    expect((await said('', {})).log).toEqual([
      'neither prototxt nor model says how the training prepared pictures: values 0 … 1, no mean taken off, channels R G B, pictures brought to 4×4; rawScale, mean, channelSwap and inputScale set what its data layer did',
    ])
    expect((await said('', { rawScale: 255 })).log).toEqual([])
  })
})
