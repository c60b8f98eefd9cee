import { describe, expect, test } from 'vitest'
import { PermuteLayer } from '../../lib/layers/permute.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const permute = (...order: number[]) => `permute_param { ${order.map(axis => `order: ${axis}`).join(' ')} }`
const x = [{ shape: [2, 3], values: [1, 2, 3, 4, 5, 6] }]

describe.each(hostEngines)('Permute on %s', engine => {
  test('hand-worked: a matrix is turned, its gradient turned back', async () => {
    const run = await handPass(`type: "Permute" ${permute(1, 0)}`, x, { engine, dy: [[1, 2, 3, 4, 5, 6]] })
    expect(run.shapes[0]).toEqual([3, 2])
    expect(run.y[0]).toEqual([1, 4, 2, 5, 3, 6])
    expect(run.dx[0]).toEqual([1, 3, 5, 2, 4, 6])
  })

  test('axes that are not named follow, and all in place is the bottom itself', async () => {
    const shape = [2, 3, 4]
    expect((await handNet(`type: "Permute" ${permute(2)}`, [shape], { engine })).blobs.y0.shape).toEqual([4, 2, 3])
    const run = await handPass('type: "Permute"', x, { engine, dy: [[1, 2, 3, 4, 5, 6]] })
    expect(run.y[0]).toEqual(x[0].values)
    expect(run.dx[0]).toEqual([1, 2, 3, 4, 5, 6])
  })

  test.each(['0 2 3 1', '0 3 1 2', '3 2 1 0', '1 0'])('checks in the order %s', async order => {
    const param = permute(...order.split(' ').map(Number))
    await checkLayer(PermuteLayer, { param, bottoms: [[2, 3, 5, 7]], engine })
  })

  test('another size, not another number of axes', async () => {
    const net = await handNet(`type: "Permute" ${permute(0, 2, 1)}`, [[2, 3, 5]], { engine })
    net.blobs.in0.reshape([1, 4, 2])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([1, 2, 4])
    net.blobs.in0.reshape([8])
    expect(() => net.reshape()).toThrow(/'in0' has 1 axes now, and had 3 when it was made/)
  })
})

test('refuses what is no permutation', async () => {
  await expect(handNet(`type: "Permute" ${permute(0, 2)}`, [[2, 3]])).rejects.toThrow(
    /order 2 is no axis of 'in0', whose axes are 0, 1/,
  )
  await expect(handNet(`type: "Permute" ${permute(1, 1)}`, [[2, 3]])).rejects.toThrow(/names axis 1 twice/)
})
