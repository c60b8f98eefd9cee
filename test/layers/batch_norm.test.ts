import { describe, expect, test } from 'vitest'
import { BatchNormLayer } from '../../lib/layers/batch_norm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('BatchNorm on %s', engine => {
  test.each([false, true])('hand-worked: batch statistics in TRAIN, in place: %s', async inPlace => {
    // channel 0 holds 1, 3, 5, 7: mean 4, variance 5; channel 1 is constant
    const x = [{ shape: [2, 2, 2], values: [1, 3, 9, 9, 5, 7, 9, 9] }]
    const run = await handPass('type: "BatchNorm" batch_norm_param { eps: 4 moving_average_fraction: 0.5 }', x, {
      engine,
      inPlace,
      params: [[2, 2], [6, 6], [2]],
      dy: [[3, 0, 0, 0, 0, 0, 0, 0]],
    })
    expect(run.y[0]).toEqual([-1, -0.333333, 0, 0, 0.333333, 1, 0, 0])
    // the mean of dy is 3/4, that of dy·y −3/4, the deviation 3
    expect(run.dx[0]).toEqual([0.5, -0.333333, 0, 0, -0.166667, 0, 0, 0])
    // sums: old·fraction + new, the variance times m/(m − 1) = 4/3; the weights: 2·0.5 + 1
    expect(run.w).toEqual([[5, 10], [9.66667, 3], [2]])
  })

  test('hand-worked: the moving statistics in TEST, divided by the third blob, and left alone', async () => {
    const run = await handPass('type: "BatchNorm" batch_norm_param { eps: 0 }', [{ shape: [1, 2], values: [5, 1] }], {
      engine,
      phase: 'TEST',
      params: [[2, 4], [8, 2], [2]],
      dy: [[6, 6]],
    })
    expect(run.y[0]).toEqual([2, -1])
    expect(run.dx[0]).toEqual([3, 6])
    expect(run.w).toEqual([[2, 4], [8, 2], [2]])
  })

  test('a third blob of 0 counts as no statistics', async () => {
    const run = await handPass('type: "BatchNorm" batch_norm_param { eps: 0.25 }', [{ shape: [1, 1], values: [3] }], {
      engine,
      phase: 'TEST',
      params: [[5], [7], [0]],
    })
    expect(run.y[0]).toEqual([6])
  })

  test('statistics move in TEST too where use_global_stats is false', async () => {
    const layer = 'type: "BatchNorm" batch_norm_param { use_global_stats: false }'
    const run = await handPass(layer, [{ shape: [2, 1], values: [1, 3] }], { engine, phase: 'TEST' })
    expect(run.w).toEqual([[2], [2], [1]])
  })

  test('checks in TRAIN', async () => {
    await checkLayer(BatchNormLayer, { bottoms: [[3, 2, 3, 5]], engine, inPlace: true })
    await checkLayer(BatchNormLayer, {
      param: 'batch_norm_param { eps: 0.5 }',
      bottoms: [[5, 3]],
      engine,
      inPlace: true,
    })
  })

  test('checks with the moving statistics', async () => {
    const weights = [[0.3, -2], [2, 5], [3]]
    await checkLayer(BatchNormLayer, { bottoms: [[3, 2, 5]], phase: 'TEST', weights, engine, inPlace: true })
  })

  test('the solver leaves the statistics alone', async () => {
    const net = await handNet('type: "BatchNorm"', [[2, 3]], { engine })
    expect(net.built.learnable.map(param => param.lrMult)).toEqual([0, 0, 0])
  })
})

test('refuses learned statistics, a bottom without channels, and other channels', async () => {
  await expect(handNet('type: "BatchNorm" param { lr_mult: 1 }', [[2, 4]])).rejects.toThrow(
    /param 0 has lr_mult 1.*write lr_mult: 0/,
  )
  await expect(handNet('type: "BatchNorm" param { decay_mult: 0 }', [[2, 4]])).rejects.toThrow(
    /lr_mult 1 \(the default\)/,
  )
  await expect(handNet('type: "BatchNorm"', [[4]])).rejects.toThrow(/at least 2 axes/)
  const net = await handNet('type: "BatchNorm"', [[2, 4]])
  net.blobs.in0.reshape([2, 3])
  await expect(net.forward()).rejects.toThrow(/of 4 channels/)
})

describe.each(hostEngines)("NVCaffe's scale_bias on %s", engine => {
  const scaled = (fields: string) => `type: "BatchNorm" batch_norm_param { eps: 0 ${fields} }`
  const x = [{ shape: [2, 2], values: [1, -1, 5, 1] }]

  test('hand-worked: blobs 3 and 4 scale and shift, fillers alone say so, and both learn', async () => {
    const fields = 'scale_filler { value: 2 } bias_filler { value: 10 }'
    const run = await handPass(scaled(fields), x, { engine, dy: [[1, 1, 2, 3]] })
    expect(run.w.slice(3)).toEqual([
      [2, 2],
      [10, 10],
    ])
    expect(run.y[0]).toEqual([8, 8, 12, 12])
    expect(run.dw.slice(3)).toEqual([
      [1, 2],
      [3, 4],
    ])
    const plain = await handPass(scaled('scale_bias: true'), x, { engine })
    expect(plain.y[0]).toEqual([-1, -1, 1, 1])
    expect(plain.w.slice(3)).toEqual([
      [1, 1],
      [0, 0],
    ])
  })

  test('checks', async () => {
    const param = 'batch_norm_param { scale_bias: true }'
    const options = { param, bottoms: [[4, 3, 2, 3]], engine, inPlace: true }
    const weights = [[1, 2, 3], [4, 5, 6], [2], [1, -2, 0.5], [0, 1, 2]].map(values => Float32Array.from(values))
    await checkLayer(BatchNormLayer, { ...options, phase: 'TEST', weights })
  })
})
