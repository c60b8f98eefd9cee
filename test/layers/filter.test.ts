import { describe, expect, test } from 'vitest'
import { FilterLayer } from '../../lib/layers/filter.js'
import { Net } from '../../lib/net.js'
import { parseNet } from '../../lib/proto/text.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { inputLayer, shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const items = { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] }

describe.each(hostEngines)('Filter on %s', engine => {
  test('hand-worked: what passes, and where gradients go back to', async () => {
    const run = await handPass('type: "Filter"', [items, { shape: [3], values: [0.5, 0, -1] }], { engine })
    expect(run.shapes[0]).toEqual([2, 2])
    expect(run.y[0]).toEqual([1, 2, 5, 6])
    run.net.blobs.y0.diffArray.set([10, 20, 30, 40])
    await run.net.backward()
    expect(Array.from(run.net.blobs.in0.diffArray)).toEqual([10, 20, 0, 0, 30, 40])
  })

  test('the number of items changes from pass to pass, down to none, and the layers behind follow', async () => {
    const net = await Net.create(
      parseNet(`
        ${inputLayer('x', '3×2')}
        ${inputLayer('s', '3')}
        layer { name: "f" type: "Filter" bottom: "x" bottom: "s" top: "f" }
        layer { name: "p" type: "Power" bottom: "f" top: "p" power_param { scale: 10 } }`),
      { engine },
    )
    expect(net.blobs.f.shape).toEqual([3, 2])
    for (const [s, expected] of [
      [
        [0, 1, 0],
        [30, 40],
      ],
      [
        [1, 1, 1],
        [10, 20, 30, 40, 50, 60],
      ],
      [[0, 0, 0], []],
      [
        [0, 0, 1],
        [50, 60],
      ],
    ] as const) {
      const { p } = await net.forward({ x: items.values, s: [...s] })
      expect(p.shape).toEqual([expected.length / 2, 2])
      expect(Array.from(p.data)).toEqual(expected)
    }
  })

  test('checks', async () => {
    const selector = { shape: [4], values: [1, 0, 1, 1], gradient: false }
    const other = { shape: [5], values: [0, 0, 1, 0, 1], gradient: false }
    await checkLayer(FilterLayer, {
      bottoms: [[4, 3], [4, 2, 2], selector],
      tops: 2,
      engine,
      reshapeTo: [[5, 2], [5, 3], other],
    })
  })
})

test('refuses selectors that do not fit, and the wrong number of tops', async () => {
  await expect(handNet('type: "Filter"', [[3, 2], [2]], { force: false })).rejects.toThrow(
    /must have the same first axis/,
  )
  await expect(handNet('type: "Filter"', shapesOf('3×2 3×2'), { force: false })).rejects.toThrow(/one value per item/)
  await expect(handNet('type: "Filter"', [[3, 2], [3]], { tops: 2, force: false })).rejects.toThrow(
    /2 bottoms and 2 tops/,
  )
})
