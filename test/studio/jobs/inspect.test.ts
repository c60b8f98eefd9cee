import { describe, expect, test } from 'vitest'
import { printNet } from '../../../lib/index.js'
import { inspectNet } from '../../../lib/studio/jobs/inspect.js'
import { standardNet } from '../../../lib/tools/standard/standard_net.js'

const dataset = { channels: 1, height: 28, width: 28 } as const
const digits = { classes: 10, channels: 1, size: 28, data: { train: 'train_db', val: 'val_db' } } as const
const lenet = printNet(standardNet('lenet', digits))

/** As DIGITS writes them: stages instead of phases, no sources, no input of the deployed net. */
const digitsNet = `
layer { name: "train-data" type: "Data" top: "data" top: "label" include { stage: "train" } data_param { batch_size: 64 } }
layer { name: "val-data" type: "Data" top: "data" top: "label" include { stage: "val" } data_param { batch_size: 32 } }
layer { name: "scale" type: "Power" bottom: "data" top: "scaled" power_param { scale: 0.0125 } }
layer { name: "conv1" type: "Convolution" bottom: "scaled" top: "conv1"
  convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "ip" type: "InnerProduct" bottom: "conv1" top: "ip"
  inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" exclude { stage: "deploy" } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { stage: "val" } }
layer { name: "softmax" type: "Softmax" bottom: "ip" top: "softmax" include { stage: "deploy" } }
`

describe('What is wrong with a text', () => {
  test('every mistake of the grammar at once, at its place, with what was meant', async () => {
    const net = digitsNet.replace('kernel_size: 5', 'kernel_siz: 5').replace('num_output: 10', 'num_output: ten')
    const { marks, graph } = await inspectNet({ net, stage: 'train', dataset })
    expect(graph).toBeUndefined()
    expect(marks).toMatchObject([
      { severity: 'error', line: 6, column: 38, length: 10, suggestion: 'kernel_size' },
      { severity: 'error', line: 9, message: "num_output is an integer, not 'ten'" },
    ])
    expect(marks[0].message).not.toContain('net.prototxt')
  })

  test('types and fields that nobody knows, together', async () => {
    const net = digitsNet
      .replace('"InnerProduct"', '"InerProduct"')
      .replace('power_param {', 'power_param { strange { } ')
    const { marks } = await inspectNet({ net, stage: 'val', dataset })
    expect(marks).toMatchObject([
      { severity: 'error', line: 4, layer: 'scale' },
      { severity: 'error', line: 8, column: 26, layer: 'ip', suggestion: 'InnerProduct' },
    ])
    expect(marks).toHaveLength(2)
  })

  test('rules of layers: every layer that breaks one, with its line', async () => {
    const net = digitsNet
      .replace('kernel_size: 5', 'kernel_size: 50')
      .replace('bottom: "ip" top: "softmax"', 'bottom: "ipp" top: "softmax"')
    const train = await inspectNet({ net, stage: 'train', dataset })
    expect(train.marks).toMatchObject([{ severity: 'error', line: 5, layer: 'conv1' }])
    const deploy = await inspectNet({
      net: digitsNet.replace('bottom: "conv1" top: "ip"', 'bottom: "cnov1" top: "ip"'),
      stage: 'val',
      dataset,
    })
    expect(deploy.marks).toMatchObject([{ line: 8, layer: 'ip', suggestion: 'conv1' }])
  })

  test('hints stand at their layers', async () => {
    const net = digitsNet.replace(
      'num_output: 20 kernel_size: 5 weight_filler { type: "xavier" }',
      'num_output: 20 kernel_size: 5',
    )
    const { marks, graph } = await inspectNet({ net, stage: 'train', dataset })
    expect(graph).toBeDefined()
    expect(marks).toMatchObject(
      [{ severity: 'hint', line: 5, layer: 'conv1', message: /starts with all weights zero/ }].map(
        ({ message, ...mark }) => ({ ...mark, message: expect.stringMatching(message) }),
      ),
    )
  })

  test('fewer scores than the dataset has classes', async () => {
    const classes = Array.from({ length: 12 }, (_, i) => String(i))
    const { marks, graph } = await inspectNet({ net: digitsNet, stage: 'val', dataset: { ...dataset, classes } })
    expect(graph).toBeDefined()
    expect(marks).toMatchObject([
      { severity: 'error', line: 10, layer: 'loss' },
      { severity: 'error', line: 11, layer: 'accuracy' },
    ])
    expect(marks[0].message).toMatch(
      /compares 10 scores with labels of 12 classes: the layer that makes 'ip' needs num_output: 12/,
    )
  })

  test('a text that is none, and one that is empty', async () => {
    expect((await inspectNet({ net: '{', stage: 'train' })).marks).toMatchObject([{ severity: 'error', line: 1 }])
    expect(await inspectNet({ net: '', stage: 'train' })).toMatchObject({ marks: [], graph: { nodes: [], edges: [] } })
    expect((await inspectNet({ net: 'base_lr: 0.1', stage: 'train' })).marks[0].message).toMatch(/solver/)
  })
})

