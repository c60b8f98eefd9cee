import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const layer = (fields = '') => `type: "SegmentationEvaluate" segmentation_evaluate_param { ${fields} }`

describe.each(hostEngines)('SegmentationEvaluate on %s', engine => {
  const run = async (fields: string, seen: number[], truth: number[], sizes = [2, 2]) =>
    (
      await handPass(
        layer(fields),
        [
          { shape: [1, 2, 1, sizes[0]], values: seen },
          { shape: [1, 2, 1, sizes[1]], values: truth },
        ],
        { engine, force: false },
      )
    ).y[0]

  test('hand-worked: one of two, none', async () => {
    expect(await run('', [0.9, 0.6, 0.4, 0.6], [1, 0, 1, 0])).toEqual([0.5, 0])
    expect(await run('threshold: 0.3', [0.9, 0.6, 0.4, 0.2], [1, 0, 1, 0])).toEqual([0.5, 1])
  })

  test('hand-worked: of another size, means of what a pixel covers; a class that neither has is −1', async () => {
    expect(await run('', [1, 0.2, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0], [4, 2])).toEqual([1, -1])
    expect(await run('', [0.9, 0, 1, 1, 0, 0, 0, 0], [1, 1, 1, 0], [4, 2])).toEqual([0.5, 0])
  })
})

test('refuses', async () => {
  await expect(handNet(layer(), shapesOf('1×2 1×2'), { force: false })).rejects.toThrow(/must be N × C × H × W/)
  await expect(handNet(layer(), shapesOf('1×2×2×2 1×3×2×2'), { force: false })).rejects.toThrow(/items and classes/)
})
