import { describe, expect, test } from 'vitest'
import { ROIAlignLayer } from '../../lib/layers/roi_align.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const align = (param: string) => `type: "ROIAlign" roi_align_param { ${param} }`
const regions = (...rows: number[][]) => ({ shape: [rows.length, 5], values: rows.flat() })
const x = { shape: [1, 1, 3, 3], values: [0, 1, 2, /**/ 10, 11, 12, /**/ 20, 21, 22] }

describe.each(hostEngines)('ROIAlign on %s', engine => {
  test('sampling_ratio, hand-worked: means of values between pixels, gradients by the same weights', async () => {
    const run = await handPass(align('pooled_h: 1 pooled_w: 2 sampling_ratio: 1'), [x, regions([0, 0.5, 0, 2.5, 1])], {
      engine,
      dy: [[4, 8]],
    })
    // samples at y 0.5, x 1 and 2
    expect(run.y[0]).toEqual([6, 7])
    expect(run.dx[0]).toEqual([0, 2, 4, 0, 2, 4, 0, 0, 0])
  })

  test('0 takes as many samples as a bin is long; those far outside count as 0, near ones as the edge', async () => {
    const run = await handPass(align('pooled_h: 1 pooled_w: 1 sampling_ratio: 0'), [x, regions([0, -3, 0, 1, 1])], {
      engine,
      dy: [[4]],
    })
    // x at −2.5, −1.5, −0.5, 0.5; y at 0.5
    expect(run.y[0]).toEqual([(5 + 5.5) / 4])
    expect(run.dx[0]).toEqual([0.75, 0.25, 0, 0.75, 0.25, 0, 0, 0, 0])
  })

  test('the largest of four, hand-worked', async () => {
    const run = await handPass(align('pooled_h: 1 pooled_w: 1'), [x, regions([0, 0, 0, 2, 2])], { engine, dy: [[8]] })
    // a bin of 3×3, of which points (0, 0), (0, 1), (0, 2) and (1, 0) count; they lie at −1, 0 and 1. The sample at
    // x −½, y −½ has ½·½ of (0, 0), (0, 1) and (1, 0)
    expect(run.y[0]).toEqual([0.25 * (0 + 1 + 10)])
    expect(run.dx[0]).toEqual([2, 2, 0, 2, 0, 0, 0, 0, 0])
  })

  test.each(['sampling_ratio: 2', 'sampling_ratio: 0', ''])('checks: %s', { tags: 'long' }, async param => {
    await checkLayer(ROIAlignLayer, {
      param: `roi_align_param { pooled_h: 2 pooled_w: 3 spatial_scale: 0.5 ${param} }`,
      bottoms: [[2, 3, 6, 5], regions([0, 1, 2, 9, 11], [1, -3, 0, 4, 5], [1, 3, 3, 3.5, 3.5])],
      engine,
      reshapeTo: [[1, 2, 5, 6], regions([0, 2, 2, 9, 9])],
    })
  })
})

test('refuses sizes that are none', async () => {
  const net = (param: string) => handNet(align(param), shapesOf('1×1×3×3 1×5'))
  await expect(net('pooled_w: 2')).rejects.toThrow(/pooled_h: 0 pooled_w: 2 must both be given/)
  await expect(net('pooled_w: 2 pooled_h: 2 sampling_ratio: 65')).rejects.toThrow(
    /sampling_ratio: 65 is more than the 64/,
  )
})
