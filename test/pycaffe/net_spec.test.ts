import { describe, expect, test } from 'vitest'
import { OneHotLayer } from '../../docs/examples/custom-layer/one_hot.js'
import { Net } from '../../lib/net.js'
import { printNet } from '../../lib/proto/print.js'
import { messageInfo } from '../../lib/proto/schema.js'
import { parseNet } from '../../lib/proto/text.js'
import { customLayer, L, NetSpec, P, type Top, toProto } from '../../lib/pycaffe/net_spec.js'
import { layerTypes, messagesOf, registerLayer } from '../../lib/registry.js'

const xavier = { type: 'xavier' } as const

function lenet() {
  const n = new NetSpec()
  ;[n.data, n.label] = L.DummyData({
    shape: [{ dim: [2, 1, 28, 28] }, { dim: [2] }],
    transform_param: { scale: 1 / 256 },
    ntop: 2,
  })
  n.conv1 = L.Convolution(n.data, {
    kernel_size: 5,
    num_output: 20,
    weight_filler: xavier,
    param: [{ lr_mult: 1 }, { lr_mult: 2 }],
  })
  n.pool1 = L.Pooling(n.conv1, { kernel_size: 2, stride: 2, pool: P.Pooling.MAX })
  n.ip1 = L.InnerProduct(n.pool1, { num_output: 50, weight_filler: xavier })
  n.relu1 = L.ReLU(n.ip1, { in_place: true })
  n.ip2 = L.InnerProduct(n.relu1, { num_output: 10, weight_filler: xavier })
  n.loss = L.SoftmaxWithLoss(n.ip2, n.label, { loss_weight: 0.5, ignore_label: 3 })
  n.accuracy = L.Accuracy(n.ip2, n.label, { include: { phase: 'TEST' }, top_k: 2 })
  return n
}

const written = `
layer { name: "data" type: "DummyData" top: "data" top: "label" transform_param { scale: 0.00390625 }
  dummy_data_param { shape { dim: [2, 1, 28, 28] } shape { dim: 2 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param { lr_mult: 2 }
  convolution_param { num_output: 20 kernel_size: 5 weight_filler { type: "xavier" } } }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "ip1" type: "InnerProduct" bottom: "pool1" top: "ip1" inner_product_param { num_output: 50 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" loss_weight: 0.5 loss_param { ignore_label: 3 } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" include { phase: TEST } accuracy_param { top_k: 2 } }`

