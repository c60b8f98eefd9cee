import { readFileSync } from 'node:fs'
import ndarray from 'ndarray'
import ops from 'ndarray-ops'
import { describe, expect, test } from 'vitest'
import { convolution, designFilters, filterPicture } from '../../docs/examples/net-surgery/designer_filters.js'
import { framing, heatMap, mapOf, pageOf } from '../../docs/examples/net-surgery/full_conv.js'
import { heat, toPng } from '../../docs/examples/net-surgery/picture.js'
import { Net, parseNet, printNet } from '../../lib/index.js'
import { readMessage } from '../../lib/proto/wire.js'
import { castToConvolution, loadImage, Transformer } from '../../lib/pycaffe/index.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer } from '../shapes.js'

interface Designer {
  prototxt: string
  picture: string
  image: GoldenArray
  initial_weight: GoldenArray
  initial_bias_from_filler: number[]
  conv_initial: GoldenArray
  pre_surgery_mean_of_filter_0: number
  conv_bias_1: GoldenArray
  post_surgery_mean_of_filter_0: number
  sigma: number
  designed_weight: GoldenArray
  conv_designed: GoldenArray
  rtol: number
  atol: number
}
interface FullConv {
  classifier: string
  classifier_model: string
  full_conv: string
  full_conv_model_after_transplant: string
  param_shapes: Record<string, number[][]>
  image: GoldenArray
  mean: number[]
  input: GoldenArray
  prob: GoldenArray
  'fc8-conv': GoldenArray
  argmax_map: number[][]
  windows_with_plain_classifier: { window_row_col: [number, number]; prob: GoldenArray }[]
  stride: number
  rtol: number
  atol: number
}
const folder = 'walkthroughs/net_surgery'
const path = (file: string) => goldenPath(`${folder}/${file}`)

describe.each(hostEngines)('Designer filters on %s', engine => {
  const golden = new Golden<Designer>(`${folder}/designer_filters`, `${folder}/net_surgery`)
  const facts = golden.json
  const { rtol, atol } = facts

  test.each([
    ['the recorded prototxt', path(facts.prototxt)],
    ["the example's own", parseNet(convolution)],
  ])('%s', async (_, source) => {
    using net = await Net.create(source, { engine })
    const [weight, bias] = net.params['conv']
    expect([...bias.dataArray]).toEqual(facts.initial_bias_from_filler)
    weight.dataArray.set(golden.array(facts.initial_weight))
    const picture = await loadImage(path(facts.picture), false)
    expectClose(picture.data, golden.array(facts.image), 0, 1e-6, 'picture')

    const first = await filterPicture(net, picture)
    expect(net.blobs['data'].shape).toEqual(facts.image.shape)
    expect(first.shape).toEqual(facts.conv_initial.shape)
    expectClose(first.data, golden.array(facts.conv_initial), rtol, atol, 'conv')
    const mean = (values: typeof first) => ops.sum(values.pick(0, 0, null, null)) / (first.shape[2] * first.shape[3])
    expectClose([mean(first)], [facts.pre_surgery_mean_of_filter_0], 1e-4, 1e-5, 'mean of filter 0')

    ops.addseq(bias.data.pick(0), 1)
    const biased = await filterPicture(net, picture)
    expectClose(biased.data, golden.array(facts.conv_bias_1), rtol, atol, 'conv with bias')
    expectClose([mean(biased)], [facts.post_surgery_mean_of_filter_0], 1e-4, 1e-5, 'mean of filter 0 with bias')

    designFilters(weight, facts.sigma)
    expectClose(weight.dataArray, golden.array(facts.designed_weight), 1e-6, 1e-7, 'weights')
    // the bias of 1 is still there, as in the record
    const designed = await filterPicture(net, picture)
    expectClose(designed.data, golden.array(facts.conv_designed), rtol, atol, 'conv with designed filters')
  })
})

