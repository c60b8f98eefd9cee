import { describe, expect, test } from 'vitest'
import { BatchReindexLayer } from '../../lib/layers/batch_reindex.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const items = { shape: [3, 2], values: [1, 2, 3, 4, 5, 6] }

describe.each(hostEngines)('BatchReindex on %s', engine => {
  test('hand-worked: items may come twice or not at all', async () => {
    const run = await handPass('type: "BatchReindex"', [items, { shape: [4], values: [2, 0, 2, 2] }], {
      engine,
      dy: [[1, 2, 3, 4, 5, 6, 7, 8]],
    })
    expect(run.y[0]).toEqual([5, 6, 1, 2, 5, 6, 5, 6])
    expect(run.dx[0]).toEqual([3, 4, 0, 0, 13, 16])
  })

  test('checks', async () => {
    const bottoms = [[3, 2, 5], { shape: [4], values: [2, 0, 2, 1], gradient: false }]
    await checkLayer(BatchReindexLayer, {
      bottoms,
      engine,
      reshapeTo: [[5, 3], { shape: [2], values: [4, 4], gradient: false }],
    })
  })
})

test('refuses indices outside the batch, and indices with more axes', async () => {
  const bottoms = (index: number) => [items, { shape: [1], values: [index] }]
  await expect(handPass('type: "BatchReindex"', bottoms(3))).rejects.toThrow(
    /index 0 of 'in1' is 3, but 'in0' has the items 0 to 2/,
  )
  await expect(handPass('type: "BatchReindex"', bottoms(-1))).rejects.toThrow(/is -1/)
  await expect(handNet('type: "BatchReindex"', shapesOf('3×2 2×1'))).rejects.toThrow(/exactly one axis/)
})
