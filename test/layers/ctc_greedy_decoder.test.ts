import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

/** Four steps of two items: 1 1 0 2 and 0 2 2 2. */
const path = [1, 0, 1, 2, 0, 2, 2, 2]
const scores = { shape: [4, 2, 3], values: path.flatMap(best => [0, 1, 2].map(c => (c === best ? 1 : 0))) }

describe.each(hostEngines)('CTCGreedyDecoder on %s', engine => {
  test('hand-worked: what is said, and how much of it is right', async () => {
    const said = await handPass('type: "CTCGreedyDecoder"', [scores], { engine })
    expect(said.shapes).toEqual(shapesOf('2×4×1×1'))
    expect(said.y[0]).toEqual([1, 2, -1, -1, 2, -1, -1, -1])
    const labels = { shape: [2, 3], values: [1, 2, 0, 1, 2, 0] }
    const right = await handPass('type: "CTCGreedyDecoder"', [scores, labels], { engine })
    expect(right.shapes).toEqual(shapesOf('1×2×1×1'))
    expect(right.y[0]).toEqual([0.75, 0.5])
  })

  test('indicators beside the scores are CTCDecoder’s', async () => {
    const bottoms = [scores, { shape: [4, 2], values: [0, 0, 1, 1, 1, 0, 1, 0] }]
    const wanted = await handPass('type: "CTCDecoder"', bottoms, { engine })
    expect((await handPass('type: "CTCGreedyDecoder"', bottoms, { engine })).y).toEqual(wanted.y)
  })
})

test('refuses', async () => {
  await expect(handNet('type: "CTCGreedyDecoder"', shapesOf('4×2×3'), { tops: 2 })).rejects.toThrow(/makes one top/)
  await expect(handNet('type: "CTCGreedyDecoder"', shapesOf('4×2'))).rejects.toThrow(/must be T × N × C/)
})
