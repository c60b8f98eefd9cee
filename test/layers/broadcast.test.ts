import { describe, expect, test } from 'vitest'
import { BroadcastLayer } from '../../lib/layers/broadcast.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const broadcast = (operation: string) => `type: "Broadcast" broadcast_param { operation: ${operation} }`
const a = { shape: [2, 1], values: [2, 3] }
const b = { shape: [3], values: [1, 2, 4] }

describe.each(hostEngines)('Broadcast on %s', engine => {
  test.each([
    ['ADD', [3, 4, 6, 4, 5, 7]],
    ['SUB', [1, 0, -2, 2, 1, -1]],
    ['MUL', [2, 4, 8, 3, 6, 12]],
    ['DIV', [2, 1, 0.5, 3, 1.5, 0.75]],
    ['MAX', [2, 2, 4, 3, 3, 4]],
    ['MIN', [1, 2, 2, 1, 2, 3]],
    ['POW', [2, 4, 16, 3, 9, 81]],
    ['EQUAL', [0, 1, 0, 0, 0, 0]],
    ['GREATER', [1, 0, 0, 1, 1, 0]],
    ['GREATER_EQUAL', [1, 1, 0, 1, 1, 0]],
    ['LESS', [0, 0, 1, 0, 0, 1]],
    ['LESS_EQUAL', [0, 1, 1, 0, 0, 1]],
  ])('hand-worked: %s of 2×1 and 3', async (operation, y) => {
    const run = await handPass(broadcast(operation), [a, b], { engine, force: false })
    expect(run.shapes[0]).toEqual([2, 3])
    expect(run.y[0]).toEqual(y)
  })

  test('hand-worked: gradients of a product add up where values were repeated', async () => {
    const run = await handPass(broadcast('MUL'), [a, b], { engine, dy: [[1, 1, 1, 1, 1, 1]] })
    expect(run.dx).toEqual([
      [7, 7],
      [5, 5, 5],
    ])
  })

  test.each(['ADD', 'SUB', 'MUL', 'MAX', 'MIN'])('checks %s', { tags: 'long' }, async operation => {
    const param = `broadcast_param { operation: ${operation} }`
    for (const bottoms of [
      [
        [2, 3, 4, 5],
        [3, 1, 5],
      ],
      [
        [1, 1],
        [2, 3, 4],
      ],
      [[4], [4]],
    ])
      await checkLayer(BroadcastLayer, { param, bottoms, engine, reshapeTo: bottoms })
  })

  test.each(['DIV', 'POW'])('checks %s of positive values', { tags: 'long' }, async operation => {
    const param = `broadcast_param { operation: ${operation} }`
    const values = (n: number) => Array.from({ length: n }, (_, i) => 0.5 + ((i * 7) % 11) / 8)
    const bottoms = [
      { shape: [2, 3, 1], values: values(6) },
      { shape: [1, 4], values: values(4) },
    ]
    await checkLayer(BroadcastLayer, { param, bottoms, engine, reshapeTo: false })
  })

  test('of other sizes later', async () => {
    const net = await handNet(broadcast('ADD'), [[2, 1], [3]], { engine })
    net.blobs.in0.reshape([4, 5, 1])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([4, 5, 3])
  })
})

test('refuses', async () => {
  await expect(handNet(broadcast('ADD'), [[2, 3], [2]])).rejects.toThrow(
    /'in0' \(2×3\) and 'in1' \(2\) do not go together/,
  )
})
