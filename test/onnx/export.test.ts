import { beforeAll, describe, expect, test } from 'vitest'
import type { Blob } from '../../lib/blob.js'
import { Layer } from '../../lib/layer.js'
import { Net } from '../../lib/net.js'
import type { ToOnnx } from '../../lib/onnx/builder.js'
import { float } from '../../lib/onnx/builder.js'
import { exportNet } from '../../lib/onnx/export.js'
import type { Graph } from '../../lib/onnx/graph.js'
import { readGraph } from '../../lib/onnx/read.js'
import { parseNet } from '../../lib/proto/text.js'
import { registerLayer } from '../../lib/registry.js'
import { expectClose } from '../golden.js'
import { inputLayer } from '../shapes.js'
import { ortVersion, runOnnx } from './onnxruntime.js'

const netOf = (text: string, phase: 'TRAIN' | 'TEST' = 'TEST'): Promise<Net> =>
  Net.create(parseNet(text), { phase, engine: 'js', seed: 7 })

const graphOf = async (text: string): Promise<Graph> => exportNet((await netOf(text)).built)

const input = (name: string, ...dims: number[]): string => `${inputLayer(name, dims)}\n`

const layer = (name: string, type: string, bottom: string, top: string, more = ''): string => {
  const list = (field: string, names: string) =>
    names
      .split(' ')
      .map(item => `${field}: "${item}"`)
      .join(' ')
  return `layer { name: "${name}" type: "${type}" ${list('bottom', bottom)} ${list('top', top)} ${more} }\n`
}

const CONVOLUTION = 'convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } }'
const FC = 'inner_product_param { num_output: 3 weight_filler { type: "xavier" } }'

describe('names', () => {
  test('of inputs and outputs are those of the blobs, whatever these are', async () => {
    const names = ['input:0', 'onnx::Flatten_0', '__proto__', 'a/b']
    const text = names
      .map((name, i) => input(name, 2, i + 1) + layer(`l${i}`, 'ReLU', name, `{"${name}"}`.replaceAll('"', "'")))
      .join('')
    const { inputs, outputs } = await graphOf(text)
    expect(inputs.map(({ name }) => name)).toEqual(names)
    expect(outputs.map(({ name }) => name)).toEqual(names.map(name => `{'${name}'}`).sort())
  })

  test('of what is written in place: the last value is the blob, those before say by which layer', async () => {
    const { nodes } = await graphOf(
      input('data', 1, 2, 5, 5) +
        layer('conv', 'Convolution', 'data', 'x', CONVOLUTION) +
        layer('relu', 'ReLU', 'x', 'x') +
        layer('sig', 'Sigmoid', 'x', 'x'),
    )
    expect(nodes.map(({ name, inputs, outputs }) => [name, inputs[0], outputs[0]])).toEqual([
      ['conv', 'data', 'x:conv'],
      ['relu', 'x:conv', 'x:relu'],
      ['sig', 'x:relu', 'x'],
    ])
  })

  test('of an input that is written over: it keeps its own', async () => {
    const { inputs, outputs, nodes } = await graphOf(input('data', 1, 2) + layer('relu', 'ReLU', 'data', 'data'))
    expect(inputs[0].name).toBe('data')
    expect(outputs[0].name).toBe('data_out')
    expect(nodes[0].outputs).toEqual(['data_out'])
  })

  test('of a value that two blobs are', async () => {
    const drop = layer('drop', 'Dropout', 'fc', 'dropped')
    const text = input('data', 1, 2) + layer('fc', 'InnerProduct', 'data', 'fc', FC)
    const once = await graphOf(text + drop)
    expect(once.nodes.map(({ op }) => op)).toEqual(['Gemm'])
    expect(once.outputs.map(({ name }) => name)).toEqual(['dropped'])
    const both = exportNet((await netOf(text + drop)).built, { outputs: ['fc', 'dropped'] })
    expect(both.nodes.map(({ op, outputs }) => [op, outputs[0]])).toEqual([
      ['Gemm', 'fc'],
      ['Identity', 'dropped'],
    ])
  })

  test('of params, shared ones being one constant', async () => {
    const shared = `param { name: "w" } param { name: "b" } ${FC}`
    const { initializers, nodes } = await graphOf(
      input('a', 1, 2) +
        input('b', 1, 2) +
        layer('one', 'InnerProduct', 'a', 'x', shared) +
        layer('two', 'InnerProduct', 'b', 'y', shared),
    )
    expect([...initializers.keys()]).toEqual(['one_0', 'one_1'])
    expect(nodes.map(({ inputs }) => inputs.slice(1))).toEqual([
      ['one_0', 'one_1'],
      ['one_0', 'one_1'],
    ])
  })
})

