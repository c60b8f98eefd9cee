import { describe, expect, test } from 'vitest'
import { BNLayer } from '../../lib/layers/bn.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { inputLayer } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const pspnet = (more = '') => `bn_param { slope_filler { value: 1 } bias_filler { value: 0 } ${more} }`
const segnet = (more = '') => `bn_param { scale_filler { value: 1 } shift_filler { value: 0 } ${more} }`
// mean 3 and variance 4 of the first channel, 0 and 1 of the second
const x = [{ shape: [2, 2, 1, 1], values: [1, -1, 5, 1] }]

describe.each(hostEngines)('BN on %s', engine => {
  test("hand-worked, PSPNet's: the batch in TRAIN, what is stored in TEST", async () => {
    const train = await handPass(`type: "BN" ${pspnet('momentum: 0.75 eps: 0')}`, x, { engine, phase: 'TRAIN' })
    expect(train.y[0]).toEqual([-1, -1, 1, 1])
    expect(train.w.slice(2)).toEqual([
      [0.75, 0],
      [1, 0.25],
    ])
    const params = [
      [2, 3],
      [10, 20],
      [1, 0],
      [4, 0.25],
    ]
    const stored = await handPass(`type: "BN" ${pspnet('eps: 0')}`, x, {
      engine,
      phase: 'TEST',
      params,
      dy: [[1, 1, 1, 1]],
    })
    expect(stored.y[0]).toEqual([10, 14, 14, 26])
    expect(stored.dx[0]).toEqual([1, 6, 1, 6])
    expect(stored.dw.slice(0, 2)).toEqual([
      [2, 0],
      [2, 2],
    ])
    const frozen = await handPass(`type: "BN" ${pspnet('eps: 0 frozen: true')}`, x, {
      engine,
      params,
      dy: [[1, 1, 1, 1]],
    })
    expect(frozen.y[0]).toEqual(stored.y[0])
    expect(frozen.dw.slice(0, 2)).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(frozen.w).toEqual(params)
  })

  test("hand-worked, SegNet's: the batch in every phase, its statistics as tops, or none", async () => {
    const learn = await handPass(`type: "BN" ${segnet()}`, x, { engine, phase: 'TEST', tops: 3 })
    expect(learn.y[0].map(v => Math.round(v * 1e6) / 1e6)).toEqual([-1, -1, 1, 1])
    expect(learn.y.slice(1)).toEqual([
      [3, 0],
      [4, 1],
    ])
    expect(learn.shapes[1]).toEqual([1, 2, 1, 1])
    const params = [
      [2, 3],
      [10, 20],
    ]
    const run = await handPass(`type: "BN" ${segnet('bn_mode: INFERENCE')}`, x, { engine, params, dy: [[1, 1, 1, 1]] })
    expect(run.y[0]).toEqual([12, 17, 20, 23])
    expect(run.dx[0]).toEqual([2, 3, 2, 3])
    expect(run.dw).toEqual([
      [6, 0],
      [2, 2],
    ])
  })

  test.each([
    [pspnet('frozen: true'), [2, 3, 4, 5]],
    [segnet('bn_mode: INFERENCE'), [3, 5, 7]],
    [segnet(), [4, 3, 3, 5]],
    [segnet(), [9, 1]],
  ])('checks with %s on %s', async (param, shape) => {
    // variances are not negative
    const blobs = param.includes('slope')
      ? [
          [1, 2, 3],
          [0.5, 1, 0],
          [0.1, -0.5, 0.3],
          [0.5, 1, 2],
        ]
      : undefined
    const weights = blobs?.map(values => Float32Array.from(values))
    await checkLayer(BNLayer, { param, bottoms: [shape], engine, inPlace: true, weights })
  })

  test('an optimized net folds what is stored into the convolution before', async () => {
    const text = `${inputLayer('x', '1×2×5×5')}
      layer { name: "c" type: "Convolution" bottom: "x" top: "c"
        convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
      layer { name: "bn" type: "BN" bottom: "c" top: "bn"
        bn_param { slope_filler { type: "uniform" min: 1 max: 2 } bias_filler { type: "uniform" } frozen: true } }`
    const [plain, optimized] = await Promise.all(
      [undefined, 'inference' as const].map(optimize =>
        Net.create(parseNet(text), { engine, phase: 'TEST', seed: 3, optimize }),
      ),
    )
    const values = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i))
    const outputs: number[][] = []
    for (const net of [plain, optimized]) {
      net.params.bn[2].dataArray.set([0.1, -0.2, 0.3])
      net.params.bn[3].dataArray.set([0.5, 2, 1])
      net.blobs.x.dataArray.set(values)
      await net.forward()
      outputs.push([...net.blobs.bn.dataArray])
    }
    outputs[0].forEach((value, i) => expect(outputs[1][i]).toBeCloseTo(value, 5))
  })
})

test('statistics are never learned, frozen blobs neither', async () => {
  const lrs = async (more: string) => {
    const net = await handNet(
      `type: "BN" param { lr_mult: 1 } param { lr_mult: 2 } param { lr_mult: 1 } ${pspnet(more)}`,
      [[2, 3]],
    )
    return net.layers.find(layer => layer.type === 'BN')!.param.param!.map(spec => spec.lr_mult)
  }
  expect(await lrs('')).toEqual([1, 2, 0, 0])
  expect(await lrs('frozen: true')).toEqual([0, 0, 0, 0])
})

test('refuses what is not one of the two, one axis, and other channels', async () => {
  await expect(handNet('type: "BN"', [[2, 3]])).rejects.toThrow(/bn_param says nothing, and BN is two layers/)
  await expect(handNet(`type: "BN" ${pspnet('bn_mode: LEARN')}`, [[2, 3]])).rejects.toThrow(
    /bn_param has bn_mode, which are SegNet's, and slope_filler, bias_filler, which are PSPNet's/,
  )
  await expect(handNet(`type: "BN" ${pspnet()}`, [[2]])).rejects.toThrow(/needs at least 2 axes/)
  const net = await handNet(`type: "BN" ${pspnet()}`, [[2, 3]])
  net.blobs.in0.reshape([2, 4])
  expect(() => net.reshape()).toThrow(/its blobs are of 3 channels, but 'in0' \(2×4\) has 4/)
})
