import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs/minimal.js'
import { expect, describe as suite, test } from 'vitest'
import { parseCaffeTime, withoutData } from '../bench/caffe_log.js'
import { goalsText } from '../bench/goals.js'
import { graphOf } from '../bench/graph.js'
import { createNet, describe, nets, stateOf, unfilled } from '../bench/nets/index.js'
import { onnxOf } from '../bench/onnx.js'
import { median } from '../bench/protocol.js'
import { Net } from '../lib/net.js'
import { goldenPath } from './golden.js'

test('the log of caffe time', () => {
  const times = parseCaffeTime(readFileSync(goldenPath('logs/caffe_time_lenet.log'), 'utf8'))
  expect(times).toMatchObject({ iterations: 100, forward: 9.46889, backward: 9.95435, forwardBackward: 19.45 })
  expect(times.layers.map(layer => layer.name)).toEqual([
    'mnist',
    'conv1',
    'pool1',
    'conv2',
    'pool2',
    'ip1',
    'relu1',
    'ip2',
    'loss',
  ])
  expect(times.layers[3]).toEqual({ name: 'conv2', forward: 3.61175, backward: 7.00571 })
  const { forward, backward } = withoutData(times, ['mnist'])
  expect(forward).toBeCloseTo(9.46889 - 0.02919, 6)
  expect(backward).toBeCloseTo(9.95435 - 0.00056, 6)
  expect(() => parseCaffeTime('I20261121 caffe.cpp:366] Testing for 100 iterations.')).toThrow('averages are missing')
})

test('the median of an even and an odd number of samples', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([4, 1, 9, 2])).toBe(3)
})

suite('nets', () => {
  /** Learned values, from the published layer sizes; ResNet's include BatchNorm's two statistics and their divisor. */
  const learned: Record<string, number> = {
    lenet: 20 * 26 + 50 * 501 + 500 * 801 + 10 * 501,
    cifar10_quick: 32 * 76 + 32 * 801 + 64 * 801 + 64 * 1025 + 10 * 65,
    caffenet: 60_965_224,
    googlenet: 13_378_280,
    squeezenet: 1_235_496,
    resnet18: 11_689_512 + 20 + 2 * (64 * 5 + (128 + 256 + 512) * 5),
    lstm: 4 * 256 * (64 + 256 + 1) + 4 * 256 * (256 + 256 + 1) + 10 * 257,
    mlp: 100 * 785 + 10 * 101,
  }
  test.each(Object.keys(learned))('%s has as many params as published', async name => {
    const net = await Net.create(unfilled(describe(name, nets[name].batch)), {
      ...stateOf('train'),
      engine: 'js',
      seed: 1,
    })
    const count = Object.values(net.params)
      .flat()
      .reduce((sum, blob) => sum + blob.count, 0)
    expect(count).toBe(learned[name])
    expect(net.built.nodes.at(-1)!.layer.isLoss).toBe(true)
    net.dispose()
  })

  test('a deployed net takes the batch that is asked for', async () => {
    const lenet = await createNet('lenet', 'inference', 3, 'js', 1)
    expect(lenet.blobs['data'].shape).toEqual([3, 1, 28, 28])
    expect(lenet.outputs).toEqual(['prob'])
    const lstm = await createNet('lstm', 'inference', 2, 'js', 1)
    expect(lstm.blobs['data'].shape).toEqual([32, 2, 64])
    expect(lstm.blobs['prob'].shape).toEqual([2, 10])
    for (const net of [lenet, lstm]) net.dispose()
  })
})

test('an ONNX model holds the nodes, constants, inputs and outputs of the net', async () => {
  const net = await createNet('lenet', 'inference', 2, 'js', 1)
  const graph = graphOf(net)
  const model = fields(onnxOf(graph))
  const inside = fields(model[7][0] as Uint8Array)
  const text = (value: unknown) => new TextDecoder().decode(value as Uint8Array)
  expect(inside[1].map(node => text(fields(node as Uint8Array)[4][0]))).toEqual([
    ...['Conv', 'MaxPool', 'Conv', 'MaxPool', 'Flatten', 'Gemm', 'Relu', 'Gemm', 'Softmax'],
  ])
  const constants = inside[5].map(tensor => fields(tensor as Uint8Array)[9][0] as Uint8Array)
  expect(constants.map(raw => raw.length / 4)).toEqual([500, 20, 25000, 50, 400000, 500, 5000, 10])
  expect(new Float32Array(new Uint8Array(constants[0]).buffer)).toEqual(
    new Float32Array(net.params['conv1'][0].dataArray),
  )
  expect(inside[11].map(value => text(fields(value as Uint8Array)[1][0]))).toEqual(['data'])
  expect(inside[12].map(value => text(fields(value as Uint8Array)[1][0]))).toEqual(['prob', 'ip2'])
  net.dispose()
})

test('goals are scaled by what the peers reach on this machine', () => {
  const row = (engine: string, threads: number, ms: number) => ({
    net: 'lenet',
    mode: 'train' as const,
    batch: 64,
    engine,
    threads,
    ms,
    least: ms,
    n: 5,
  })
  const text = goalsText([row('wasm', 1, 30), row('wasm', 2, 17)], { lenet: { 'onnxruntime-web': { 2: 28.5 } } })
  // half as fast a machine: hold 21, reach 16
  expect(text).toMatch(/LeNet +17 +21 +16 +held/)
  expect(text).toMatch(/LeNet +wasm +1\.76× +≥ 1\.8× +short/)
})

/** Protobuf fields by number: integers and byte strings. */
function fields(bytes: Uint8Array): Record<number, (number | Uint8Array)[]> {
  const reader = protobuf.Reader.create(bytes)
  const found: Record<number, (number | Uint8Array)[]> = {}
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    const list = (found[tag >>> 3] ??= [])
    if ((tag & 7) === 0) list.push(Number(reader.int64()))
    else if ((tag & 7) === 2) list.push(reader.bytes())
    else list.push(reader.float())
  }
  return found
}
