import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const proposal = (param: string) => `type: "Proposal" proposal_param { ${param} }`
// one anchor: 0, 0, 15, 15, moved by 16 to each of 1×3 places
const one = 'ratio: 1 scale: 1 min_size: 8'
const scores = (...objects: number[]) => ({ shape: [1, 2, 1, 3], values: [0, 0, 0, ...objects] })
const still = { shape: [1, 4, 1, 3], values: new Array(12).fill(0) }
const info = (...values: number[]) => ({ shape: [1, values.length], values })

describe.each(hostEngines)('Proposal on %s', engine => {
  test('hand-worked: best first, cut to the picture, too small ones gone', async () => {
    const run = await handPass(proposal(one), [scores(0.2, 0.9, 0.5), still, info(12, 38, 1)], { engine, tops: 2 })
    // centres are x1 + 8, sides 16: 0 … 16, so that they touch; the third is cut to 32 … 37
    expect(run.shapes).toEqual([[2, 5], [2]])
    expect(run.y[0]).toEqual([0, 16, 0, 32, 11, 0, 0, 0, 16, 11])
    expect(run.y[1]).toEqual([0.9, 0.2])
  })

  test('hand-worked: moves, the scale of min_size, suppression', async () => {
    const moves = { shape: [1, 4, 1, 3], values: [0.5, -0.5, 0, 0, 0, 0, Math.log(0.5), 0, 0, 0, 0, 0] }
    const given = [scores(0.2, 0.9, 0.5), moves, info(64, 64, 1)]
    // place 0: 12 … 20; place 1: 8 … 24; place 2: 32 … 48. 0 and 1 share 9 of 17 columns
    const all = await handPass(proposal(`${one} nms_thresh: 0.6`), given, { engine })
    expect(all.y[0].filter((_, i) => i % 5 === 1)).toEqual([8, 32, 12])
    const apart = await handPass(proposal(`${one} nms_thresh: 0.5`), given, { engine })
    expect(apart.y[0].filter((_, i) => i % 5 === 1)).toEqual([8, 32])
    given[2] = info(64, 64, 1.2)
    expect((await handPass(proposal(`${one} nms_thresh: 0.6`), given, { engine })).y[0]).toHaveLength(10)
    given[2] = info(64, 64, 1, 1.2)
    expect((await handPass(proposal(`${one} nms_thresh: 0.6`), given, { engine })).y[0]).toHaveLength(10)
    const first = await handPass(proposal(`${one} pre_nms_topn: 2 post_nms_topn: 1`), given, { engine })
    expect(first.y[0]).toEqual([0, 8, 0, 24, 16])
  })

  test("two pictures, and Synopsys' fields", async () => {
    const param = 'feat_stride: 16 anchor_base_size: 1 anchor_scale: 1 anchor_ratio: 1 max_rois: 1 rpn_min_size: 1'
    const run = await handPass(
      proposal(param),
      [
        { shape: [2, 2, 1, 2], values: [0, 0, 0.1, 0.2, 0, 0, 0.4, 0.3] },
        { shape: [2, 4, 1, 2], values: new Array(16).fill(0) },
        { shape: [2, 3], values: [100, 100, 1, 100, 100, 1] },
      ],
      { engine, tops: 2 },
    )
    // the anchor is −15.5 … 15.5: 32 wide, so −15.5 … 16.5 when it is decoded
    expect(run.shapes).toEqual(shapesOf('2×5 2×1'))
    expect(run.y[0]).toEqual([0, 0.5, 0, 32.5, 16.5, 1, 0, 0, 16.5, 16.5])
  })

  test('no region is left, and no gradient goes through', async () => {
    const run = await handPass(proposal('ratio: 1 scale: 1'), [scores(1, 1, 1), still, info(10, 10, 1)], { engine })
    expect(run.shapes[0]).toEqual([0, 5])
    expect(run.net.describe().layers.at(-1)).toMatchObject({ needs_backward: true })
  })
})

test('refuses counts that are not those of its anchors, and two layers in one', async () => {
  const net = (param: string, ...shapes: number[][]) => handNet(proposal(param), shapes)
  await expect(net('', [1, 18, 2, 2], [1, 36, 2, 3], [1, 3])).rejects.toThrow(
    /'in1' .* must be 1×36×2×2: there are 9 anchors/,
  )
  await expect(net('', [1, 12, 2, 2], [1, 36, 2, 2], [1, 3])).rejects.toThrow(/'in0' .* must be 1×18×2×2/)
  await expect(net('', [1, 18, 2, 2], [1, 36, 2, 2], [1, 2])).rejects.toThrow(/height, width and scale/)
  await expect(net('ratio: 0 scale: 1', [1, 2, 2, 2], [1, 4, 2, 2], [1, 3])).rejects.toThrow(/must all be above 0/)
  await expect(net('ratio: 1 max_rois: 3', [1, 2, 2, 2], [1, 4, 2, 2], [1, 3])).rejects.toThrow(/one or the other/)
})