describe('The graph', () => {
  test.each(['train', 'val'] as const)('of stage %s has the data layer with the sizes of the dataset', async stage => {
    const { graph, totals, marks } = await inspectNet({ net: digitsNet, stage, dataset })
    expect(marks).toEqual([])
    const [data, , conv1, relu1] = graph!.nodes
    expect(data).toMatchObject({
      layer: `${stage}-data`,
      type: 'Data',
      line: stage === 'train' ? 2 : 3,
      tops: [
        { blob: 'data', shape: [stage === 'train' ? 64 : 32, 1, 28, 28] },
        { blob: 'label', shape: [stage === 'train' ? 64 : 32] },
      ],
    })
    expect(data.fields).toContainEqual({
      field: 'data_param.batch_size',
      value: String(stage === 'train' ? 64 : 32),
      set: true,
    })
    expect(data.fields).toContainEqual({ field: 'data_param.backend', value: 'LEVELDB', set: false })
    const items = stage === 'train' ? 64 : 32
    expect(conv1).toMatchObject({
      line: 5,
      bottoms: [{ blob: 'scaled', shape: [items, 1, 28, 28] }],
      tops: [{ blob: 'conv1', shape: [items, 20, 24, 24] }],
      params: 520,
      memory: 4 * items * 20 * 24 * 24,
      multiplyAdds: items * 20 * 24 * 24 * 25,
    })
    const field = (name: string) => conv1.fields.find(({ field }) => field === `convolution_param.${name}`)
    expect(field('kernel_size')).toEqual({ field: 'convolution_param.kernel_size', value: '5', set: true })
    expect(field('weight_filler')?.value).toBe('{ type: "xavier" }')
    expect(field('group')).toMatchObject({ value: '1', set: false })
    expect(relu1).toMatchObject({ params: 0, memory: 0 })
    expect(graph!.nodes.some(({ layer }) => layer === 'accuracy')).toBe(stage === 'val')
    expect(totals).toMatchObject({ params: 520 + 10 * (20 * 24 * 24 + 1) })
  })

  test('of the deployed net has an input of one picture, after a crop', async () => {
    const { graph } = await inspectNet({ net: digitsNet, stage: 'deploy', dataset, crop: 24 })
    expect(graph!.nodes.map(({ layer }) => layer)).toEqual(['data', 'scale', 'conv1', 'relu1', 'ip', 'softmax'])
    expect(graph!.nodes[0].tops).toEqual([{ blob: 'data', shape: [1, 1, 24, 24] }])
    const standard = await inspectNet({ net: lenet, stage: 'deploy', dataset })
    expect(standard.marks).toEqual([])
    expect(standard.graph!.nodes.at(-1)).toMatchObject({ type: 'Softmax', tops: [{ shape: [1, 10] }] })
  })

  test('goes by the crop of the text where none is asked for; one that does not fit is marked', async () => {
    const net = digitsNet.replaceAll('data_param {', 'transform_param { crop_size: 20 } data_param {')
    const shape = async (stage: 'train' | 'val' | 'deploy', crop?: number) =>
      (await inspectNet({ net, stage, dataset, crop })).graph!.nodes[0].tops[0].shape.slice(1)
    for (const stage of ['train', 'val', 'deploy'] as const) {
      expect(await shape(stage)).toEqual([1, 20, 20])
      expect(await shape(stage, 24)).toEqual([1, 24, 24])
    }
    const { marks } = await inspectNet({ net, stage: 'train', dataset, crop: 29 })
    expect(marks).toMatchObject([{ severity: 'error', message: 'a crop of 29 does not fit into pictures of 28×28' }])
  })

  test('boxes do not lie on each other, arrows join them, in-place layers stand below what they work on', async () => {
    const { graph } = await inspectNet({ net: digitsNet, stage: 'val', dataset })
    const { nodes, edges, width, height } = graph!
    for (const [i, a] of nodes.entries()) {
      expect(a.x - a.width / 2).toBeGreaterThanOrEqual(0)
      expect(a.x + a.width / 2).toBeLessThanOrEqual(width)
      expect(a.y + a.height / 2).toBeLessThanOrEqual(height)
      for (const b of nodes.slice(i + 1))
        expect(
          Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2,
          `${a.layer} and ${b.layer}`,
        ).toBe(true)
    }
    const at = (name: string) => nodes.find(({ layer }) => layer === name)!
    expect(at('relu1').x).toBe(at('conv1').x)
    expect(at('relu1').y).toBeGreaterThan(at('conv1').y)
    expect(edges.map(({ from, to, blob }) => `${from} ${blob} ${to}`)).toEqual([
      'val-data data scale',
      'scale scaled conv1',
      'conv1 conv1 relu1',
      'relu1 conv1 ip',
      'ip ip loss',
      'val-data label loss',
      'ip ip accuracy',
      'val-data label accuracy',
    ])
    for (const { from, points } of edges) {
      const [x, y] = points[0]
      expect(Math.abs(x - at(from).x)).toBeLessThanOrEqual(at(from).width / 2 + 1)
      expect(y).toBeGreaterThan(at(from).y)
    }
  })

  test('layers of one name have nodes of their own', async () => {
    const net = `layer { name: "in" type: "Input" top: "a" input_param { shape { dim: 1 dim: 4 } } }
      layer { name: "r" type: "ReLU" bottom: "a" top: "b" }
      layer { name: "r" type: "Sigmoid" bottom: "b" top: "c" }`
    const { graph } = await inspectNet({ net, stage: 'val' })
    expect(graph!.nodes.map(({ layer, type }) => [layer, type])).toEqual([
      ['in', 'Input'],
      ['r', 'ReLU'],
      ['r#2', 'Sigmoid'],
    ])
  })

  test('of GoogLeNet: every layer has its place', async () => {
    const net = printNet(standardNet('googlenet', { ...digits, channels: 3, size: 224 }))
    const options = { net, stage: 'train', dataset: { channels: 3, height: 224, width: 224 } } as const
    const { marks, graph, totals } = await inspectNet(options)
    expect(marks).toEqual([])
    expect(graph!.nodes.length).toBeGreaterThan(200)
    expect(totals!.params).toBeGreaterThan(5e6)
  })
})
