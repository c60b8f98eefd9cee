import { describe, expect, test } from 'vitest'
import { MultiBoxLossLayer } from '../../lib/layers/multi_box_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const loss = (fields: string, more = '') => `type: "MultiBoxLoss" ${more} multibox_loss_param { ${fields} }`
// three priors; the truth is the first, the second overlaps it by a third, the third not at all
const prior = {
  shape: [1, 2, 12],
  values: [...[0, 0, 0.4, 0.4], ...[0, 0.2, 0.4, 0.6], ...[0.6, 0.6, 1, 1], ...new Array(12).fill(0.5)],
}
const truth = { shape: [1, 1, 2, 8], values: [...[0, 1, 0, 0, 0, 0.4, 0.4, 0], ...new Array(8).fill(-1)] }
const loc = { shape: [1, 12], values: [0.5, 2, 0, 0, ...new Array(8).fill(9)] }
const conf = { shape: [1, 6], values: [0, 1, 0, 0, 0, 3] }
const given = [loc, conf, prior, truth]
const softplus = (x: number) => Math.log1p(Math.exp(x))

describe.each(hostEngines)('MultiBoxLoss on %s', engine => {
  const run = async (fields: string, more = '', bottoms = given) => {
    const { y, dx } = await handPass(loss(fields, more), bottoms, { engine, dy: [null] })
    return { loss: y[0][0], dx }
  }

  test('hand-worked: the match, its code, and the negative that loses most', async () => {
    // codes: 0.125 + 1.5; scores: the match wants 1 of (0, 1), the third prior 0 of (0, 3)
    const { loss: value, dx } = await run('num_classes: 2 neg_pos_ratio: 1')
    expect(value).toBeCloseTo(1.625 + softplus(-1) + softplus(3), 5)
    expect(dx[0].slice(0, 4).map(v => +v.toFixed(5))).toEqual([0.5, 1, 0, 0])
    expect(new Set(dx[0].slice(4))).toEqual(new Set([0]))
    const p = 1 / (1 + Math.exp(-1))
    const q = 1 / (1 + Math.exp(-3))
    for (const [i, wanted] of [1 - p, p - 1, 0, 0, -q, q].entries()) expect(dx[1][i]).toBeCloseTo(wanted, 5)
    expect(new Set([...dx[2], ...dx[3]])).toEqual(new Set([0]))
  })

  test('neg_overlap leaves out what overlaps too much; L2, weights and normalization', async () => {
    const { loss: value } = await run('num_classes: 2 neg_overlap: 0.3')
    expect(value).toBeCloseTo(1.625 + softplus(-1) + softplus(3), 5)
    const other = 'num_classes: 2 loc_loss_type: L2 loc_weight: 2 neg_pos_ratio: 1'
    const full = await run(other, 'loss_param { normalization: FULL }')
    expect(full.loss).toBeCloseTo((2 * (0.125 + 2) + softplus(-1) + softplus(3)) / 3, 5)
  })

  test('PER_PREDICTION takes more priors from its threshold on', async () => {
    const { dx } = await run('num_classes: 2 overlap_threshold: 0.33 neg_pos_ratio: 0.1')
    expect(dx[0].slice(4).map(v => Math.sign(v))).toEqual([1, 1, 1, 1, 0, 0, 0, 0])
    const one = await run('num_classes: 2 overlap_threshold: 0.33 neg_pos_ratio: 0.1 match_type: BIPARTITE')
    expect(new Set(one.dx[0].slice(4))).toEqual(new Set([0]))
  })

  test('LOGISTIC: every class by itself; without mining what found nothing is of no class', async () => {
    const { loss: value } = await run('num_classes: 2 conf_loss_type: LOGISTIC mining_type: NONE')
    expect(value).toBeCloseTo(1.625 + softplus(0) + softplus(-1) + 3 * softplus(0) + softplus(3), 5)
  })

  test('a bottom that does not propagate has no part in the loss', async () => {
    const cut = 'propagate_down: false propagate_down: true propagate_down: false propagate_down: false'
    const { loss: value } = await run('num_classes: 2 neg_pos_ratio: 1', cut)
    expect(value).toBeCloseTo(softplus(-1) + softplus(3), 5)
  })

  test('difficult truths may be left out: then nothing is learned', async () => {
    const difficult = { ...truth, values: truth.values.with(7, 1) }
    const { loss: value, dx } = await run('num_classes: 2 use_difficult_gt: false', '', [loc, conf, prior, difficult])
    expect(value).toBe(0)
    expect(new Set([...dx[0], ...dx[1]])).toEqual(new Set([0]))
  })

  test.each([
    'num_classes: 3 code_type: CENTER_SIZE mining_type: NONE',
    'num_classes: 3 code_type: CORNER_SIZE mining_type: NONE conf_loss_type: LOGISTIC loc_loss_type: L2',
    'num_classes: 3 code_type: CENTER_SIZE neg_pos_ratio: 9 overlap_threshold: 0.3',
    'num_classes: 3 mining_type: HARD_EXAMPLE sample_size: 3',
    'num_classes: 3 mining_type: NONE share_location: false',
  ])('checks %s', async fields => {
    const perPrior = fields.includes('share_location: false') ? 3 : 1
    const fixed = [
      { ...prior, gradient: false },
      { shape: [1, 1, 1, 8], values: [0, 2, 0, 0.05, 0, 0.4, 0.45, 0], gradient: false },
    ]
    await checkLayer(MultiBoxLossLayer, {
      param: `multibox_loss_param { ${fields} }`,
      bottoms: [[1, 12 * perPrior], [1, 9], ...fixed],
      reshapeTo: [[2, 12 * perPrior], [2, 9], ...fixed],
      engine,
    })
  })

  test('RefineDet: what the first stage is sure of is not mined, and codes are relative to the priors that it moved', async () => {
    const objectness = (third: number) => ({ shape: [1, 6], values: [0, 1, 0, 1, 1 - third, third] })
    const both = softplus(-1) + softplus(3)
    const seen = await run('num_classes: 2 neg_pos_ratio: 1', '', [...given, objectness(0.01)])
    expect(seen.loss).toBeCloseTo(1.625 + both, 5)
    const unseen = await run('num_classes: 2 neg_pos_ratio: 1 neg_overlap: 0.3', '', [...given, objectness(0.009)])
    expect(unseen.loss).toBeCloseTo(1.625 + softplus(-1), 5)
    const moves = { shape: [1, 12], values: [0.2, ...new Array(11).fill(0)] }
    const moved = await run('num_classes: 2 neg_pos_ratio: 1', '', [...given, objectness(1), moves])
    // the first prior begins at 0.1: the code of its truth is −0.2
    expect(moved.loss).toBeCloseTo(0.7 ** 2 / 2 + 1.5 + both, 5)
    expect(moved.dx[0].slice(0, 4).map(v => +v.toFixed(5))).toEqual([0.7, 1, 0, 0])
    expect(new Set(moved.dx.slice(2).flat())).toEqual(new Set([0]))
  })

  test('another number of truths', async () => {
    const { net } = await handPass(loss('num_classes: 2 neg_pos_ratio: 1'), given, { engine })
    net.blobs.in3.reshape([1, 1, 0, 8])
    await net.forward()
    expect(net.blobs.y0.dataArray[0]).toBe(0)
  })
})

