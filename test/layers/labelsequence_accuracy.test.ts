import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const path = [1, 1, 0, 1, 2, 0, 2, 2]
const scores = { shape: [2, 4, 3], values: path.flatMap(best => [0, 1, 2].map(c => (c === best ? 1 : 0))) }

describe.each(hostEngines)('LabelsequenceAccuracy on %s', engine => {
  test('hand-worked: 1 and 1 behind a blank are two; 2, blank, 2 2 are 2 2', async () => {
    const share = async (labels: number[], fields = '') =>
      (
        await handPass(
          `type: "LabelsequenceAccuracy" labelsequence_accuracy_param { ${fields} }`,
          [scores, { shape: [2, 3], values: labels }],
          { engine, force: false },
        )
      ).y[0]
    expect(await share([1, 1, 0, 2, 2, 0])).toEqual([1])
    expect(await share([1, 1, 0, 2, 0, 0])).toEqual([0.5])
    expect(await share([1, 0, 1, 1, 2, 2], 'blank_label: 2')).toEqual([0.5])
  })
})

test('refuses', async () => {
  const layer = 'type: "LabelsequenceAccuracy"'
  await expect(handNet(layer, shapesOf('2×3 2×3'), { force: false })).rejects.toThrow(/must be N × T × C/)
  await expect(handNet(layer, shapesOf('2×3×4 3×3'), { force: false })).rejects.toThrow(/must be 2 × L/)
})