describe('what is left out', () => {
  test('layers and inputs that no output needs, and a mask that nobody reads', async () => {
    const text =
      input('data', 1, 2, 4, 4) +
      input('label', 1) +
      layer('pool', 'Pooling', 'data', 'pool mask', 'pooling_param { kernel_size: 2 stride: 2 }') +
      layer('quiet', 'Silence', 'label', '').replace('top: ""', '') +
      layer('mute', 'Silence', 'mask', '').replace('top: ""', '')
    const { inputs, nodes } = await graphOf(text)
    expect(inputs.map(({ name }) => name)).toEqual(['data'])
    expect(nodes.map(({ op, outputs }) => [op, outputs])).toEqual([['MaxPool', ['pool']]])
  })

  test('a Scale behind a BatchNorm is in its node, unless somebody else reads what is between', async () => {
    const bn = layer('bn', 'BatchNorm', 'data', 'x')
    const scale = layer('scale', 'Scale', 'x', 'y', 'scale_param { bias_term: true }')
    const joined = await graphOf(input('data', 2, 3, 2, 2) + bn + scale)
    expect(joined.nodes.map(({ op, inputs }) => [op, inputs.slice(1)])).toEqual([
      ['BatchNormalization', ['scale_0', 'scale_1', 'bn_0', 'bn_1']],
    ])
    expect(joined.outputs[0].name).toBe('y')
    const apart = await graphOf(input('data', 2, 3, 2, 2) + bn + scale + layer('relu', 'ReLU', 'x', 'z'))
    expect(apart.nodes.map(({ op }) => op)).toEqual(['BatchNormalization', 'Mul', 'Add', 'Relu'])
    const inPlace = await graphOf(input('data', 2, 3, 2, 2) + bn + layer('scale', 'Scale', 'x', 'x'))
    expect(inPlace.nodes.map(({ op }) => op)).toEqual(['BatchNormalization'])
  })
})

test('one error lists every layer that cannot go', async () => {
  const text =
    input('data', 1, 2, 4, 4) +
    layer('pool1', 'Pooling', 'data', 'a', 'pooling_param { pool: STOCHASTIC kernel_size: 2 }') +
    layer('relu', 'ReLU', 'a', 'b') +
    layer('columns', 'Im2col', 'b', 'c', 'convolution_param { kernel_size: 2 axis: 2 }') +
    layer('norm', 'LRN', 'b', 'd')
  const net = await netOf(text)
  const error = await net.toBytes({ format: 'onnx' }).catch(error => error)
  expect(error.message).toBe(
    "layer 'pool1' (Pooling): pool: STOCHASTIC has no ONNX form: choose MAX or AVE\n" +
      "layer 'columns' (Im2col): columns of 1 spatial axes have no ONNX form: it has them of pictures alone",
  )
  expect(error.causes.map(({ layer }: { layer: string }) => layer)).toEqual(['pool1', 'columns'])
})

