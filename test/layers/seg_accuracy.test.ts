import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const seg = (fields = '') => `type: "SegAccuracy" seg_accuracy_param { ${fields} }`
/** Scores of three classes at four places say 0, 1, 1, 2. */
const scores = { shape: [1, 3, 1, 4], values: [5, 0, 0, 1, 0, 5, 5, 1, 0, 0, 0, 2] }
const three = (...values: number[]) => values.map(v => Number(Math.fround(v).toPrecision(6)))

describe.each(hostEngines)('SegAccuracy on %s', engine => {
  test('hand-worked: places, classes, intersection over union', async () => {
    const run = await handPass(seg(), [scores, { shape: [1, 1, 1, 4], values: [0, 0, 1, 1] }], { engine, force: false })
    expect(run.shapes[0]).toEqual([1, 1, 1, 3])
    // hits 1 of 2, 1 of 2, none; unions 2, 3 and 1
    expect(run.y[0]).toEqual(three(1 / 2, 1 / 2, (1 / 2 + 1 / 3) / 3))
  })

  test('ignored labels do not count, a class that is nowhere counts as right', async () => {
    const label = { shape: [1, 1, 1, 4], values: [0, 1, 255, 9] }
    const run = await handPass(seg('ignore_label: 255 ignore_label: 9'), [scores, label], { engine, force: false })
    expect(run.y[0]).toEqual([1, 1, 1])
    const none = await handPass(seg('ignore_label: 7'), [scores, { shape: [1, 1, 1, 4], values: [7, 7, 7, 7] }], {
      engine,
      force: false,
    })
    expect(none.y[0]).toEqual([0, 0, 1])
  })

  test('reset: false counts on', async () => {
    const { net } = await handPass(seg('reset: false'), [scores, { shape: [1, 1, 1, 4], values: [0, 0, 1, 1] }], {
      engine,
      force: false,
    })
    net.blobs.in1.dataArray.set([0, 1, 1, 2])
    await net.forward()
    expect(net.blobs.y0.dataArray[0]).toBe(6 / 8)
  })

  test('one channel is a probability', async () => {
    const x = { shape: [1, 1, 1, 4], values: [0.6, 0.5, 0.2, 0.9] }
    const run = await handPass(seg(), [x, { shape: [1, 1, 1, 4], values: [1, 0, 1, 1] }], { engine, force: false })
    expect(run.y[0]).toEqual(three(3 / 4, (1 + 2 / 3) / 2, (1 / 2 + 2 / 3) / 2))
  })
})

test('refuses other labels and shapes', async () => {
  await expect(
    handPass(seg(), [scores, { shape: [1, 1, 1, 4], values: [0, 3, 0, 0] }], { force: false }),
  ).rejects.toThrow(/label 1 of 'in1' is 3: labels count from 0 to 2/)
  await expect(handNet(seg(), shapesOf('1×3×2×2 1×1×2×3'))).rejects.toThrow(/label 'in1' .* must hold 4 values/)
  await expect(handNet(seg(), [[4, 3], [4]])).rejects.toThrow(/must be N×C×H×W/)
})
