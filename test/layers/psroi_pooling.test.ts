import { describe, expect, test } from 'vitest'
import { PSROIPoolingLayer } from '../../lib/layers/psroi_pooling.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const pooling = (param: string) => `type: "PSROIPooling" psroi_pooling_param { ${param} }`
const regions = (...rows: number[][]) => ({ shape: [rows.length, 5], values: rows.flat() })

describe.each(hostEngines)('PSROIPooling on %s', engine => {
  test('hand-worked: each bin reads a channel of its own, and gives its gradient back in equal shares', async () => {
    // four channels of 2×2: 1 … 16
    const x = { shape: [1, 4, 2, 2], values: Array.from({ length: 16 }, (_, i) => i + 1) }
    const run = await handPass(pooling('spatial_scale: 1 output_dim: 1 group_size: 2'), [x, regions([0, 0, 0, 1, 1])], {
      engine,
      dy: [[1, 2, 3, 4]],
    })
    expect(run.y[0]).toEqual([1, 6, 11, 16])
    expect(run.dx[0]).toEqual([1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4])
  })

  test('corners are rounded before they are scaled; bins overlap by the pixels that they share', async () => {
    const x = { shape: [1, 4, 3, 3], values: Array.from({ length: 36 }, (_, i) => i) }
    // 0.5 → 1, 3.4 → 3: 0.5 … 2 with scale ½; bins of 0.75: pixels 0–1 and 1
    const run = await handPass(
      pooling('spatial_scale: 0.5 output_dim: 1 group_size: 2'),
      [x, regions([0, 0.5, 0.5, 3.4, 3.4], [0, 20, 20, 30, 30])],
      { engine, dy: [[4, 0, 0, 1, 9, 9, 9, 9]] },
    )
    expect(run.y[0]).toEqual([2, 9 + 2.5, 18 + 3.5, 27 + 4, 0, 0, 0, 0])
    expect(run.dx[0]).toEqual([1, 1, 0, 1, 1, ...new Array(26).fill(0), 1, 0, 0, 0, 0])
  })

  test('checks', async () => {
    await checkLayer(PSROIPoolingLayer, {
      param: 'psroi_pooling_param { spatial_scale: 0.25 output_dim: 2 group_size: 3 }',
      bottoms: [[2, 18, 5, 4], regions([0, 0, 0, 15, 19], [1, 3, 5, 11, 9], [1, -5, 2, 40, 3])],
      engine,
      reshapeTo: [[1, 18, 6, 3], regions([0, 2, 2, 9, 9])],
    })
  })
})

test('refuses what is not given and channels that are not its own', async () => {
  const net = (param: string, channels: number) =>
    handNet(pooling(param), [
      [1, channels, 3, 3],
      [1, 5],
    ])
  await expect(net('spatial_scale: 1 output_dim: 2', 8)).rejects.toThrow(
    /needs spatial_scale, output_dim and group_size/,
  )
  await expect(net('spatial_scale: 1 output_dim: 2 group_size: 2', 9)).rejects.toThrow(
    /'in0' has 9 channels, output_dim: 2 with group_size: 2 needs 8/,
  )
  await expect(net('spatial_scale: 1 output_dim: 0 group_size: 2', 9)).rejects.toThrow(/must both be above 0/)
})
