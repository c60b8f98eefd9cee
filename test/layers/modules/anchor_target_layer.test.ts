import { describe, expect, test } from 'vitest'
import { hostEngines } from '../../engines.js'
import { handNet, handPass } from '../hand.js'

const python = (settings: string) =>
  `type: "Python" python_param { module: "rpn.anchor_target_layer" layer: "AnchorTargetLayer" param_str: "${settings}" }`
// anchors of 16 pixels, side by side
const one = "'feat_stride': 16, 'scales': [1], 'ratios': [1]"
const scores = (W = 3) => ({ shape: [1, 2, 1, W], values: new Array(2 * W).fill(0) })
const objects = (...rows: number[][]) => ({ shape: [rows.length, 5], values: rows.flat() })
const info = (width = 48) => ({ shape: [1, 3], values: [16, width, 1] })
const data = { shape: [1, 1, 16, 48], values: new Array(16 * 48).fill(0) }

describe.each(hostEngines)('rpn.anchor_target_layer on %s', engine => {
  test('hand-worked: the best anchor of an object learns where it is, the others that they hold none', async () => {
    const bottoms = [scores(), objects([4, 0, 19, 15, 1]), info(), data]
    const run = await handPass(python(one), bottoms, { engine, tops: 4 })
    expect(run.shapes).toEqual([[1, 1, 1, 3], ...new Array(3).fill([1, 4, 1, 3])])
    expect(run.y[0]).toEqual([1, 0, 0])
    // dx of the three anchors: 4, −12 and −28 of 16 pixels
    expect(run.y[1]).toEqual([0.25, -0.75, -1.75, ...new Array(9).fill(0)])
    expect(run.y[2]).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0])
    expect(new Set(run.y[3])).toEqual(new Set([0.333333]))
  })

  test('anchors that reach out of the picture, and those between the two overlaps, count for nothing', async () => {
    // overlaps: 0.6 and 1/7, then 1 with another object; the third anchor is cut by the edge
    const bottoms = [scores(), objects([3, 0, 18, 15, 1], [16, 0, 31, 15, 2]), info(47)]
    const run = await handPass(python(`${one}, 'rpn_negative_overlap': 0.1`), bottoms, { engine, tops: 4 })
    expect(run.y[0]).toEqual([1, 1, -1])
    expect(run.y[3].filter((_, i) => i % 3 === 2)).toEqual([0, 0, 0, 0])
    const far = await handPass(python(`${one}, 'allowed_border': 1`), bottoms, { engine, tops: 4 })
    expect(far.y[0]).toEqual([1, 1, 0])
  })

  test('an object that no anchor touches makes none of them its own', async () => {
    const run = await handPass(python(one), [scores(), objects([100, 100, 110, 110, 1]), info()], { engine, tops: 4 })
    expect(run.y[0]).toEqual([0, 0, 0])
  })

  test('clobber_positives, and weights of the two kinds', async () => {
    const bottoms = [scores(), objects([12, 0, 27, 15, 1]), info()]
    // overlaps: 4/28 and 12/20
    const kept = await handPass(python(`${one}, 'rpn_positive_weight': 0.75`), bottoms, { engine, tops: 4 })
    expect(kept.y[0]).toEqual([0, 1, 0])
    expect(kept.y[3].slice(0, 3)).toEqual([0.125, 0.75, 0.125])
    const clobber = `${one}, 'rpn_clobber_positives': True, 'rpn_negative_overlap': 0.65`
    expect((await handPass(python(clobber), bottoms, { engine, tops: 4 })).y[0]).toEqual([0, 0, 0])
  })

  test('too many are drawn from: the same with the same seed', async () => {
    const bottoms = [scores(40), objects([0, 0, 15, 15, 1], [32, 0, 47, 15, 1], [64, 0, 79, 15, 1]), info(640)]
    const run = (seed: number) =>
      handPass(python(`${one}, 'rpn_batchsize': 8, 'rpn_fg_fraction': 0.25`), bottoms, { engine, tops: 4, seed })
    const [a, b, c] = [await run(1), await run(1), await run(2)]
    expect(a.y[0].filter(label => label === 1)).toHaveLength(2)
    expect(a.y[0].filter(label => label === 0)).toHaveLength(6)
    expect(b.y).toEqual(a.y)
    expect(c.y[0]).not.toEqual(a.y[0])
  })
})

test('refuses settings and shapes that do not fit', async () => {
  const net = (settings: string, ...shapes: number[][]) => handNet(python(settings), shapes, { tops: 4 })
  await expect(net("'scales': 'big'", [1, 18, 2, 2], [1, 5], [1, 3])).rejects.toThrow(
    /scales as "big": it must be a list/,
  )
  await expect(net("'feat_stride': [1]", [1, 18, 2, 2], [1, 5], [1, 3])).rejects.toThrow(
    /feat_stride .* must be a number/,
  )
  await expect(net(one, [1, 4, 2, 2], [1, 5], [1, 3])).rejects.toThrow(/has 4 channels, the 1 anchors want two each/)
  await expect(net(one, [2, 2, 2, 2], [1, 5], [1, 3])).rejects.toThrow(/one picture at a time/)
  await expect(net(one, [1, 2, 2, 2], [1, 3], [1, 3])).rejects.toThrow(/must be G×5/)
})
