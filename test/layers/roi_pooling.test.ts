import { describe, expect, test } from 'vitest'
import { ROIPoolingLayer } from '../../lib/layers/roi_pooling.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const pooling = (param: string) => `type: "ROIPooling" roi_pooling_param { ${param} }`
const picture = { shape: [1, 1, 3, 4], values: [1, 5, 2, 4, /**/ 3, 5, 0, 6, /**/ 9, 8, 7, 1] }
const regions = (...rows: number[][]) => ({ shape: [rows.length, 5], values: rows.flat() })

describe.each(hostEngines)('ROIPooling on %s', engine => {
  test('hand-worked: bins that overlap, the first of two equal values, gradients of two regions add up', async () => {
    const rois = regions([0, 0, 0, 2, 2], [0, 2, 0, 6, 4])
    const run = await handPass(pooling('pooled_h: 2 pooled_w: 2 spatial_scale: 1'), [picture, rois], {
      engine,
      dy: [[1, 2, 3, 4, 5, 6, 7, 8]],
    })
    // region 0: rows 0–1 and 1–2, columns alike; region 1 (5×5 pixels): rows 0–2 and 2, columns 2–3 and none
    expect(run.shapes[0]).toEqual([2, 1, 2, 2])
    expect(run.y[0]).toEqual([5, 5, 9, 8, 7, 0, 7, 0])
    expect(run.dx[0]).toEqual([0, 1 + 2, 0, 0, 0, 0, 0, 0, 3, 4, 5 + 7, 0])
  })

  test('corners are scaled and then rounded, halves away from zero', async () => {
    const rois = regions([0, 1, 1, 5, 3])
    // 0.5, 0.5, 2.5, 1.5 → 1, 1, 3, 2
    const run = await handPass(pooling('pooled_size: 1 spatial_scale: 0.5'), [picture, rois], { engine, dy: [[2]] })
    expect(run.y[0]).toEqual([8])
    expect(run.dx[0]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0])
  })

  test('a region that ends before it starts is one pixel, and has no gradient', async () => {
    const run = await handPass(pooling('pooled_h: 1 pooled_w: 1'), [picture, regions([0, 2, 2, 0, 0])], {
      engine,
      dy: [[1]],
    })
    expect(run.y[0]).toEqual([7])
    expect(run.dx[0]).toEqual(new Array(12).fill(0))
  })

  test.each(['pooled_h: 3 pooled_w: 2', 'pooled_size: 3 pooled_size: 4 spatial_scale: 0.5'])(
    'checks: %s',
    { tags: 'long' },
    async p => {
      const values = [0, 1, 1, 5, 4, 1, 0, 2, 6, 5, 1, 3, 3, 12, 11]
      const pixels = { shape: [2, 3, 6, 7], values: Array.from({ length: 252 }, (_, i) => ((i * 101) % 252) / 8) }
      await checkLayer(ROIPoolingLayer, {
        param: `roi_pooling_param { ${p} }`,
        bottoms: [pixels, { shape: [3, 5], values }],
        engine,
        reshapeTo: [[2, 2, 7, 5], { shape: [1, 5], values: [1, 0, 1, 4, 4] }],
      })
    },
  )

  test('another number of regions, and none', async () => {
    const net = await handNet(pooling('pooled_h: 2 pooled_w: 3'), shapesOf('1×2×4×4 2×5×1×1'), { engine })
    expect(net.blobs.y0.shape).toEqual([2, 2, 2, 3])
    net.blobs.in1.reshape([0, 5])
    net.blobs.in0.dataArray.fill(1)
    await net.forward()
    expect(net.blobs.y0.shape).toEqual([0, 2, 2, 3])
    await net.backward()
    expect([...net.blobs.in0.diffArray]).toEqual(new Array(32).fill(0))
  })

  test('refuses a region of a picture that is not there', async () => {
    const run = handPass(pooling('pooled_h: 1 pooled_w: 1'), [picture, regions([0, 0, 0, 1, 1], [1, 0, 0, 1, 1])], {
      engine,
    })
    await expect(run).rejects.toThrow(/region 1 of 'in1' is of picture 1: there are the pictures 0 to 0 of 'in0'/)
    const odd = handPass(pooling('pooled_h: 1 pooled_w: 1'), [picture, regions([0, 0, 0, 1, Number.NaN])], { engine })
    await expect(odd).rejects.toThrow(/region 0 of 'in1' has the corners 0, 0, 1, NaN: they must be numbers/)
  })
})

test('refuses sizes that are none, and regions that are not five numbers', async () => {
  const net = (param: string, ...shapes: number[][]) => handNet(pooling(param), shapes)
  await expect(net('pooled_h: 2', [1, 1, 3, 3], [1, 5])).rejects.toThrow(/pooled_h: 2 pooled_w: 0 must both be given/)
  await expect(net('pooled_h: 2 pooled_w: 2 spatial_scale: 0', [1, 1, 3, 3], [1, 5])).rejects.toThrow(
    /spatial_scale: 0/,
  )
  await expect(net('pooled_h: 2 pooled_w: 2', [1, 1, 3, 3], [1, 4])).rejects.toThrow(/'in1' \(1×4\) must be R×5/)
  await expect(net('pooled_h: 2 pooled_w: 2', [1, 3, 3], [1, 5])).rejects.toThrow(/must have four axes/)
})