describe.each(hostEngines)('InnerProduct layers cast into convolutions on %s', engine => {
  const golden = new Golden<FullConv>(`${folder}/full_conv`, `${folder}/net_surgery`)
  const facts = golden.json
  const { rtol, atol } = facts
  const load = () => Net.create(path(facts.classifier), { weights: path(facts.classifier_model), engine })

  test('is the recorded net, with the recorded weights', async () => {
    using classifier = await load()
    using full = await castToConvolution(classifier)
    expect(full.engine.name).toBe(engine)
    for (const [name, shapes] of Object.entries(facts.param_shapes)) {
      const net = name.endsWith('-conv') ? full : classifier
      expect(net.params[name].map(blob => blob.shape)).toEqual(shapes)
    }
    const expected = parseNet(readFileSync(path(facts.full_conv), 'utf8'))
    const sized = { ...full.param, name: expected.name }
    sized.layer = sized.layer!.map((layer, i) => (i ? layer : expected.layer![0]))
    expect(printNet(sized)).toBe(printNet(expected))
    const model = readMessage('NetParameter', readFileSync(path(facts.full_conv_model_after_transplant)))
    const written = readMessage('NetParameter', await full.toBytes())
    for (const { name, blobs } of model.layer!.filter(layer => layer.blobs?.length)) {
      const own = written.layer!.find(layer => layer.name === name)!
      expect(own.blobs!.map(blob => blob.data)).toEqual(blobs!.map(blob => blob.data))
    }
  })

  test('gives the recorded map of a larger picture, which is the classifier window by window', async () => {
    using classifier = await load()
    using full = await castToConvolution(classifier)
    const { shape } = facts.input
    full.blobs['data'].reshape([1, ...shape])
    const transformer = new Transformer({ data: full.blobs['data'].shape })
    transformer.setMean('data', facts.mean)
    transformer.setTranspose('data', [2, 0, 1])
    transformer.setChannelSwap('data', [2, 1, 0])
    transformer.setRawScale('data', 255)
    const input = transformer.preprocess('data', ndarray(golden.array(facts.image), facts.image.shape))
    ops.divseq(input, 100)
    expectClose(input.data, golden.array(facts.input), rtol, atol, 'input')
    const out = await full.forward({ data: input }, { blobs: ['fc8-conv'] })
    expect(out.prob.shape).toEqual([1, ...facts.prob.shape])
    expectClose(out.prob.data, golden.array(facts.prob), rtol, atol, 'prob')
    expectClose(out['fc8-conv'].data, golden.array(facts['fc8-conv']), rtol, atol, 'fc8-conv')
    const best = (y: number, x: number) => {
      const values = Array.from({ length: facts.prob.shape[0] }, (_, c) => out.prob.get(0, c, y, x))
      return values.indexOf(Math.max(...values))
    }
    expect(facts.argmax_map.map((row, y) => row.map((_, x) => best(y, x)))).toEqual(facts.argmax_map)
    const side = classifier.blobs['data'].height
    for (const { window_row_col, prob } of facts.windows_with_plain_classifier) {
      const [row, column] = window_row_col
      const window = input.lo(0, row, column).hi(3, side, side)
      const expected = golden.array(prob)
      expectClose(
        (await classifier.forward({ data: window })).prob.data,
        expected,
        rtol,
        atol,
        `window ${row}, ${column}`,
      )
      const map = out.prob.pick(0, null, row / facts.stride, column / facts.stride)
      expectClose(
        Array.from({ length: prob.shape[0] }, (_, c) => map.get(c)),
        expected,
        rtol,
        atol,
        `map at ${row}, ${column}`,
      )
    }
  })
})