const shapes = given.map(({ shape }) => shape)
test.each([
  ['', shapes, /num_classes: give how many/],
  ['num_classes: 2 background_label_id: 2', shapes, /background_label_id: 2 must be below num_classes, 2/],
  ['num_classes: 2 do_neg_mining: false', shapes, /do_neg_mining: false and mining_type: MAX_NEGATIVE say different/],
  ['num_classes: 2 share_location: false', shapes, /share_location: false goes with mining_type: NONE only/],
  ['num_classes: 2 neg_pos_ratio: 0', shapes, /neg_pos_ratio: 0 must be larger/],
  ['num_classes: 3 map_object_to_agnostic: true', shapes, /num_classes must be 2/],
  ['num_classes: 3', shapes, /'in1' \(1×6\) must have 9 values for each of 1 images/],
  ['num_classes: 2', shapesOf('1×12 1×6 1×2×12 1×8'), /'in3' \(1×8\) must be 1×1×g×8/],
  ['num_classes: 2', [...shapes, [1, 3, 4]], /'in4' \(1×3×4\) must be 1×6/],
  ['num_classes: 2', [...shapes, [1, 6], [1, 6]], /'in5' \(1×6\) must be 1×12/],
  ['num_classes: 2', shapesOf('1×0 1×0 1×2×0 1×1×1×8'), /'in2' \(1×2×0\) has no boxes/],
])('refuses %s %j', async (fields, wrong, message) => {
  await expect(handNet(loss(fields), wrong, { force: false })).rejects.toThrow(message)
})

test('refuses a label that is none', async () => {
  const wrong = { ...truth, values: truth.values.with(1, 2) }
  await expect(handPass(loss('num_classes: 2'), [loc, conf, prior, wrong])).rejects.toThrow(
    /row 0 of 'in3' has the label 2: boxes have labels from 0 to 1/,
  )
})
