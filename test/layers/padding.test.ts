import { describe, expect, test } from 'vitest'
import { PaddingLayer } from '../../lib/layers/padding.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const padding = (fields: string) => `type: "Padding" padding_param { ${fields} }`
const x = [{ shape: [1, 3], values: [1, 2, 3] }]

describe.each(hostEngines)('Padding on %s', engine => {
  test.each([
    ['axis: 1 before: 2 after: 1 value: 9', [9, 9, 1, 2, 3, 9], [1, 1, 1]],
    ['axis: 1 before: 2 mode: REFLECT', [3, 2, 1, 2, 3, 2, 1], [2, 3, 2]],
    ['axis: -1 before: 1 after: 2 mode: EDGE', [1, 1, 2, 3, 3, 3], [2, 1, 3]],
    ['axis: 1 before: -1 after: 1', [2, 3, 0], [0, 1, 1]],
    ['axis: 1 before: -1 after: -1', [2], [0, 1, 0]],
  ])('hand-worked: %s', async (fields, y, dx) => {
    const run = await handPass(padding(fields), x, { engine, dy: [y.map(() => 1)] })
    expect(run.y[0]).toEqual(y)
    expect(run.dx[0]).toEqual(dx)
  })

  test.each(['before: 1 before: 2 after: 0 after: 3', 'before: 2 before: 1 mode: REFLECT', 'before: 3 mode: EDGE'])(
    'checks with %s',
    async fields => {
      await checkLayer(PaddingLayer, { param: `padding_param { ${fields} }`, bottoms: [[2, 3, 4, 5]], engine })
    },
  )

  test('of another size later', async () => {
    const net = await handNet(padding('before: 1'), [[1, 2, 3]], { engine })
    expect(net.blobs.y0.shape).toEqual([1, 2, 5])
    net.blobs.in0.reshape([4, 2, 1])
    net.reshape()
    expect(net.blobs.y0.shape).toEqual([4, 2, 3])
  })
})

test('refuses', async () => {
  await expect(handNet(padding('before: 1 before: 1'), [[1, 1, 4]])).rejects.toThrow(/given 2 and 2 times/)
  await expect(handNet(padding(''), [[1, 1, 4]])).rejects.toThrow(/given 0 and 0 times/)
  await expect(handNet(padding('before: -5'), [[1, 1, 4]])).rejects.toThrow(/cut off more than the 4 places of axis 2/)
  await expect(handNet(padding('before: 4 mode: REFLECT'), [[1, 1, 4]])).rejects.toThrow(/too few for 4 new ones/)
  const huge = handNet(padding('before: 2000000000 mode: EDGE'), [[1, 1, 4]])
  await expect(huge).rejects.toThrow('axis 2 has 4000000004 places: of axes that it changes there are 16777216 at most')
})
