import { describe, expect, test } from 'vitest'
import { SmoothL1LossOHEMLayer } from '../../lib/layers/smooth_l1_loss_ohem.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const annotator = 'type: "BoxAnnotatorOHEM" box_annotator_ohem_param { roi_per_img: 1 ignore_label: 9 }'
const smooth = (param = '') => `type: "SmoothL1LossOHEM" ${param}`

describe.each(hostEngines)('R-FCN’s layers on %s', engine => {
  test('BoxAnnotatorOHEM, hand-worked: the hardest of each picture, the earlier of two equal ones', async () => {
    const run = await handPass(
      annotator,
      [
        { shape: [4, 5], values: [0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1] },
        { shape: [4], values: [0.5, 2, 3, 2] },
        { shape: [4], values: [1, 2, 3, 4] },
        { shape: [4, 2], values: [1, 2, 3, 4, 5, 6, 7, 8] },
      ],
      { engine, tops: 2 },
    )
    expect(run.shapes).toEqual(shapesOf('4×1×1×1 4×2×1×1'))
    expect(run.y).toEqual([
      [9, 2, 3, 9],
      [0, 0, 3, 4, 5, 6, 0, 0],
    ])
  })

  test('SmoothL1LossOHEM, hand-worked: value, loss of each place, gradients without the weight', async () => {
    const run = await handPass(
      smooth('loss_weight: 1 loss_weight: 0 loss_param { normalization: PRE_FIXED pre_fixed_normalizer: 2 }'),
      [
        { shape: [2, 2], values: [1, 4, 0, 0] },
        { shape: [2, 2], values: [0.5, 1, 0, 0.5] },
        { shape: [2, 2], values: [2, 1, 1, 0] },
      ],
      { engine, tops: 2, dy: [[1], null] },
    )
    // d = 1, 3, 0, 0
    expect(run.shapes).toEqual([[], [2, 1, 1, 1]])
    expect(run.y).toEqual([[1.5], [3, 0]])
    expect(run.dx[0]).toEqual([0.5, 0.5, 0, 0])
    expect(run.dx[1].map(v => v + 0)).toEqual([-0.5, -0.5, 0, 0])
  })

  test.each([
    ['', 12],
    ['loss_param { normalization: FULL }', 12],
    ['loss_param { normalization: BATCH_SIZE }', 2],
    ['loss_param { normalize: false }', 2],
    ['loss_param { normalization: NONE }', 1],
    ['loss_param { normalization: PRE_FIXED }', 1],
  ])('SmoothL1LossOHEM %s divides by %i', async (param, by) => {
    const run = await handPass(
      smooth(param),
      [
        { shape: [2, 3, 2, 3], values: new Array(36).fill(2) },
        { shape: [2, 3, 2, 3], values: new Array(36).fill(0) },
      ],
      { engine },
    )
    expect(run.y[0][0]).toBeCloseTo((36 * 1.5) / by, 4)
  })

  test('SmoothL1LossOHEM: checks', async () => {
    await checkLayer(SmoothL1LossOHEMLayer, {
      bottoms: shapesOf('3×4×2×2 3×4×2×2'),
      engine,
    })
  })

  test('SoftmaxWithLoss with three tops, SoftmaxWithLossOHEM with two: softmax(x) and the loss of each place', async () => {
    const x = { shape: [3, 2], values: [0, 0, 0, Math.log(3), 5, 5] }
    const label = { shape: [3], values: [0, 1, 7] }
    const param = 'loss_param { ignore_label: 7 normalization: PRE_FIXED pre_fixed_normalizer: 4 }'
    const run = await handPass(
      `type: "SoftmaxWithLoss" loss_weight: 1 loss_weight: 0 loss_weight: 0 ${param}`,
      [x, label],
      {
        engine,
        tops: 3,
        dy: [[1], null, null],
      },
    )
    const [a, b] = [Math.log(2), Math.log(4 / 3)]
    expect(run.shapes).toEqual([[], [3, 2], [3]])
    expect(run.y[0][0]).toBeCloseTo((a + b) / 4, 6)
    run.y[2].forEach((value, i) => expect(value).toBeCloseTo([a, b, 0][i], 6))
    run.y[1].forEach((value, i) => expect(value).toBeCloseTo([0.5, 0.5, 0.25, 0.75, 0.5, 0.5][i], 6))
    run.dx[0].forEach((value, i) => expect(value).toBeCloseTo([-0.125, 0.125, 0.0625, -0.0625, 0, 0][i], 6))
    const two = await handPass(`type: "SoftmaxWithLossOHEM" loss_weight: 1 loss_weight: 0 ${param}`, [x, label], {
      engine,
      tops: 2,
    })
    expect(two.y).toEqual(run.y.slice(0, 2))
  })
})

test('refuses what does not fit', async () => {
  const shapes = [[4, 5], [4], [4], [4, 8]]
  await expect(handNet('type: "BoxAnnotatorOHEM"', shapes, { tops: 2 })).rejects.toThrow(/needs roi_per_img/)
  const wrong = (i: number, shape: number[]) =>
    handNet(annotator, Object.assign([...shapes], { [i]: shape }), { tops: 2 })
  await expect(wrong(0, [4, 4])).rejects.toThrow(/'in0' \(4×4\) must be R×5/)
  await expect(wrong(1, [3])).rejects.toThrow(/'in1' \(3\) must hold 4 values/)
  await expect(wrong(3, [3, 8])).rejects.toThrow(/'in3' \(3×8\) must be 4 × 4k/)
  await expect(handNet(smooth(), shapesOf('2×3 2×4'))).rejects.toThrow(/must have the same number of values/)
  await expect(handNet(smooth(), [[2], [2]])).rejects.toThrow(/must have a batch axis and channels/)
})
