/** Fields that forks added to layers of Caffe: hand-worked numbers on every host engine. */
import { describe, expect, test } from 'vitest'
import { Net, parseNet } from '../../lib/index.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'

const made = (text: string, engine: string, phase: 'TRAIN' | 'TEST' = 'TRAIN') =>
  Net.create(parseNet(`force_backward: true ${text}`), { engine: engine as 'js', phase, seed: 3 })
const input = (name: string, ...dim: number[]) => `${inputLayer(name, dim)}\n`

describe.each(hostEngines)('on %s', engine => {
  const loss = (param: string) =>
    `${input('x', 2, 2)}${input('t', 2)}layer { name: "l" type: "SoftmaxWithLoss" bottom: "x" bottom: "t" top: "l" loss_param { ${param} } }`
  // both scores are equal: every term is log 2, every gradient ±1/2
  const values = { x: new Float32Array(4), t: Float32Array.of(0, 1) }

  test('PRE_FIXED divides by its number', async () => {
    const net = await made(loss('normalization: PRE_FIXED pre_fixed_normalizer: 8'), engine)
    expect((await net.forward(values)).l.data[0]).toBeCloseTo((2 * Math.log(2)) / 8, 6)
    await net.backward()
    expect([...net.blobs['x'].diffArray]).toEqual([-1 / 16, 1 / 16, 1 / 16, -1 / 16])
  })

  test('SegNet weighs classes', async () => {
    const net = await made(loss('weight_by_label_freqs: true class_weighting: 3 class_weighting: 1'), engine)
    expect((await net.forward(values)).l.data[0]).toBeCloseTo((4 * Math.log(2)) / 2, 6)
    await net.backward()
    expect([...net.blobs['x'].diffArray]).toEqual([-3 / 4, 3 / 4, 1 / 4, -1 / 4])
    await expect(made(loss('weight_by_label_freqs: true class_weighting: 3'), engine)).rejects.toThrow(
      /class_weighting has 1 values for 2 classes/,
    )
  })

  test('weights without weight_by_label_freqs have no effect, as in SegNet, and the log says so', async () => {
    const told: string[] = []
    const net = await Net.create(parseNet(loss('class_weighting: 3 class_weighting: 1')), {
      engine: engine as 'js',
      log: line => told.push(line),
    })
    expect((await net.forward(values)).l.data[0]).toBeCloseTo(Math.log(2), 6)
    expect(told.join('\n')).toMatch(/^l: loss_param.class_weighting has no effect, as in SegNet, without/m)
  })

  const dropout = (param: string) =>
    `${input('x', 64)}layer { name: "d" type: "Dropout" bottom: "x" top: "y" dropout_param { dropout_ratio: 0.75 ${param} } }`
  const kinds = async (param: string, phase: 'TRAIN' | 'TEST') => {
    const net = await made(dropout(param), engine, phase)
    return [...new Set((await net.forward({ x: new Float32Array(64).fill(8) })).y.data as Float32Array)].sort(
      (a, b) => a - b,
    )
  }
  test('Dropout scales in TEST, or drops there', async () => {
    expect(await kinds('', 'TRAIN')).toEqual([0, 32])
    expect(await kinds('scale_train: false', 'TRAIN')).toEqual([0, 8])
    expect(await kinds('scale_train: false', 'TEST')).toEqual([2])
    expect(await kinds('sample_weights_test: true', 'TEST')).toEqual([0, 32])
    expect(await kinds('', 'TEST')).toEqual([8])
  })

  test('Pooling rounds down', async () => {
    const pool = (param: string) =>
      `${input('x', 1, 1, 6, 6)}layer { name: "p" type: "Pooling" bottom: "x" top: "p" pooling_param { kernel_size: 3 stride: 2 ${param} } }`
    expect((await made(pool('ceil_mode: false'), engine)).blobs['p'].shape).toEqual([1, 1, 2, 2])
    expect((await made(pool('ceil_mode: true'), engine)).blobs['p'].shape).toEqual([1, 1, 3, 3])
  })
})
