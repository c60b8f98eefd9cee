import { describe, expect, test } from 'vitest'
import { AxpyLayer } from '../../lib/layers/axpy.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

describe.each(hostEngines)('Axpy on %s', engine => {
  test('hand-worked: each channel of each item has its factor', async () => {
    const run = await handPass(
      'type: "Axpy"',
      [
        { shape: [1, 2, 1, 1], values: [2, -1] },
        { shape: [1, 2, 1, 2], values: [1, 2, 3, 4] },
        { shape: [1, 2, 1, 2], values: [10, 20, 30, 40] },
      ],
      { engine, dy: [[1, 2, 3, 4]] },
    )
    expect(run.y[0]).toEqual([12, 24, 27, 36])
    expect(run.dx).toEqual([
      [5, 25],
      [2, 4, -3, -4],
      [1, 2, 3, 4],
    ])
  })

  test.each([
    [
      [2, 3],
      [2, 3, 5, 7],
    ],
    [
      [1, 1, 1, 1],
      [1, 1],
    ],
    [
      [3, 5, 1, 1],
      [3, 5, 1, 1],
    ],
  ])('checks with factors %s for %s', async (a, x) => {
    const more = (shape: number[]) => [shape[0] + 1, ...shape.slice(1)]
    await checkLayer(AxpyLayer, { bottoms: [a, x, x], reshapeTo: [more(a), more(x), more(x)], engine })
  })
})

test('refuses shapes that do not go together', async () => {
  await expect(handNet('type: "Axpy"', shapesOf('2×3 2×3 2×3'), { inPlace: true })).rejects.toThrow(
    /top 'in0' may not be its bottom/,
  )
  await expect(handNet('type: "Axpy"', shapesOf('2×3×2×1 2×3×4×5 2×3×4×5'))).rejects.toThrow(
    /'in0' \(2×3×2×1\) must have one value for each channel of each item of 'in1' \(2×3×4×5\)/,
  )
  await expect(handNet('type: "Axpy"', shapesOf('2×3 2×3×4×5 2×3×4×4'))).rejects.toThrow(
    /'in1' .* and 'in2' .* must have the same shape/,
  )
})
