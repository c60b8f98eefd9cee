/** Out and back: the same layers, the same values, and the same bytes when it goes out again. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { importGraph } from '../../lib/onnx/import.js'
import { readGraph } from '../../lib/onnx/read.js'
import { parseNet } from '../../lib/proto/text.js'
import { inputLayer } from '../shapes.js'

const seeded = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 0.5)

const nets: Record<string, string> = {
  lenet: `${inputLayer('data', '2×1×28×28')}
    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 4 kernel_size: 5 weight_filler { type: "xavier" } } }
    layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
    layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1" inner_product_param { num_output: 8 weight_filler { type: "xavier" } } }
    layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
    layer { name: "drop1" type: "Dropout" bottom: "ip1" top: "ip1" }
    layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
    layer { name: "prob" type: "Softmax" bottom: "ip2" top: "prob" }`,
  residual: `${inputLayer('data', '2×3×9×9')}
    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 bias_term: false weight_filler { type: "xavier" } } }
    layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "conv1" }
    layer { name: "scale1" type: "Scale" bottom: "conv1" top: "conv1" scale_param { bias_term: true } }
    layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
    layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" lrn_param { local_size: 3 alpha: 0.1 } }
    layer { name: "conv2" type: "Convolution" bottom: "norm1" top: "conv2" convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 2 weight_filler { type: "xavier" } } }
    layer { name: "sum" type: "Eltwise" bottom: "conv2" bottom: "conv1" top: "sum" }
    layer { name: "pool2" type: "Pooling" bottom: "sum" top: "pool2" pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
    layer { name: "joined" type: "Concat" bottom: "pool2" bottom: "pool2" top: "joined" }
    layer { name: "pool3" type: "Pooling" bottom: "joined" top: "pool3" pooling_param { pool: AVE global_pooling: true } }
    layer { name: "fc" type: "InnerProduct" bottom: "pool3" top: "fc" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }`,
}
const recorded = [
  'Convolution',
  'Pooling',
  'InnerProduct',
  'LRN',
  'BatchNorm',
  'Scale',
  'ReLU',
  'Eltwise',
  'Concat',
  'Softmax',
]

describe.each(Object.keys(nets))('%s', name => {
  test('comes back as it was, and goes out again byte for byte', async () => {
    const net = await Net.create(parseNet(nets[name]), { engine: 'js', seed: 7 })
    for (const blobs of Object.values(net.params))
      for (const blob of blobs) if (blob.numAxes === 1) blob.dataArray.set(seeded(blob.count).map(v => 1 + v * v))
    const first = await net.toBytes({ format: 'onnx' })
    const back = await Net.create(first, { engine: 'js', dims: { N: 2 } })
    const types = (of: Net) => of.layers.map(({ type }) => type).filter(type => recorded.includes(type))
    expect(types(back)).toEqual(types(net))
    const { count } = net.blobs.data
    const [a, b] = [await net.forward({ data: seeded(count) }), await back.forward({ data: seeded(count) })]
    expect(Object.keys(b)).toEqual(Object.keys(a))
    const [output] = net.outputs
    const right = a[output].data as Float32Array
    for (const [i, value] of (b[output].data as Float32Array).entries())
      expect(Math.abs(value - right[i])).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(right[i])))
    expect(Buffer.compare(await back.toBytes({ format: 'onnx' }), first)).toBe(0)
  })
})

for (const [name, isLong] of [
  ['lenet', false],
  ['cifar10_quick', false],
  ['lstm', true],
] as const)
  test(`the benchmark net ${name}`, { tags: isLong ? 'long' : [] }, async () => {
    const text = readFileSync(new URL(`../../bench/nets/${name}.prototxt`, import.meta.url), 'utf8')
    const net = await Net.create(parseNet(text), { engine: 'js', seed: 7 })
    const first = await net.toBytes({ format: 'onnx' })
    const back = await Net.create(first, { engine: 'js' })
    expect(Buffer.compare(await back.toBytes({ format: 'onnx' }), first)).toBe(0)
  })

describe('layers that were written step by step', () => {
  const filled =
    'weight_filler { type: "uniform" min: -0.5 max: 0.5 } bias_filler { type: "uniform" min: -0.5 max: 0.5 }'
  const recurrent = (type: string, name: string, bottoms: string, tops: string, more = '', params = '') => `
    layer { name: "${name}" type: "${type}" ${bottoms} ${tops} ${params} recurrent_param { num_output: 3 ${more} ${filled} } }`
  const wire = (kind: string, ...names: string[]) => names.map(name => `${kind}: "${name}"`).join(' ')
  const given = inputLayer('x', '4×2×5') + inputLayer('cont', '4×2')
  const states = inputLayer('h', '1×2×3') + inputLayer('c', '1×2×3')
  const shared = ['wx', 'b', 'wh'].map(name => `param { name: "${name}" }`).join(' ')
  const cases: Record<string, string> = {
    lstm: given + recurrent('LSTM', 'a', wire('bottom', 'x', 'cont'), wire('top', 'y')),
    rnn: given + recurrent('RNN', 'a', wire('bottom', 'x', 'cont'), wire('top', 'y')),
    'with values that stay': `${given}${inputLayer('s', '2×4')}${inputLayer('t', '2×2×2')}
      ${recurrent('LSTM', 'a', wire('bottom', 'x', 'cont', 's'), wire('top', 'y'))}
      ${recurrent('RNN', 'b', wire('bottom', 'y', 'cont', 't'), wire('top', 'z'))}`,
    'with states as bottoms and tops':
      given +
      states +
      recurrent('LSTM', 'a', wire('bottom', 'x', 'cont', 'h', 'c'), wire('top', 'y', 'k', 'd'), 'expose_hidden: true'),
    'several, weights in common, one after the other': `${inputLayer('x', '4×2×3')}${inputLayer('cont', '4×2')}
      ${recurrent('LSTM', 'a', wire('bottom', 'x', 'cont'), wire('top', 'y'), '', shared)}
      ${recurrent('LSTM', 'b', wire('bottom', 'y', 'cont'), wire('top', 'z'), '', shared)}`,
    'of one step and of more axes': `${inputLayer('x', '1×2×2×3')}${inputLayer('cont', '1×2')}
      ${recurrent('LSTM', 'a', wire('bottom', 'x', 'cont'), wire('top', 'y'))}`,
  }

  /** What both nets give for the same numbers, states included. */
  const run = async (net: Net) => {
    const names = net.inputs
    const feeds = names.map((name, k) => {
      const { count } = net.blobs[name]
      const isStart = (i: number) => (name === 'cont' && i < 2 ? 0 : 1)
      return [
        name,
        name === 'cont'
          ? Float32Array.from({ length: count }, (_, i) => isStart(i))
          : seeded(count).map(v => v + k / 10),
      ]
    })
    const outputs = await net.forward(Object.fromEntries(feeds))
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
    )
  }

  test.each(Object.keys(cases))('come back as layers: %s', async name => {
    const net = await Net.create(parseNet(cases[name]), { engine: 'js', seed: 3, phase: 'TEST' })
    const first = await net.toBytes({ format: 'onnx' })
    const back = await Net.create(first, { engine: 'js', phase: 'TEST' })
    const types = (of: Net) => of.layers.map(({ type }) => type).filter(type => type === 'LSTM' || type === 'RNN')
    expect(types(back)).toEqual(types(net))
    expect(back.layers.some(({ type }) => type === 'Gather')).toBe(false)
    expect(Object.keys(back.params).length).toBe(Object.keys(net.params).length)
    expect(Buffer.compare(await back.toBytes({ format: 'onnx' }), first)).toBe(0)
    const known = new Set(net.inputs)
    const zeros = back.inputs.filter(input => !known.has(input))
    const all = await run(back)
    if (zeros.length) {
      // the layer itself begins with zeros; what begins elsewhere gives something else
      const outputs = await back.forward({
        ...Object.fromEntries(back.inputs.map(input => [input, Float32Array.from(back.blobs[input].dataArray)])),
        ...Object.fromEntries(zeros.map(input => [input, new Float32Array(back.blobs[input].count)])),
      })
      expect(Array.from(outputs[net.outputs[0]].data as Float32Array)).toEqual((await run(net))[net.outputs[0]])
    } else expect(all).toEqual(await run(net))
  })

  test('stay steps where one of their nodes is another', async () => {
    const net = await Net.create(parseNet(cases.lstm), { engine: 'js', seed: 3, phase: 'TEST' })
    const graph = await readGraph(await net.toBytes({ format: 'onnx' }))
    const typesOf = (nodes: typeof graph.nodes, outputs = graph.outputs) =>
      importGraph({ ...graph, nodes, outputs }).net.layer?.map(({ type }) => type)
    expect(typesOf(graph.nodes)).toContain('LSTM')
    const last = graph.nodes.findLastIndex(({ op }) => op === 'Tanh')
    expect(typesOf(graph.nodes.map((node, i) => (i === last ? { ...node, op: 'Sigmoid' } : node)))).not.toContain(
      'LSTM',
    )
    // somebody else asks for what lies within
    const inner = graph.nodes.find(({ op }) => op === 'Tanh')!.outputs[0]
    const asked = [...graph.outputs, { name: inner, type: 'float' as const, shape: [2, 3] }]
    expect(typesOf(graph.nodes, asked)).not.toContain('LSTM')
    // last states that nobody asks for
    expect(
      typesOf(
        graph.nodes.filter(({ outputs }) => outputs[0] !== 'a_c_out'),
        graph.outputs.slice(0, 2),
      ),
    ).toContain('LSTM')
  })
})