describe('toBytes and save', () => {
  const lenet =
    layer('conv', 'Convolution', 'data', 'conv', CONVOLUTION) +
    layer('pool', 'Pooling', 'conv', 'pool', 'pooling_param { kernel_size: 3 stride: 2 pad: 1 }') +
    layer('relu', 'ReLU', 'pool', 'pool') +
    layer('fc', 'InnerProduct', 'pool', 'fc', FC)

  test('any batch where there is a form for it', async () => {
    const net = await netOf(input('data', 4, 2, 9, 9) + lenet + layer('prob', 'Softmax', 'fc', 'prob'))
    const bytes = await net.toBytes({ format: 'onnx', batch: 'dynamic', metadata: { mean: '104' } })
    const { inputs, outputs, metadata } = await readGraph(bytes)
    expect(inputs).toEqual([{ name: 'data', type: 'float', shape: ['N', 2, 9, 9] }])
    expect(outputs).toEqual([{ name: 'prob', type: 'float', shape: ['N', 3] }])
    expect(metadata).toEqual(new Map([['mean', '104']]))
    const fixed = await readGraph(await net.toBytes({ format: 'onnx', batch: 'fixed' }))
    expect(fixed.inputs[0].shape).toEqual([4, 2, 9, 9])
    if (ortVersion === undefined) return
    const data = Float32Array.from({ length: 3 * 162 }, (_, i) => Math.sin(i))
    const got = await runOnnx(bytes, { data: { data, shape: [3, 2, 9, 9] } })
    net.blobs.data.reshape(3, 2, 9, 9)
    const { prob } = await net.forward({ data })
    expect(got.prob.shape).toEqual([3, 3])
    expectClose(got.prob.data, prob.data, 1e-5, 1e-6, 'prob')
  })

  test('a fixed one where there is none, with a word why', async () => {
    const text = input('data', 2, 6) + layer('all', 'Reshape', 'data', 'y', 'reshape_param { shape { dim: 3 dim: 4 } }')
    const notes: string[] = []
    const net = await Net.create(parseNet(text), { engine: 'js', log: line => notes.push(line) })
    const { inputs } = await readGraph(await net.toBytes({ format: 'onnx' }))
    expect(inputs[0].shape).toEqual([2, 6])
    expect(notes.at(-1)).toMatch(/^The ONNX file is for batches of 2 alone: layer 'all' \(Reshape\): /)
    await expect(net.toBytes({ format: 'onnx', batch: 'dynamic' })).rejects.toThrow('no ONNX form for every batch')
    const tiled = await netOf(input('data', 2, 6) + layer('t', 'Tile', 'data', 'y', 'tile_param { axis: 0 tiles: 2 }'))
    expect((await readGraph(await tiled.toBytes({ format: 'onnx' }))).outputs[0].shape).toEqual(['N', 6])
  })

  test('a net that is trained is written as its deploy net: several losses, no labels', async () => {
    const text =
      input('data', 4, 2, 9, 9) +
      input('label', 4) +
      input('other', 4) +
      lenet +
      layer('fc2', 'InnerProduct', 'pool', 'fc2', FC) +
      layer('loss1', 'SoftmaxWithLoss', 'fc label', 'loss1') +
      layer('loss2', 'SigmoidCrossEntropyLoss', 'fc2 other', 'loss2') +
      layer('accuracy', 'Accuracy', 'fc label', 'accuracy')
    const net = await netOf(
      text.replace(
        'name: "other" type: "Input" top: "other" input_param { shape { dim: 4 } }',
        'name: "other" type: "Input" top: "other" input_param { shape { dim: 4 dim: 3 } }',
      ),
      'TRAIN',
    )
    const { inputs, outputs, nodes, initializers } = await readGraph(await net.toBytes({ format: 'onnx' }))
    expect(inputs.map(({ name }) => name)).toEqual(['data'])
    expect(outputs.map(({ name }) => name)).toEqual(['fc2_prob', 'prob'])
    expect(nodes.map(({ op }) => op)).toEqual([
      'Conv',
      'MaxPool',
      'Relu',
      'Reshape',
      'Gemm',
      'Reshape',
      'Gemm',
      'Softmax',
      'Sigmoid',
    ])
    expect([...initializers.get('conv_0')!.data]).toEqual([...net.params.conv[0].dataArray])
    await expect(net.toBytes({ format: 'onnx', losses: true })).rejects.toThrow('is of phase TRAIN')
  })

  test('losses: true keeps the net as it stands', async () => {
    const net = await netOf(input('a', 4, 2) + input('b', 4, 2) + layer('loss', 'EuclideanLoss', 'a b', 'loss'))
    const { inputs, outputs } = await readGraph(await net.toBytes({ format: 'onnx', losses: true }))
    expect(inputs.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(outputs).toEqual([{ name: 'loss', type: 'float', shape: [] }])
  })

  test('the outputs that are asked for', async () => {
    const net = await netOf(input('data', 1, 2, 9, 9) + lenet)
    const { nodes, outputs } = await readGraph(await net.toBytes({ format: 'onnx', outputs: ['pool'] }))
    expect(outputs.map(({ name }) => name)).toEqual(['pool'])
    expect(nodes.map(({ op }) => op)).toEqual(['Conv', 'MaxPool', 'Relu'])
    await expect(net.toBytes({ format: 'onnx', outputs: ['poll'] })).rejects.toThrow(
      "no blob 'poll' to write; did you mean 'pool'?",
    )
  })

  test('options of ONNX are for ONNX', async () => {
    const net = await netOf(input('data', 1, 2))
    await expect(net.toBytes({ batch: 'fixed' })).rejects.toThrow('the option batch is for ONNX models')
    await expect(net.toBytes({ format: 'onnx', batch: 'any' as 'fixed' })).rejects.toThrow("'fixed' or 'dynamic'")
  })
})

describe('layers of a program', () => {
  class Doubled extends Layer {
    static toOnnx: ToOnnx = graph => {
      graph.last('Mul', [graph.inputs[0], graph.scalar(2)])
    }
    override reshape(bottom: Blob[], top: Blob[]): void {
      top[0].reshapeLike(bottom[0])
    }
    override forward(bottom: Blob[], top: Blob[]): void {
      bottom[0].dataArray.forEach((value, i) => {
        top[0].dataArray[i] = 2 * value
      })
    }
  }
  class Plain extends Doubled {
    static override toOnnx = undefined as never
  }
  beforeAll(() => {
    registerLayer('OnnxDoubled', Doubled)
    registerLayer('OnnxPlain', Plain)
  })

  test('are written by their class', async () => {
    const { nodes, outputs } = await graphOf(input('data', 1, 2) + layer('twice', 'OnnxDoubled', 'data', 'y'))
    expect(nodes.map(({ name, op, inputs }) => [name, op, inputs[0]])).toEqual([['twice', 'Mul', 'data']])
    expect(outputs[0].name).toBe('y')
  })

  test('or are an error that says how', async () => {
    const text = input('data', 1, 2) + layer('plain', 'OnnxPlain', 'data', 'y')
    await expect(graphOf(text)).rejects.toThrow(
      "layer 'plain' (OnnxPlain): it has no ONNX form: leave it out, name outputs before it, or give its class a static toOnnx",
    )
  })
})

test('an LSTM in one node computes what its steps do, where sequences begin at step 0', async () => {
  if (ortVersion === undefined) return
  const recurrent =
    'recurrent_param { num_output: 3 weight_filler { type: "uniform" min: -0.5 max: 0.5 } bias_filler { type: "uniform" min: -0.5 max: 0.5 } }'
  const net = await netOf(input('x', 4, 2, 5) + input('cont', 4, 2) + layer('lstm', 'LSTM', 'x cont', 'y', recurrent))
  const x = Float32Array.from({ length: 40 }, (_, i) => Math.cos(i))
  const cont = Float32Array.from({ length: 8 }, (_, i) => (i < 2 ? 0 : 1))
  const { y } = await net.forward({ x, cont })
  const whole = await runOnnx(await net.toBytes({ format: 'onnx', sequence: 'whole' }), {
    x: { data: x, shape: [4, 2, 5] },
  })
  expect(whole.y.shape).toEqual([4, 2, 3])
  expectClose(whole.y.data, y.data, 1e-5, 1e-6, 'y')
})

describe('newer operators', () => {
  const text =
    input('x', 2, 3, 4, 5) +
    input('rois', 2, 5) +
    layer('mvn', 'MVN', 'x', 'm') +
    layer('norm', 'LayerNorm', 'm', 'n', 'layer_norm_param { axis: 2 }') +
    layer('most', 'Reduce', 'n', 'y', 'reduce_param { axis: 1 axis: 3 operation: LOG_SUM_EXP }') +
    layer('align', 'ROIAlign', 'x rois', 'z', 'roi_align_param { pooled_h: 2 pooled_w: 2 sampling_ratio: 2 }')

  test.each([13, 15, 16, 18, 21])('operator set %i', async opset => {
    const net = await netOf(text)
    const bytes = await net.toBytes({ format: 'onnx', batch: 'fixed', opset })
    const graph = await readGraph(bytes)
    expect(graph.opset).toBe(opset)
    const reductions = graph.nodes.filter(({ op }) => op === 'ReduceMean' || op === 'ReduceLogSumExp')
    expect(reductions.length).toBeGreaterThan(3)
    for (const { inputs, attributes } of reductions)
      expect([inputs.length, attributes.has('axes')]).toEqual(opset < 18 ? [1, true] : [2, false])
    const align = graph.nodes.find(({ op }) => op === 'RoiAlign')
    expect(align?.attributes.has('coordinate_transformation_mode')).toBe(opset >= 16)
    if (ortVersion === undefined) return
    const x = Float32Array.from({ length: 120 }, (_, i) => Math.sin(i * 1.7))
    const rois = Float32Array.of(0, 0, 0, 3, 2, 1, 1, 1, 4, 3)
    const expected = await net.forward({ x, rois })
    const got = await runOnnx(bytes, { x: { data: x, shape: [2, 3, 4, 5] }, rois: { data: rois, shape: [2, 5] } })
    for (const name of ['y', 'z']) expectClose(got[name].data, expected[name].data, 1e-5, 1e-5, name)
  })

  test('others than 13 to 21 are refused', async () => {
    const net = await netOf(input('x', 1) + layer('relu', 'ReLU', 'x', 'y'))
    for (const opset of [12, 22])
      await expect(net.toBytes({ format: 'onnx', opset })).rejects.toThrow(`opset: ${opset} is none of those`)
  })
})

test('attributes are numbers as float32 has them', () => {
  expect(float(1 / 3)).toEqual({ type: 'float', value: 0.33333334 })
})
