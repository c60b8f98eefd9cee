import { describe, expect, test } from 'vitest'
import { ContrastiveLossLayer } from '../../lib/layers/contrastive_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

/** Three pairs 5 apart: similar, dissimilar, and dissimilar beyond the margin of 8 (10 apart). */
const bottoms = [
  { shape: [3, 2], values: [3, 4, 3, 4, 6, 8] },
  { shape: [3, 2], values: [0, 0, 0, 0, 0, 0] },
  { shape: [3], values: [1, 0, 0] },
]

describe.each(hostEngines)('ContrastiveLoss on %s', engine => {
  test('hand-worked', async () => {
    const run = await handPass('type: "ContrastiveLoss" contrastive_loss_param { margin: 8 }', bottoms, {
      engine,
      dy: [null],
    })
    expect(run.y[0][0]).toBeCloseTo((25 + 9) / 6, 5)
    // the second pair: −(8 − 5)/5 of the difference, over N
    const da = [1, 4 / 3, -0.6, -0.8, 0, 0]
    for (const [i, value] of da.entries()) {
      expect(run.dx[0][i]).toBeCloseTo(value, 4)
      expect(run.dx[1][i]).toBeCloseTo(-value, 4)
    }
  })

  test('hand-worked: legacy_version takes the margin from the squared distance', async () => {
    const layer = 'type: "ContrastiveLoss" contrastive_loss_param { margin: 30 legacy_version: true }'
    const run = await handPass(layer, bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo((25 + 5) / 6, 5)
    for (const [i, value] of [1, 4 / 3, -1, -4 / 3, 0, 0].entries()) expect(run.dx[0][i]).toBeCloseTo(value, 5)
  })

  test.each(['contrastive_loss_param { margin: 3 }', 'contrastive_loss_param { margin: 9 legacy_version: true }'])(
    'checks: %s',
    async param => {
      const pairs = [[7, 5], [7, 5], { shape: [7], labels: 2 }]
      await checkLayer(ContrastiveLossLayer, { param, bottoms: pairs, engine, step: 1e-3 })
    },
  )
})

test('refuses pairs and labels that do not fit', async () => {
  const net = (...shapes: number[][]) => handNet('type: "ContrastiveLoss"', shapes)
  await expect(net([2, 3], [2, 4], [2])).rejects.toThrow(/same number of values/)
  await expect(net([2, 3, 2], [2, 3, 2], [2])).rejects.toThrow(/must be N×C/)
  await expect(net([2, 3], [2, 3], [2, 2])).rejects.toThrow(/one value for each of the 2 pairs/)
  await expect(net([2, 3], [2, 3])).rejects.toThrow(/exactly 3 bottoms/)
})
