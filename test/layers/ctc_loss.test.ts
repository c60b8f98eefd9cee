import { describe, expect, test } from 'vitest'
import { CTCLossLayer } from '../../lib/layers/ctc_loss.js'
import { checkLayer } from '../../lib/testing.js'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const softmax = (row: number[]) => {
  const sum = row.reduce((total, v) => total + Math.exp(v), 0)
  return row.map(v => Math.exp(v) / sum)
}

/** What a path of classes says. */
const says = (path: number[], blank: number, merge: boolean) =>
  path.filter((c, t) => c !== blank && !(merge && c === path[t - 1])).join()

/** The sum over all paths, one by one. */
function probability(rows: number[][], labels: number[], blank: number, merge = true): number {
  const classes = rows[0].length
  let sum = 0
  for (let code = 0; code < classes ** rows.length; code++) {
    const path = rows.map((_, t) => Math.trunc(code / classes ** t) % classes)
    if (says(path, blank, merge) === labels.join()) sum += path.reduce((p, c, t) => p * softmax(rows[t])[c], 1)
  }
  return sum
}

const scores = (steps: number, classes: number, seed = 1) =>
  Array.from({ length: steps }, (_, t) => Array.from({ length: classes }, (_, c) => 2 * Math.sin(seed + 3 * t + 5 * c)))

/** Items side by side: (T, N, C). */
const together = (...items: number[][][]) => ({
  shape: [items[0].length, items.length, items[0][0].length],
  values: items[0].flatMap((_, t) => items.flatMap(item => item[t])),
})

