import { describe, expect, test } from 'vitest'
import { SmoothL1LossLayer } from '../../lib/layers/smooth_l1_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const type = 'type: "SmoothL1Loss"'
const a = { shape: [2, 2], values: [0.5, -3, 0.1, 4] }
const b = { shape: [2, 2], values: [0, 0, 0, 2] }

describe.each(hostEngines)('SmoothL1Loss on %s', engine => {
  const losses = async (fields: string, given = [a, b]) => {
    const { y, dx } = await handPass(`${type} ${fields}`, given, { engine, dy: [null], force: given.length < 3 })
    return { loss: y[0][0], dx }
  }

  test('hand-worked: a parabola up to 1, then a line', async () => {
    const { loss, dx } = await losses('')
    expect(loss).toBeCloseTo((0.125 + 2.5 + 0.005 + 1.5) / 2, 5)
    for (const [i, slope] of [0.5, -1, 0.1, 1].entries()) {
      expect(dx[0][i]).toBeCloseTo(slope / 2, 6)
      expect(dx[1][i]).toBeCloseTo(-slope / 2, 6)
    }
  })

  test('sigma turns at 1/σ², turn_point at its value with a jump; NONE does not divide', async () => {
    const fixed = 'loss_param { normalization: PRE_FIXED pre_fixed_normalizer: 4 }'
    const quarter = (await losses(`smooth_l1_loss_param { sigma: 0.5 } ${fixed}`)).loss
    expect(4 * quarter).toBeCloseTo(
      (await losses('smooth_l1_loss_param { sigma: 0.5 } loss_param { normalization: NONE }')).loss,
      4,
    )
    const { loss } = await losses('smooth_l1_loss_param { sigma: 0.5 } loss_param { normalization: NONE }')
    expect(loss).toBeCloseTo((0.25 + 9 + 0.01 + 4) / 8, 5)
    const turned = await losses('smoothl1_param { turn_point: 0.4 }')
    expect(turned.loss).toBeCloseTo((0.5 - 0.32 + 3 - 0.32 + 0.005 + 2 - 0.32) / 2, 5)
    for (const [i, slope] of [1, -1, 0.1, 1].entries()) expect(turned.dx[0][i]).toBeCloseTo(slope / 2, 6)
  })

  test('weights: on the difference, and on its loss', async () => {
    const inner = { shape: [2, 2], values: [2, 0.1, 0, 1] }
    const outer = { shape: [2, 2], values: [1, 10, 5, 0] }
    expect((await losses('', [a, b, inner])).loss).toBeCloseTo((0.5 + 0.045 + 0 + 1.5) / 2, 5)
    expect((await losses('', [a, b, inner, outer])).loss).toBeCloseTo((0.5 + 0.45) / 2, 5)
  })

  test("R-FCN's second top: the loss of each place, not divided; the first by all places", async () => {
    const maps = [a, b].map(({ values }) => ({ shape: [1, 2, 1, 2], values }))
    const run = async (fields: string) =>
      handPass(`${type} loss_weight: 1 loss_weight: 0 ${fields}`, maps, {
        engine,
        tops: 2,
        dy: [null, null],
        force: true,
      })
    const { y, dx } = await run('')
    expect(y[0][0]).toBeCloseTo((0.125 + 2.5 + 0.005 + 1.5) / 2, 5)
    for (const [i, loss] of [0.125 + 0.005, 2.5 + 1.5].entries()) expect(y[1][i]).toBeCloseTo(loss, 5)
    for (const [i, slope] of [0.5, -1, 0.1, 1].entries()) expect(dx[0][i]).toBeCloseTo(slope / 2, 6)
    const batch = await run('loss_param { normalize: false }')
    expect(batch.y[0][0]).toBeCloseTo(0.125 + 2.5 + 0.005 + 1.5, 5)
  })

  test.each(['', 'smooth_l1_loss_param { sigma: 1.7 }'])('checks %s', async param => {
    const bottoms = [{ shape: [3, 5] }, { shape: [3, 5] }]
    const weights = { shape: [3, 5], gradient: false }
    await checkLayer(SmoothL1LossLayer, { param, bottoms, engine })
    await checkLayer(SmoothL1LossLayer, { param, bottoms: [...bottoms, weights], engine })
    await checkLayer(SmoothL1LossLayer, { param, bottoms: [...bottoms, weights, weights], engine })
  })

  test('another size; an empty batch has loss 0', async () => {
    const net = await handNet(type, shapesOf('2×3 2×3'), { engine })
    for (const name of ['in0', 'in1']) net.blobs[name].reshape([0, 3])
    await net.forward()
    expect(net.blobs.y0.dataArray[0]).toBe(0)
  })
})

test.each([
  ['smooth_l1_loss_param { sigma: 0 }', shapesOf('2×3 2×3'), /sigma: 0 must be larger/],
  ['smoothl1_param { turn_point: -1 }', shapesOf('2×3 2×3'), /turn_point: -1 must be larger/],
  ['smoothl1_param { } smooth_l1_loss_param { }', shapesOf('2×3 2×3'), /give one of them/],
  ['', shapesOf('2×3 2×4'), /must have the same number of values/],
  ['', shapesOf('2×3 2×3 2×1'), /must have the same number of values/],
])('refuses %s %j', async (fields, shapes, message) => {
  await expect(handNet(`${type} ${fields}`, shapes, { force: false })).rejects.toThrow(message)
})
