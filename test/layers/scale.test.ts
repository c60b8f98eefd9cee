import { describe, expect, test } from 'vitest'
import { ScaleLayer } from '../../lib/layers/scale.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Scale on %s', engine => {
  test.each([false, true])('hand-worked: factor and bias a channel, in place: %s', async inPlace => {
    const x = [{ shape: [2, 2, 1], values: [1, 2, 3, 4] }]
    const run = await handPass('type: "Scale" scale_param { bias_term: true }', x, {
      engine,
      inPlace,
      params: [
        [2, -1],
        [10, 20],
      ],
      dy: [[1, 2, 3, 4]],
    })
    expect(run.y[0]).toEqual([12, 18, 16, 16])
    expect(run.dx[0]).toEqual([2, -2, 6, -4])
    expect(run.dw).toEqual([
      [10, 20],
      [4, 6],
    ])
  })

  test('hand-worked: the factor from bottom 1; the only blob is then the bias', async () => {
    const bottoms = [
      { shape: [1, 2, 2], values: [1, 2, 3, 4] },
      { shape: [2], values: [5, 7] },
    ]
    const run = await handPass('type: "Scale" scale_param { bias_term: true }', bottoms, {
      engine,
      params: [[1, 2]],
      dy: [[1, 1, 1, 1]],
    })
    expect(run.y[0]).toEqual([6, 11, 23, 30])
    expect(run.dx).toEqual([
      [5, 5, 7, 7],
      [3, 7],
    ])
    expect(run.dw).toEqual([[2, 2]])
    await run.net.backward()
    expect(Array.from(run.net.blobs.in1.diffArray)).toEqual([3, 7])
    expect(Array.from(run.net.params.y[0].diffArray)).toEqual([4, 4])
  })

  test('gradients add up also where the axes before the scaled ones multiply to 1, unlike in Caffe', async () => {
    const run = await handPass('type: "Scale" scale_param { axis: 0 }', [{ shape: [2, 2], values: [1, 2, 3, 4] }], {
      engine,
      dy: [[1, 1, 1, 1]],
    })
    await run.net.backward()
    expect(Array.from(run.net.params.y[0].diffArray)).toEqual([6, 14])
  })

  test('it starts as the identity', async () => {
    const net = await handNet('type: "Scale" scale_param { bias_term: true }', [[2, 3]], { engine })
    expect(net.params.y.map(blob => Array.from(blob.dataArray))).toEqual([
      [1, 1, 1],
      [0, 0, 0],
    ])
  })

  test.each([
    '',
    'scale_param { num_axes: -1 bias_term: true }',
    'scale_param { num_axes: 0 bias_term: true }',
    'scale_param { axis: -1 }',
  ])('checks: %s', async param => {
    await checkLayer(ScaleLayer, { param, bottoms: [[2, 3, 5]], engine, inPlace: true })
  })

  test('checks with two bottoms', async () => {
    const reshapeTo = shapesOf('4×3×2 3×2')
    const bottoms = shapesOf('2×3×5 3×5')
    await checkLayer(ScaleLayer, { bottoms, engine, inPlace: true, reshapeTo })
    const param = 'scale_param { axis: 0 bias_term: true }'
    await checkLayer(ScaleLayer, { param, bottoms: [[2, 3, 5], [2]], engine, inPlace: true, reshapeTo: [[2, 4], [2]] })
  })
})

test('refuses coefficients that do not fit', async () => {
  await expect(handNet('type: "Scale"', [[2, 3], [2]])).rejects.toThrow(/shape 2 do not fit 'in0' \(2×3\) from axis 1/)
  await expect(handNet('type: "Scale" scale_param { num_axes: -2 }', [[2, 3]])).rejects.toThrow(
    /num_axes: -2 must be 0 or more/,
  )
})
