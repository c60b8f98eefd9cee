import { describe, expect, test } from 'vitest'
import { HingeLossLayer } from '../../lib/layers/hinge_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const bottoms = [
  { shape: [2, 3], values: [0.5, -2, 3, 1, 0.25, -0.5] },
  { shape: [2], values: [0, 1] },
]

describe.each(hostEngines)('HingeLoss on %s', engine => {
  // margins: 0.5, 0, 4 and 2, 0.75, 0.5
  test.each([
    ['L1', 7.75 / 2, [-0.5, 0, 0.5, 0.5, -0.5, 0.5]],
    ['L2', 10.5313, [-0.5, 0, 4, 2, -0.75, 0.5]],
  ])('hand-worked: %s', async (norm, loss, dx) => {
    const run = await handPass(`type: "HingeLoss" hinge_loss_param { norm: ${norm} }`, bottoms, { engine, dy: [null] })
    expect(run.shapes[0]).toEqual([])
    expect(run.y[0][0]).toBeCloseTo(loss, 4)
    expect(run.dx[0].map(v => v + 0)).toEqual(dx)
  })

  test.each([1e9, Number.POSITIVE_INFINITY])(
    'a score of %d for the label costs nothing and hides nothing',
    async score => {
      const x = [
        { shape: [1, 3], values: [0.5, score, -2] },
        { shape: [1], values: [1] },
      ]
      for (const [norm, loss] of [
        ['L1', 1.5],
        ['L2', 2.25],
      ]) {
        const run = await handPass(`type: "HingeLoss" hinge_loss_param { norm: ${norm} }`, x, { engine, dy: [null] })
        expect(run.y[0]).toEqual([loss])
      }
    },
  )

  test.each(['L1', 'L2'])('checks: %s', async norm => {
    const param = `hinge_loss_param { norm: ${norm} }`
    await checkLayer(HingeLossLayer, {
      param,
      bottoms: [[5, 7], { shape: [5], labels: 7 }],
      engine,
      kink: 1,
      kinkRange: 0.02,
    })
  })
})

test('refuses labels that are no class, or too many, and their gradient', async () => {
  const labels = (values: number[]) => [bottoms[0], { shape: [2], values }]
  await expect(handPass('type: "HingeLoss"', labels([0, 3]))).rejects.toThrow(/is 3: labels count from 0 to 2/)
  await expect(handNet('type: "HingeLoss"', shapesOf('2×3 2×2'))).rejects.toThrow(/must hold 2 values/)
  await expect(handNet('type: "HingeLoss"', [[2, 3], [3]])).rejects.toThrow(/same first axis/)
})