describe('NetSpec', () => {
  test('LeNet is the prototxt that one would write, and builds', async () => {
    const param = lenet().toProto()
    expect(printNet(param)).toBe(printNet(parseNet(written)))
    using net = await Net.create(param, { phase: 'TEST', engine: 'js' })
    expect(net.blobs['ip2'].shape).toEqual([2, 10])
    expect(net.outputs).toEqual(['accuracy', 'loss'])
  })

  test('layers come in the order of need, each once, whatever the order of assignment', () => {
    const data = L.Input({ shape: { dim: [1, 2] } })
    const hidden = L.InnerProduct(data, { num_output: 3 })
    const n = new NetSpec()
    n.sum = L.Eltwise(hidden, L.Power(hidden, { scale: 2 }))
    n.hidden = hidden
    n.data = data
    expect(n.toProto().layer?.map(({ name, bottom }) => [name, bottom])).toEqual([
      ['data', undefined],
      ['hidden', ['data']],
      ['Power1', ['hidden']],
      ['sum', ['hidden', 'Power1']],
    ])
  })

  test('names that nobody gave are type and number, counted for tops too', () => {
    const [a, b] = L.DummyData({ shape: { dim: 3 }, ntop: 2 })
    const sum = L.Eltwise(L.ReLU(a, { in_place: true }), b)
    const names = sum.toProto().layer?.map(({ name, top }) => [name, top])
    expect(names).toEqual([
      ['DummyData1', ['DummyData1', 'DummyData2']],
      ['ReLU1', ['DummyData1']],
      ['Eltwise1', ['Eltwise1']],
    ])
    expect(toProto(a, sum)).toEqual(sum.toProto())
    // making the proto again gives the same names
    expect(sum.toProto()).toEqual(sum.toProto())
  })

  test('layers without tops', async () => {
    const n = new NetSpec()
    ;[n.data, n.data2] = L.DummyData({ shape: { dim: 3 }, ntop: 2 })
    n.silence = L.Silence(n.data, { ntop: 0 })
    const param = toProto(...[n.silence, L.Silence(n.data2, { ntop: 0 })])
    expect(param.layer?.map(layer => layer.name)).toEqual(['data', 'silence', 'Silence1'])
    const named = n.toProto()
    expect(named.layer?.at(-1)).toEqual({ name: 'silence', type: 'Silence', bottom: ['data'] })
    using net = await Net.create(param, { engine: 'js' })
    expect(Object.keys(await net.forward())).toEqual([])
    expect(() => L.ReLU(n.silence)).toThrow(/bottom 0 is a Silence layer with ntop: 0/)
  })

  test('parameters find their message; what ends in param is named in full', () => {
    const n = new NetSpec()
    n.d = L.Input({ input_param: { shape: { dim: [1, 2, 3, 3] } } })
    n.up = L.Deconvolution(n.d, { num_output: 2, kernel_size: [2, 3], param: { lr_mult: 0 } })
    n.up2 = L.Deconvolution(n.d, { convolution_param: { num_output: 2, kernel_size: 2 }, stride: 2 })
    n.python = L.Python(n.d, { module: 'pyloss', layer: 'Mine', param_str: "'margin': 0.2" })
    n.scale = L.Scale(n.d, { bias_term: true, filler: { value: 2 }, in_place: true, propagate_down: false })
    n.reshape = L.Reshape(n.d, { shape: { dim: [0, -1] } })
    const [, up, up2, python, scale, reshape] = n.toProto().layer!
    expect(up.convolution_param).toEqual({ num_output: 2, kernel_size: [2, 3] })
    expect(up.param).toEqual([{ lr_mult: 0 }])
    expect(up2.convolution_param).toEqual({ num_output: 2, kernel_size: [2], stride: [2] })
    expect(python.python_param).toEqual({ module: 'pyloss', layer: 'Mine', param_str: "'margin': 0.2" })
    expect(scale).toEqual({
      name: 'scale',
      type: 'Scale',
      bottom: ['d'],
      top: ['d'],
      propagate_down: [false],
      scale_param: { bias_term: true, filler: { value: 2 } },
    })
    expect(reshape.reshape_param).toEqual({ shape: { dim: [0, -1] } })
  })

  // as the compiler sees them too: a class declares its messages by their names, not as a list of any
  test('layers that others are made of take their own fields', () => {
    const n = new NetSpec()
    ;[n.data, n.label] = L.Data({ source: 'train_lmdb', backend: P.Data.LMDB, batch_size: 64, ntop: 2 })
    n.permute = L.Permute(n.data, { order: [0, 2, 1, 3] })
    n.transpose = L.Transpose(n.permute, { dim: [0, 2, 1, 3] })
    n.dropout = L.SpatialDropout(n.transpose, { dropout_ratio: 0.1 })
    n.lstm = L.LSTM(n.dropout, n.label, { num_output: 3 })
    const [data, permute, transpose, dropout, lstm] = n.toProto().layer!
    expect(data.data_param).toEqual({ source: 'train_lmdb', backend: 'LMDB', batch_size: 64 })
    expect(permute.permute_param).toEqual({ order: [0, 2, 1, 3] })
    expect(transpose.transpose_param).toEqual({ dim: [0, 2, 1, 3] })
    expect(dropout.spatial_dropout_param).toEqual({ dropout_ratio: 0.1 })
    expect(lstm.recurrent_param).toEqual({ num_output: 3 })
  })

  test('own layers, and names that are no words', async () => {
    registerLayer('MyOneHot', OneHotLayer)
    const MyOneHot = customLayer('MyOneHot')
    const n = new NetSpec()
    n.label = L.Input({ shape: { dim: 2 } })
    n.scores = L.Input({ shape: { dim: [2, 3] } })
    n['loss/one hot'] = MyOneHot(n.label, n.scores, { include: { phase: 'TEST' } })
    using net = await Net.create(n.toProto(), { engine: 'js', phase: 'TEST' })
    const out = await net.forward({ label: [2, 0], scores: new Float32Array(6) })
    expect([...out['loss/one hot'].data]).toEqual([0, 0, 1, 1, 0, 0])
    expect(Object.keys(n)).toEqual(['label', 'scores', 'loss/one hot'])
    expect('scores' in n).toBe(true)
    delete n['loss/one hot']
    expect(n.toProto().layer).toHaveLength(2)
  })

  test('what is wrong is said when it is written', () => {
    const n = new NetSpec()
    n.data = L.Input({ shape: { dim: [1, 2] } })
    const two = L.DummyData({ shape: { dim: 3 }, ntop: 2 })
    // @ts-expect-error a list of tops is no top
    expect(() => L.Silence(two, { ntop: 0 })).toThrow(/Silence: bottom 0 is no top but a list of 2/)
    L.Silence(...two, { ntop: 0 })
    expect(() => L.ReLU(n.missing)).toThrow(/bottom 0 is no top but undefined/)
    // @ts-expect-error no such field
    n.conv = L.Convolution(n.data, { kernel_sise: 3 })
    expect(() => n.toProto()).toThrow(
      /layer 'conv' \(Convolution\) has no parameter 'kernel_sise'; did you mean 'kernel_size'/,
    )
    // @ts-expect-error an enum has its words
    n.conv = L.Pooling(n.data, { pool: 'MAXIMUM' })
    expect(() => n.toProto()).toThrow(
      /layer 'conv' \(Pooling\): pooling_param.pool must be one of MAX, AVE, STOCHASTIC/,
    )
    expect(() => {
      n.pair = two as unknown as Top
    }).toThrow(/n.pair must be a top, not a list of 2/)
    expect(() => L.ReLU({ in_place: true })).toThrow(/needs a bottom for every top/)
    // @ts-expect-error kernels are numbers
    expect(() => toProto(L.Convolution(n.data, { kernel_size: '3' }))).toThrow(/kernel_size/)
  })

  test('constants', () => {
    expect(P.Pooling.AVE).toBe('AVE')
    expect(P.Eltwise.PROD).toBe('PROD')
    expect(P.Reduction.SUMSQ).toBe('SUMSQ')
    expect(P.Data.LMDB).toBe('LMDB')
    // @ts-expect-error no such message
    expect(P.Nothing).toBeUndefined()
  })

  test('every message of a layer is that of a type', () => {
    const builtIn = layerTypes().filter(type => type !== 'MyOneHot')
    const used = new Set(builtIn.flatMap(type => messagesOf(type)))
    // 148 is the last of Caffe 1.0; what forks have added behind it waits for its layers
    const messages = messageInfo('LayerParameter').fields.filter(
      f => f.name.endsWith('_param') && f.number > 0 && f.number <= 148,
    )
    expect(messages.map(field => field.name).filter(name => !used.has(name))).toEqual(['transform_param'])
  })
})

describe('names that the program gave', () => {
  const spec = () => {
    const n = new NetSpec()
    n.data = L.Input({ shape: { dim: [1, 4] } })
    n.ip = L.InnerProduct(n.data, { num_output: 2 })
    n.relu = L.ReLU(n.ip, { in_place: true })
    return n
  }
  const names = (net: { layer?: { name?: string }[] }) => net.layer?.map(({ name }) => name)

  test('are kept by toProto of a top, so that trained weights fit', () => {
    const n = spec()
    expect(names(n.relu.toProto())).toEqual(['data', 'ip', 'relu'])
    expect(names(toProto(L.Softmax(n.ip)))).toEqual(['data', 'ip', 'Softmax1'])
  })

  test('are given once: the second of a name gets a made-up one, and so does what has the name of one', () => {
    const [a, b] = [spec(), spec()]
    expect(names(toProto(L.Eltwise(a.ip, b.ip)))).toEqual(['data', 'ip', 'Input1', 'InnerProduct1', 'Eltwise1'])
    const n = new NetSpec()
    n.Input1 = L.Input({ shape: { dim: [1, 4] } })
    expect(names(toProto(n.Input1, L.Input({ shape: { dim: [1, 4] } })))).toEqual(['Input1', 'Input2'])
  })
})
