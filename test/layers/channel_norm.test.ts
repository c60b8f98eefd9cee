import { describe, expect, test } from 'vitest'
import { ChannelNormLayer } from '../../lib/layers/channel_norm.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('ChannelNorm on %s', engine => {
  test('hand-worked', async () => {
    const x = { shape: [1, 2, 1, 3], values: [3, 0, 1, 4, 0, 0] }
    const { y, dx, shapes } = await handPass('type: "ChannelNorm"', [x], { engine, dy: [[10, 1, 2]] })
    expect(shapes).toEqual([[1, 1, 1, 3]])
    expect(y[0]).toEqual([5, 0, 1])
    for (const [i, value] of [6, 0, 2, 8, 0, 0].entries()) expect(dx[0][i]).toBeCloseTo(value, 5)
  })

  test('checks', () => checkLayer(ChannelNormLayer, { bottoms: [[2, 3, 3, 5]], reshapeTo: [[1, 1, 1, 2]], engine }))
})

test('refuses', async () => {
  await expect(handNet('type: "ChannelNorm"', [[4]])).rejects.toThrow(/a batch axis and channels/)
})
