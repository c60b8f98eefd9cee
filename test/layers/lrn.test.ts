import { describe, expect, test } from 'vitest'
import { LRNLayer } from '../../lib/layers/lrn.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('LRN on %s', engine => {
  test('hand-worked: across channels, alpha is divided by local_size', async () => {
    const layer = 'type: "LRN" lrn_param { local_size: 3 alpha: 3 beta: 1 k: 1 }'
    const run = await handPass(layer, [{ shape: [1, 3, 1, 1], values: [1, 2, 3] }], { engine, dy: [[0, 15, 0]] })
    // scales: 1 + 1 + 4, 1 + 1 + 4 + 9, 1 + 4 + 9
    expect(run.y[0]).toEqual([0.166667, 0.133333, 0.214286])
    // dy/s − 2·x·(dy·y/s of channel 1), with dy·y/s = 15·(2/15)/15
    expect(run.dx[0]).toEqual([-0.266667, 0.466667, -0.8])
  })

  test('hand-worked: within a channel, over local_size² positions, the padding included, and k is 1', async () => {
    const layer = 'type: "LRN" lrn_param { local_size: 3 alpha: 9 beta: 1 k: 5 norm_region: WITHIN_CHANNEL }'
    const run = await handPass(layer, [{ shape: [1, 1, 2, 2], values: [1, 2, 3, 4] }], { engine })
    expect(run.y[0]).toEqual([1, 2, 3, 4].map(x => Number((x / 31).toPrecision(6))))
  })

  test.each([
    'lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 }',
    'lrn_param { local_size: 9 alpha: 2 beta: 0.5 k: 2 }',
    'lrn_param { local_size: 1 }',
    'lrn_param { local_size: 3 alpha: 1 norm_region: WITHIN_CHANNEL }',
    'lrn_param { local_size: 5 alpha: 1.5 beta: 1.5 norm_region: WITHIN_CHANNEL }',
  ])('checks: %s', async param => {
    await checkLayer(LRNLayer, { param, bottoms: [[2, 4, 3, 5]], engine, inPlace: true, mode: 'projected' })
  })
})

test.each(hostEngines)('the largest window, on %s', async engine => {
  const layer = 'type: "LRN" lrn_param { local_size: 32767 alpha: 1e9 beta: 1 norm_region: WITHIN_CHANNEL }'
  const run = await handPass(layer, [{ shape: [1, 1, 1, 2], values: [1, 2] }], { engine })
  const scale = 1 + (1e9 / 32767 ** 2) * 5
  expect(run.y[0]).toEqual([1, 2].map(x => Number((x / scale).toPrecision(6))))
})

test('refuses an even window and bottoms that are no pictures', async () => {
  await expect(handNet('type: "LRN" lrn_param { local_size: 4 }', [[1, 4, 3, 3]])).rejects.toThrow(
    /local_size: 4 must be odd/,
  )
  await expect(handNet('type: "LRN" lrn_param { local_size: 32769 }', [[1, 4, 3, 3]])).rejects.toThrow(
    /local_size: 32769 is too large/,
  )
  await expect(handNet('type: "LRN"', [[4, 3, 3]])).rejects.toThrow(/must have 4 axes/)
})
