import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (more = '') =>
  `type: "YoloDetectionOutput" yolo_detection_output_param { num_classes: 2 num_box: 1 biases: 0.5 biases: 1 ${more} }`

describe.each(hostEngines)('YoloDetectionOutput on %s', engine => {
  test('hand-worked: two cells, objectness 1/2, classes 3/4 and 1/4', async () => {
    const three = Math.log(3)
    // x, y, w, h, object, class 0, class 1; the second cell is certain of nothing
    const values = [0, 0, 0, 0, 0, 0, 0, 0, 0, -9, 0, 0, three, three]
    const run = await handPass(layer('confidence_threshold: 0.3'), [{ shape: [1, 7, 1, 2], values }], {
      engine,
      dy: [null],
    })
    expect(run.shapes[0]).toEqual([1, 1, 1, 7])
    expect(run.y[0]).toEqual([0, 2, 0.375, 0.125, 0, 0.375, 1])
    expect(run.dx[0].every(d => d === 0)).toBe(true)
  })

  test('several maps, and images by themselves: what overlaps a better box is dropped', async () => {
    const blob = (...objects: number[]) => ({
      shape: [2, 7, 1, 1],
      values: objects.flatMap(object => [0, 0, 0, 0, object, 50, 0]),
    })
    const run = await handPass(layer(), [blob(0, 1), blob(2, -9)], { engine })
    expect(run.shapes[0]).toEqual([1, 1, 2, 7])
    const score = (x: number) => 1 / (1 + Math.exp(-x))
    const rows = [run.y[0].slice(0, 7), run.y[0].slice(7)]
    expect(rows.map(row => row.slice(0, 2))).toEqual([
      [0, 1],
      [1, 1],
    ])
    expect(rows[0][2]).toBeCloseTo(score(2), 5)
    expect(rows[1][2]).toBeCloseTo(score(1), 5)
  })

  test('nothing found: a row for each image', async () => {
    const run = await handPass(layer('confidence_threshold: 0.9'), [{ shape: [2, 7, 1, 1] }], { engine })
    expect(run.y[0]).toEqual([0, -1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1])
  })
})

test('refuses', async () => {
  await expect(handNet(layer(), [[1, 8, 1, 1]])).rejects.toThrow(/must be N × 7 × H × W: 1 boxes \(num_box\)/)
  await expect(handNet(layer('coords: 3'), [[1, 7, 1, 1]])).rejects.toThrow(/coords: 3 must be 4/)
  await expect(handNet('type: "YoloDetectionOutput"', [[1, 125, 1, 1]])).rejects.toThrow(/at least 5 anchors/)
})
