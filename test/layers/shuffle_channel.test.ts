import { describe, expect, test } from 'vitest'
import { ShuffleChannelLayer } from '../../lib/layers/shuffle_channel.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const group = (n: number) => `shuffle_channel_param { group: ${n} }`

describe.each(hostEngines)('ShuffleChannel on %s', engine => {
  test('hand-worked: two groups of three take turns', async () => {
    const x = [{ shape: [1, 6, 1, 2], values: [0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51] }]
    const run = await handPass(`type: "ShuffleChannel" ${group(2)}`, x, { engine, dy: [x[0].values] })
    expect(run.y[0]).toEqual([0, 1, 30, 31, 10, 11, 40, 41, 20, 21, 50, 51])
    expect(run.dx[0]).toEqual([0, 1, 20, 21, 40, 41, 10, 11, 30, 31, 50, 51])
  })

  test.each([1, 2, 3, 6])('checks with group: %s', async n => {
    await checkLayer(ShuffleChannelLayer, { param: group(n), bottoms: [[2, 6, 5, 3]], engine })
  })

  test('a matrix, and another size', async () => {
    const net = await handNet(`type: "ShuffleChannel" ${group(2)}`, [[2, 4]], { engine })
    net.blobs.in0.reshape([3, 6])
    net.blobs.in0.dataArray.set(Array.from({ length: 18 }, (_, i) => i))
    await net.forward()
    expect(Array.from(net.blobs.y0.dataArray.subarray(0, 6))).toEqual([0, 3, 1, 4, 2, 5])
  })
})

test('refuses', async () => {
  await expect(handNet(`type: "ShuffleChannel" ${group(4)}`, [[1, 6]])).rejects.toThrow(/6 channels .* group: 4/)
  await expect(handNet(`type: "ShuffleChannel" ${group(0)}`, [[1, 6]])).rejects.toThrow(/group: 0 must be at least 1/)
  await expect(handNet('type: "ShuffleChannel"', [[6]])).rejects.toThrow(/has no channels/)
})