describe.each(hostEngines)('CTCLoss on %s', engine => {
  test('two bottoms: the sum over all ways to say the labels', async () => {
    const items = [scores(4, 3, 1), scores(4, 3, 2), scores(4, 3, 7)]
    const labels = [[1, 2], [2, 2], [1]]
    const padded = { shape: [3, 3], values: [1, 0, 2, 2, 2, 0, 0, 1, 0] }
    const run = await handPass('type: "CTCLoss"', [together(...items), padded], { engine })
    const expected = items.reduce((sum, rows, n) => sum - Math.log(probability(rows, labels[n], 0)), 0) / 3
    expect(run.shapes[0]).toEqual([])
    expect(run.y[0][0]).toBeCloseTo(expected, 5)
  })

  test.each([
    ['', true],
    ['ctc_merge_repeated: false', false],
  ])('three bottoms: items of different length %s', async (fields, merge) => {
    const items = [scores(5, 4, 3), scores(5, 4, 4)]
    // the second ends after three steps; the blank is the last class
    const indicators = { shape: [5, 2], values: [0, 0, 1, 1, 1, 1, 1, 0, 1, 0] }
    const labels = { shape: [5, 2], values: [2, 0, 2, -1, 1, -1, -1, -1, -1, -1] }
    const layer = `type: "CTCLoss" ctc_loss_param { ${fields} }`
    const run = await handPass(layer, [together(...items), indicators, labels], { engine, dy: [null] })
    const parts = [probability(items[0], [2, 2, 1], 3, merge), probability(items[1].slice(0, 3), [0], 3, merge)]
    expect(run.y[0][0]).toBeCloseTo(-(Math.log(parts[0]) + Math.log(parts[1])) / 2, 5)
    // steps past the end have no gradient
    const past = run.dx[0].slice((3 * 2 + 1) * 4, (3 * 2 + 2) * 4)
    expect(past.every(d => d === 0)).toBe(true)
  })

  test('hand-worked: one step, one label; CtcLoss is the same', async () => {
    const one = { shape: [1, 1, 2], values: [0, Math.log(3)] }
    const run = await handPass('type: "CtcLoss"', [one, { shape: [1, 1], values: [1] }], { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo(Math.log(4 / 3), 6)
    expect(run.dx[0]).toEqual([0.25, -0.25])
  })

  test('output_delay starts later, collapsed repetitions are one', async () => {
    const rows = scores(4, 3, 5)
    const fields = 'output_delay: 2 preprocess_collapse_repeated: true'
    const bottoms = [together(rows), { shape: [4, 1], values: [0, 1, 1, 1] }, { shape: [4, 1], values: [1, 1, -1, -1] }]
    const run = await handPass(`type: "CTCLoss" ctc_loss_param { ${fields} }`, bottoms, { engine, dy: [null] })
    expect(run.y[0][0]).toBeCloseTo(-Math.log(probability(rows.slice(2), [1], 2)), 5)
    expect(run.dx[0].slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('no step for the blank between two equal labels, and no label at all', async () => {
    const rows = scores(2, 3, 5)
    const two = await handPass('type: "CTCLoss"', [together(rows), { shape: [1, 2], values: [1, 1] }], {
      engine,
      dy: [null],
    })
    expect(two.y[0][0]).toBe(0)
    expect(two.dx[0].every(d => d === 0)).toBe(true)
    const three = [together(rows), { shape: [2, 1], values: [0, 0] }, { shape: [1, 1], values: [-1] }]
    expect((await handPass('type: "CTCLoss"', three, { engine })).y[0][0]).toBe(0)
  })

  test('checks both', async () => {
    await checkLayer(CTCLossLayer, {
      bottoms: [[5, 2, 4], { shape: [2, 3], values: [1, 3, 0, 2, 2, 0] }],
      reshapeTo: [[4, 1, 3], { shape: [1, 2], values: [1, 2] }],
      engine,
    })
    await checkLayer(CTCLossLayer, {
      bottoms: [
        [4, 2, 3],
        { shape: [4, 2], values: [0, 0, 1, 1, 1, 0, 1, 0] },
        { shape: [3, 2], values: [0, 1, 1, -1, -1, -1] },
      ],
      reshapeTo: false,
      engine,
    })
  })
})

test('refuses', async () => {
  const x = { shape: [2, 1, 3], values: [0, 0, 0, 0, 0, 0] }
  const label = (...values: number[]) => ({ shape: [1, values.length], values })
  await expect(handPass('type: "CTCLoss"', [x, label(3)])).rejects.toThrow(/the label 3: labels count from 0 to 2/)
  const three = [x, { shape: [2, 1], values: [0, 1] }]
  await expect(handPass('type: "CTCLoss"', [...three, { shape: [1, 1], values: [2] }])).rejects.toThrow(
    /without 2, the blank/,
  )
  await expect(handPass('type: "CTCLoss"', [...three, { shape: [3, 1], values: [0, 1, 0] }])).rejects.toThrow(
    /3 labels in 'in2', and only 2 steps/,
  )
  const shapes = shapesOf('2×1×3 1×2')
  await expect(handNet('type: "CTCLoss" ctc_loss_param { alphabet_size: 4 }', shapes)).rejects.toThrow(
    /alphabet_size: 4/,
  )
  await expect(handNet('type: "CTCLoss" ctc_loss_param { time_step: 3 }', shapes)).rejects.toThrow(
    /time_step: 3 is more than the 2/,
  )
  await expect(handNet('type: "CTCLoss" ctc_loss_param { blank_label: 3 }', shapes)).rejects.toThrow(
    /the blank, 3, is none/,
  )
  await expect(handNet('type: "CTCLoss"', shapesOf('2×3 1×2'))).rejects.toThrow(/must be T × N × C/)
  await expect(handNet('type: "CTCLoss"', shapesOf('2×1×3 2×2'))).rejects.toThrow(/must be 1 × L/)
  await expect(handNet('type: "CTCLoss"', shapesOf('2×1×3 3×1 1×1'))).rejects.toThrow(/must be 2 × 1/)
  await expect(
    handNet('type: "CTCLoss" ctc_loss_param { output_delay: 2 }', shapesOf('2×1×3 2×1 1×1')),
  ).rejects.toThrow(/output_delay: 2/)
})
