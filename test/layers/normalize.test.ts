import { describe, expect, test } from 'vitest'
import { NormalizeLayer } from '../../lib/layers/normalize.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const type = 'type: "Normalize"'
// two channels of two places
const x = { shape: [1, 2, 2], values: [3, 0, 4, 5] }

describe.each(hostEngines)('Normalize on %s', engine => {
  const close = (got: readonly number[], wanted: readonly number[]) =>
    got.forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 5)
    })

  test('hand-worked: each place by itself, a scale for each channel', async () => {
    const run = await handPass(`${type} norm_param { across_spatial: false channel_shared: false }`, [x], {
      engine,
      params: [[10, 20]],
      dy: [[1, 0, 0, 1]],
    })
    close(run.y[0], [6, 0, 16, 20])
    close(run.dw[0], [0.6, 1])
    // dy = (1, 0), u = (0.6, 0.8), n = 5: the scale stands outside, as in the fork
    close(run.dx[0], [(10 * (1 - 0.6 * 0.6)) / 5, 0, (20 * -0.8 * 0.6) / 5, 0])
  })

  test('over all of an item, with one scale', async () => {
    const { y } = await handPass(`${type} norm_param { scale_filler { value: 2 } }`, [x], { engine })
    close(
      y[0],
      x.values.map(value => (2 * value) / Math.sqrt(50)),
    )
  })

  test('without a scale: L2 and L1, norms as a second top', async () => {
    const both = await handPass(type, [x], { engine, tops: 2 })
    close(both.y[0], [0.6, 0, 0.8, 1])
    close(both.y[1], [5, 5])
    expect(both.shapes[1]).toEqual([1, 1, 2])
    expect(both.w).toEqual([])
    const { y } = await handPass(`${type} normalize_param { normalize_type: "L1" }`, [x], { engine })
    close(y[0], [3 / 7, 0, 4 / 7, 1])
  })

  test.each([
    ['norm_param { }', 1],
    ['norm_param { across_spatial: false channel_shared: false scale_filler { value: 3 } }', 1],
    ['norm_param { across_spatial: false eps: 0.1 }', 1],
    ['norm_param { channel_shared: false }', 1],
    ['normalize_param { }', 1],
    ['normalize_param { normalize_type: "L1" }', 1],
    ['normalize_param { bp_norm: true }', 2],
    ['normalize_param { bp_norm: true normalize_type: "L1" }', 2],
  ])('checks %s', async (param, tops) => {
    const kinkRange = param.includes('L1') ? 0.02 : 0
    // where the scales of channels differ, the gradient is not that of differences
    const weights = param.includes('channel_shared: false') ? 'filler' : 'random'
    for (const shape of [
      [2, 3, 5, 3],
      [3, 4],
    ])
      await checkLayer(NormalizeLayer, { param, bottoms: [shape], tops, engine, kinkRange, weights })
  })
})

test.each([
  ['norm_param { } normalize_param { }', [2, 3], /give one of them/],
  ['norm_param { eps: -1 }', [2, 3], /eps: -1 must not be negative/],
  ['normalize_param { normalize_type: "L3" }', [2, 3], /normalize_type: 'L3' is unknown/],
  ['norm_param { }', [3], /must have at least 2 axes/],
])('refuses %s', async (fields, shape, message) => {
  await expect(handNet(`${type} ${fields}`, [shape])).rejects.toThrow(message)
})

test('refuses a second top with a scale, and other channels than at set-up', async () => {
  await expect(handNet(`${type} norm_param { }`, [[2, 3]], { tops: 2 })).rejects.toThrow(/norms as a second top/)
  const net = await handNet(`${type} norm_param { channel_shared: false }`, [[2, 3]])
  net.blobs.in0.reshape([2, 4])
  expect(() => net.reshape()).toThrow(/has 4 channels now, and had 3/)
})