describe('castToConvolution', () => {
  const input = (...dims: number[]) => inputLayer('data', dims)
  const ip = (name: string, bottom: string, more = '', rest = '') =>
    `layer { name: "${name}" type: "InnerProduct" bottom: "${bottom}" top: "${name}" ${rest}
      inner_product_param { num_output: 3 weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } ${more} } }`
  const create = (...layers: string[]) =>
    Net.create(parseNet(layers.join('\n')), { engine: 'js', seed: 3, phase: 'TRAIN' })
  const random = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7))

  test('oblong bottoms, transposed weights, no bias, splits, one layer of several', async () => {
    using net = await create(
      input(2, 2, 3, 4),
      ip('a', 'data', 'transpose: true', 'param { lr_mult: 3 }'),
      ip('b', 'data', 'bias_term: false'),
      'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }',
      ip('c', 'sum'),
      ip('d', 'sum'),
    )
    using full = await castToConvolution(net)
    expect(full.phase).toBe('TRAIN')
    expect(full.params['a-conv'].map(blob => blob.shape)).toEqual([[3, 2, 3, 4], [3]])
    expect(full.params['b-conv']).toHaveLength(1)
    expect(full.param.layer?.[1].param).toEqual([{ lr_mult: 3 }])
    const data = random(48)
    const expected = await net.forward({ data })
    const got = await full.forward({ data })
    expect(got['c-conv'].shape).toEqual([2, 3, 1, 1])
    for (const name of ['c', 'd']) expectClose(got[`${name}-conv`].data, expected[name].data, 1e-5, 1e-6, name)
    // surgery on one does not reach the other
    full.params['c-conv'][0].dataArray.fill(0)
    expect(net.params['c'][0].dataArray.some(value => value !== 0)).toBe(true)

    using partly = await castToConvolution(net, { layers: ['a', 'b'], suffix: '_map', engine: 'js', phase: 'TEST' })
    expect(partly.layerNames).toEqual(expect.arrayContaining(['a_map', 'b_map', 'c', 'd']))
    expect(partly.phase).toBe('TEST')
    expectClose((await partly.forward({ data })).c.data, expected.c.data, 1e-5, 1e-6, 'c')
  })

  test('for inference: what is folded into a cast layer is folded into its own weights', async () => {
    const scale = `layer { name: "s" type: "Scale" bottom: "a" top: "s" scale_param { filler { type: "gaussian" } bias_term: true } }`
    using net = await create(input(2, 2, 3, 4), ip('a', 'data'), scale)
    const log: string[] = []
    using full = await castToConvolution(net, { phase: 'TEST', optimize: 'inference', log: line => log.push(line) })
    const data = random(48)
    expectClose((await full.forward({ data })).s.data, (await net.forward({ data })).s.data, 1e-5, 1e-6, 's')
    expect(log[0]).toBe('Casting layer a to convolution a-conv')
  })

  test('says what cannot be cast', async () => {
    using flat = await create(input(2, 5), ip('a', 'data'))
    await expect(castToConvolution(flat)).rejects.toThrow(
      /layer 'a' \(InnerProduct\): cannot be cast.*'data' \(2×5\) has no height and width/,
    )
    await expect(castToConvolution(flat, { layers: ['x'] })).rejects.toThrow(
      /no InnerProduct layer 'x' to cast; it has a/,
    )
    using deep = await create(input(1, 2, 3, 4), ip('a', 'data', 'axis: 2'))
    await expect(castToConvolution(deep)).rejects.toThrow(/from axis 2 on/)
  })
})

describe('The page of digits', () => {
  test('LeNet as convolutions finds the sevens', async () => {
    using classifier = await Net.create('docs/examples/mnist/lenet.prototxt', {
      weights: goldenPath('nets/lenet/lenet.caffemodel'),
    })
    using net = await castToConvolution(classifier)
    const file = readFileSync(goldenPath('io/mnist_200-images-idx3-ubyte'))
    const labels = readFileSync(goldenPath('io/mnist_200-labels-idx1-ubyte')).subarray(8)
    const pictures = Array.from({ length: 16 }, (_, i) => file.subarray(16 + i * 784, 16 + (i + 1) * 784))
    const page = pageOf(pictures, 4, 12)
    expect(page.shape).toEqual([172, 172])
    const map = await mapOf(net, page, 7)
    expect(map.shape).toEqual([37, 37])
    const there = pictures.map((_, i) => map.get(3 + 10 * Math.floor(i / 4), 3 + 10 * (i % 4)) > 0.5)
    expect(there).toEqual([...labels.subarray(0, 16)].map(label => label === 7))
    const framed = framing(page, map.shape, 4)
    expect(framed.get(0, 0)).toBeLessThan(0.1)
    expect(framed.get(3, 3)).toBeGreaterThan(0.7)
    const png = await toPng(heatMap(page, map, 4))
    const back = await loadImage(png)
    expect(back.shape).toEqual([172, 172, 3])
  })
  test('colours and pixels', async () => {
    expect([0, 0.5, 1].map(heat)).toEqual([
      [0, 0, 0],
      [1, 0.5, 0],
      [1, 1, 1],
    ])
    const png = await toPng(ndarray(Float32Array.from([-1, 0, 1, -1, -1, 1]), [2, 3]), 2)
    const back = await loadImage(png, false)
    expect(back.shape).toEqual([4, 6, 1])
    expect([...back.data.subarray(6, 12)].map(value => Math.round(255 * value))).toEqual([0, 0, 128, 128, 255, 255])
  })
})
