import { describe, expect, test } from 'vitest'
import { BiasLayer } from '../../lib/layers/bias.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Bias on %s', engine => {
  test.each([false, true])('hand-worked: a learned bias a channel, in place: %s', async inPlace => {
    const x = [{ shape: [2, 2, 1], values: [1, 2, 3, 4] }]
    const run = await handPass('type: "Bias"', x, { engine, inPlace, params: [[10, 20]], dy: [[1, 2, 3, 4]] })
    expect(run.y[0]).toEqual([11, 22, 13, 24])
    expect(run.dx[0]).toEqual([1, 2, 3, 4])
    expect(run.dw[0]).toEqual([4, 6])
  })

  test('hand-worked: a bias from bottom 1, whose gradient is overwritten', async () => {
    const bottoms = [
      { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
      { shape: [2], values: [10, 20] },
    ]
    const run = await handPass('type: "Bias" bias_param { axis: 0 }', bottoms, { engine, dy: [[1, 1, 1, 2, 2, 2]] })
    expect(run.y[0]).toEqual([11, 12, 13, 24, 25, 26])
    await run.net.backward()
    expect(Array.from(run.net.blobs.in1.diffArray)).toEqual([3, 6])
  })

  test.each(['', 'bias_param { axis: 0 num_axes: 2 }', 'bias_param { num_axes: 0 }', 'bias_param { axis: -1 }'])(
    'checks: %s',
    async param => {
      // a bias over axis 0 has the batch size in its shape
      const reshapeTo = param.includes('axis: 0') ? false : undefined
      await checkLayer(BiasLayer, { param, bottoms: [[2, 3, 5]], engine, inPlace: true, reshapeTo })
    },
  )

  test('checks with two bottoms', async () => {
    const reshapeTo = [[4, 3, 2], [3]]
    await checkLayer(BiasLayer, { bottoms: [[2, 3, 5], [3]], engine, inPlace: true, reshapeTo })
  })
})

test('refuses coefficients that do not fit', async () => {
  await expect(handNet('type: "Bias"', [[2, 3], [4]])).rejects.toThrow(/shape 4 do not fit 'in0' \(2×3\) from axis 1/)
  await expect(handNet('type: "Bias" bias_param { num_axes: 3 }', [[2, 3]])).rejects.toThrow(
    /num_axes: 3 from axis 1 on reaches past/,
  )
  await expect(handNet('type: "Bias" bias_param { axis: 2 }', [[2, 3]])).rejects.toThrow(/axis: 2 is out of range/)
})
