import { describe, expect, test } from 'vitest'
import { TripletLossLayer } from '../../docs/examples/triplet/triplet_loss.js'
import { TripletSelectLayer } from '../../docs/examples/triplet/triplet_select.js'
import { Net, parseNet, registerLayer, registerLayerModule } from '../../lib/index.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { expectClose, Golden, type GoldenArray, goldenPath } from '../golden.js'
import { inputLayer, shapesOf } from '../shapes.js'

type Blobs = 'fc9_1' | 'archor' | 'positive' | 'negative'
type Run = Record<Blobs | `${Blobs}_diff`, GoldenArray> & {
  margin: number
  prototxt: string
  weighted_loss: number
  loss_top_diff: GoldenArray
  loss: GoldenArray
  weight_diff: GoldenArray
  bias_diff: GoldenArray
  triplets: [number, number, number][]
}
interface Walkthrough {
  data: GoldenArray
  labels: number[]
  fc9_1_weight: GoldenArray
  fc9_1_bias: GoldenArray
  runs: Run[]
  rtol: number
  atol: number
}
const golden = new Golden<Walkthrough>('walkthroughs/triplet/triplet')
const { data, labels, fc9_1_weight, fc9_1_bias, runs, rtol, atol } = golden.json

registerLayerModule('triplet_layers', { TripletSelectLayer, TripletLayer: TripletLossLayer })
registerLayer('TripletSelect', TripletSelectLayer)
registerLayer('TripletLoss', TripletLossLayer)

describe.each(hostEngines)('Triplets on %s', engine => {
  test.each(runs)('margin $margin', async run => {
    using net = await Net.create(goldenPath(`walkthroughs/triplet/${run.prototxt}`), { engine })
    const [weight, bias] = net.params['fc9_1']
    weight.dataArray.set(golden.array(fc9_1_weight))
    bias.dataArray.set(golden.array(fc9_1_bias))
    const close = (got: ArrayLike<number>, place: GoldenArray, what: string) =>
      expectClose(got, golden.array(place), rtol, atol, what)
    await net.forward({ data: golden.array(data), labels })
    const select = net.layers[net.layerNames.indexOf('triplet_select')] as TripletSelectLayer
    expect(select.triplets).toEqual(run.triplets)
    expectClose([await net.loss()], [run.weighted_loss], rtol, atol, 'weighted loss')
    close(net.blobs['loss'].dataArray, run.loss, 'loss')
    close(net.blobs['loss'].diffArray, run.loss_top_diff, 'loss diff')
    await net.backward()
    for (const name of ['fc9_1', 'archor', 'positive', 'negative'] as const) {
      close(net.blobs[name].dataArray, run[name], name)
      close(net.blobs[name].diffArray, run[`${name}_diff`], `${name} diff`)
    }
    close(weight.diffArray, run.weight_diff, 'weight diff')
    close(bias.diffArray, run.bias_diff, 'bias diff')
  })
})

describe('The layers by themselves', () => {
  test('gradients of the selection', async () => {
    await checkLayer(TripletSelectLayer, { bottoms: [[5, 3], { shape: [5], labels: 2 }], tops: 3, reshapeTo: false })
  })
  test('gradients of the loss', async () => {
    await checkLayer(TripletLossLayer, {
      param: `python_param { param_str: "{'margin': 0.7}" }`,
      bottoms: shapesOf('4×3 4×3 4×3'),
    })
  })
  test.each(['', "'margin': -1", 'margin: wide', '{"margins": 1}'])('param_str "%s" is refused', async text => {
    const input = (name: string) =>
      `layer { name: "${name}" type: "Input" top: "${name}" input_param { shape { dim: 2 dim: 3 } } }`
    const layer = `layer { name: "l" type: "TripletLoss" bottom: "a" bottom: "p" bottom: "n" top: "l" python_param { param_str: ${JSON.stringify(text)} } }`
    const param = parseNet([...['a', 'p', 'n'].map(input), layer].join('\n'))
    await expect(Net.create(param, { engine: 'js' })).rejects.toThrow(
      /layer 'l' \(TripletLoss\): param_str must give a margin/,
    )
  })
  test('a batch of one label has no triplets', async () => {
    const param = parseNet(`
      ${inputLayer('x', '3×2')}
      ${inputLayer('y', '3')}
      layer { name: "select" type: "TripletSelect" bottom: "x" bottom: "y" top: "a" top: "p" top: "n" }`)
    using net = await Net.create(param, { engine: 'js' })
    await expect(net.forward({ x: [1, 2, 3, 4, 5, 6], y: [1, 1, 1] })).rejects.toThrow(
      /all 3 labels of the batch are 1/,
    )
    const { a, p, n } = await net.forward({ x: [0, 0, 3, 4, 1, 0], y: [1, 2, 2] })
    expect([a, p, n].map(blob => [...blob.data])).toEqual([
      [0, 0, 3, 4, 1, 0],
      [0, 0, 1, 0, 3, 4],
      [1, 0, 0, 0, 0, 0],
    ])
  })
})
