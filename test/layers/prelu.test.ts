import { describe, expect, test } from 'vitest'
import { PReLULayer } from '../../lib/layers/prelu.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('PReLU on %s', engine => {
  test.each([false, true])('hand-worked: a slope a channel, in place: %s', async inPlace => {
    const x = [{ shape: [1, 2, 2], values: [-1, 2, -3, 4] }]
    const run = await handPass('type: "PReLU"', x, { engine, inPlace, params: [[0.5, -2]], dy: [[10, 20, 30, 40]] })
    expect(run.y[0]).toEqual([-0.5, 2, 6, 4])
    expect(run.dx[0]).toEqual([5, 20, -60, 40])
    expect(run.dw[0]).toEqual([-10, -90])
  })

  test('slopes start at 0.25; channel_shared is one slope without axes', async () => {
    const apart = await handNet('type: "PReLU"', [[2, 3, 2]], { engine })
    expect(Array.from(apart.params.y[0].dataArray)).toEqual([0.25, 0.25, 0.25])
    const shared = await handNet('type: "PReLU" prelu_param { channel_shared: true }', [[2, 3, 2]], { engine })
    expect(shared.params.y[0].shape).toEqual([])
  })

  test.each(['', 'prelu_param { channel_shared: true }'])('checks: %s', async param => {
    await checkLayer(PReLULayer, { param, bottoms: [[2, 3, 5]], engine, kinkRange: 0.02, inPlace: true })
  })
})

test('needs a channel axis, and the channels it has slopes for', async () => {
  await expect(handNet('type: "PReLU"', [[4]])).rejects.toThrow(/at least 2 axes/)
  const net = await handNet('type: "PReLU"', [[2, 3]])
  net.blobs.in0.reshape([2, 4])
  await expect(net.forward()).rejects.toThrow(/3 slopes.*4 channels/)
})
