import { describe, expect, test } from 'vitest'
import { MatMulLayer } from '../../lib/layers/matmul.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const a = { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] }
const b = { shape: [3, 2], values: [1, 0, 0, 1, 1, 1] }

describe.each(hostEngines)('MatMul on %s', engine => {
  test('hand-worked: a product, and both gradients', async () => {
    const run = await handPass('type: "MatMul"', [a, b], { engine, dy: [[1, 0, 0, 1]] })
    expect(run.y[0]).toEqual([4, 5, 10, 11])
    expect(run.dx).toEqual([
      [1, 0, 1, 0, 1, 1],
      [1, 4, 2, 5, 3, 6],
    ])
  })

  test('hand-worked: matrices that are repeated', async () => {
    const many = { shape: [2, 1, 3], values: a.values }
    const run = await handPass('type: "MatMul"', [many, b], { engine })
    expect([run.shapes[0], run.y[0]]).toEqual([
      [2, 1, 2],
      [4, 5, 10, 11],
    ])
  })

  test.each([
    [
      '',
      [
        [2, 3],
        [3, 4],
      ],
    ],
    [
      '',
      [
        [2, 5, 2, 3],
        [5, 3, 4],
      ],
    ],
    [
      '',
      [
        [3, 2, 3],
        [3, 4],
      ],
    ],
    [
      'transpose_a: true',
      [
        [2, 3, 2],
        [1, 3, 4],
      ],
    ],
    [
      'transpose_b: true',
      [
        [2, 2, 3],
        [4, 3],
      ],
    ],
    [
      'transpose_a: true transpose_b: true',
      [
        [2, 1, 3, 2],
        [3, 4, 3],
      ],
    ],
  ])('checks with %s', async (fields, bottoms) => {
    await checkLayer(MatMulLayer, { param: `matmul_param { ${fields} }`, bottoms, engine, reshapeTo: bottoms })
  })
})

test('refuses', async () => {
  await expect(
    handNet('type: "MatMul"', [
      [2, 3],
      [2, 3],
    ]),
  ).rejects.toThrow(/do not fit: 2×3 by 2×3/)
  await expect(handNet('type: "MatMul"', [[3], [3, 2]])).rejects.toThrow(/'in0' \(3\) is no matrix/)
  await expect(
    handNet('type: "MatMul"', [
      [2, 2, 3],
      [4, 3, 2],
    ]),
  ).rejects.toThrow(/do not go together/)
})
