import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

/** Two items of four steps, three classes; what is likeliest: 0 0 2 0 and, until it ends, 1 1 1. */
const probabilities = {
  shape: [4, 2, 3],
  values: [
    [0.5, 0.25, 0.25],
    [0, 0.5, 0.5],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0.25, 0.75],
    [0, 0.5, 0.25],
    [1, 0, 0],
    [1, 0, 0],
  ].flat(),
}
const indicators = { shape: [4, 2], values: [0, 0, 1, 1, 1, 1, 1, 0] }

describe.each(hostEngines)('CTCDecoder on %s', engine => {
  test('hand-worked: the last class is the blank, repetitions are one', async () => {
    const run = await handPass('type: "CTCDecoder"', [probabilities, indicators], { engine, tops: 2 })
    expect(run.shapes).toEqual(shapesOf('2×4×1×1 2×1×1×1'))
    expect(run.y[0]).toEqual([0, 0, -1, -1, 1, -1, -1, -1])
    expect(run.y[1]).toEqual([0.375, 0.25])
  })

  test('hand-worked: nothing merged, another blank', async () => {
    const fields = 'ctc_decoder_param { blank_index: 0 ctc_merge_repeated: false }'
    const run = await handPass(`type: "CTCDecoder" ${fields}`, [probabilities, indicators], { engine })
    expect(run.y[0]).toEqual([2, -1, -1, -1, 1, 1, 1, -1])
  })

  test('accuracy: one edit of three labels, and two of two', async () => {
    const labels = { shape: [4, 2], values: [0, 0, 1, 2, 0, -1, -1, -1] }
    const bottoms = [probabilities, indicators, labels]
    const two = await handPass('type: "CTCDecoder"', bottoms, { engine, tops: 2 })
    expect(two.y[1][0]).toBeCloseTo(1 - (1 / 3 + 1) / 2, 6)
    const three = await handPass('type: "CTCDecoder"', bottoms, { engine, tops: 3 })
    expect(three.y[1]).toEqual([0.375, 0.25])
    expect(three.y[2]).toEqual(two.y[1])
  })
})

test('refuses', async () => {
  await expect(handNet('type: "CTCDecoder"', shapesOf('2×3 2×3'))).rejects.toThrow(/must be T × N × C/)
  await expect(handNet('type: "CTCDecoder"', shapesOf('2×1×3 3×1'))).rejects.toThrow(/must be 2 × 1/)
  await expect(handNet('type: "CTCDecoder"', shapesOf('2×1×3 2×1 2×2'))).rejects.toThrow(/must be L × 1/)
  await expect(handNet('type: "CTCDecoder"', shapesOf('2×1×3 2×1'), { tops: 3 })).rejects.toThrow(/needs the labels/)
  await expect(
    handNet('type: "CTCDecoder" ctc_decoder_param { blank_index: 3 }', shapesOf('2×1×3 2×1')),
  ).rejects.toThrow(/blank_index: 3 is none of the 3 classes/)
})
