import { describe, expect, test } from 'vitest'
import { ChannelScaleLayer } from '../../lib/layers/channel_scale.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('ChannelScale on %s', engine => {
  test('hand-worked: two channels of two places', async () => {
    const bottoms = [
      { shape: [1, 2, 1, 2], values: [1, 2, 3, 4] },
      { shape: [1, 1, 1, 2], values: [10, 100] },
    ]
    const run = await handPass('type: "ChannelScale"', bottoms, { engine, dy: [[1, 1, 2, 1]] })
    expect(run.y[0]).toEqual([10, 200, 30, 400])
    expect(run.dx).toEqual([
      [10, 100, 20, 100],
      [7, 6],
    ])
  })

  test('checks, a matrix too', async () => {
    await checkLayer(ChannelScaleLayer, {
      bottoms: shapesOf('2×3×2×2 2×1×2×2'),
      engine,
    })
    await checkLayer(ChannelScaleLayer, { bottoms: [[3, 4], [3]], engine })
  })
})

test('refuses a scale of other places', async () => {
  await expect(handNet('type: "ChannelScale"', shapesOf('1×2×2×2 1×1×2×1'))).rejects.toThrow(/one value for each place/)
})
