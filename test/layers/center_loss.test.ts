import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (fields: string) => `type: "CenterLoss" loss_weight: 2 center_loss_param { ${fields} }`
const bottoms = [
  { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] },
  { shape: [3], values: [1, 0, 1] },
]

describe.each(hostEngines)('CenterLoss on %s', engine => {
  test('hand-worked: distances from the centre of the class, and where the centres go', async () => {
    const run = await handPass(layer('num_output: 3'), bottoms, {
      engine,
      force: false,
      params: [[1, 1, 2, 2, 9, 9]],
      dy: [null],
    })
    // x − c: −1 0, 2 3, 3 4
    expect(run.y[0][0]).toBeCloseTo((1 + 13 + 25) / 6, 5)
    const centres = [-2 / 2, -3 / 2, -(-1 + 3) / 3, -4 / 3, 0, 0]
    centres.forEach((value, i) => {
      expect(run.dw[0][i]).toBeCloseTo(value, 5)
    })
  })

  test('the gradient of the features, by the loss weight', async () => {
    const run = await handPass(`${layer('num_output: 3')} propagate_down: true propagate_down: false`, bottoms, {
      engine,
      params: [[1, 1, 2, 2, 9, 9]],
      dy: [null],
    })
    ;[-1, 0, 2, 3, 3, 4].forEach((difference, i) => {
      expect(run.dx[0][i]).toBeCloseTo((2 / 3) * difference, 5)
    })
  })
})

test.each([
  ['', [[3, 2], [3]], /num_output: give how many classes/],
  ['num_output: 3 distance_type: "L1"', [[3, 2], [3]], /distance_type: L1 is not there/],
  ['num_output: 3 axis: 2', [[3, 2], [3]], /axis: 2 is none of 'in0'/],
  ['num_output: 3 axis: 2', [[3, 2, 2], [3]], /must have 2 values an item/],
  [
    'num_output: 3',
    [
      [3, 2],
      [3, 2],
    ],
    /must hold 3 values/,
  ],
])('refuses %s', async (fields, shapes, message) => {
  await expect(handNet(layer(fields), shapes, { force: false })).rejects.toThrow(message)
})
