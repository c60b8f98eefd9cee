import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const map = { shape: [1, 1, 1, 2], values: [1, 1] }
const picture = { shape: [1, 3, 10, 20], values: new Array(600).fill(1) }
const box = (fields: string) => `type: "PriorBox" prior_box_param { ${fields} }`

describe.each(hostEngines)('PriorBox on %s', engine => {
  test('hand-worked: squares with a mean, then a ratio; sizes are cut to whole numbers', async () => {
    const fields = 'min_size: 4.9 max_size: 9 aspect_ratio: 4 flip: false variance: 0.1'
    const { y, shapes } = await handPass(box(fields), [map, picture], { engine, phase: 'TEST', force: false })
    expect(shapes[0]).toEqual([1, 2, 2 * 3 * 4])
    const boxes = [
      [3, 3, 7, 7],
      [2, 2, 8, 8],
      [1, 4, 9, 6],
    ].flatMap(([left, top, right, bottom]) => [left / 20, top / 10, right / 20, bottom / 10])
    const second = boxes.map((value, i) => (i % 2 ? value : value + 0.5))
    const all = [...boxes, ...second]
    y[0].forEach((value, i) => {
      expect(value).toBeCloseTo(i < 24 ? all[i] : 0.1, 6)
    })
  })

  test('a picture size, a step and an offset that are given; clipped to the picture', async () => {
    const fields = 'min_size: 8 img_h: 10 img_w: 10 step_h: 5 step_w: 5 offset: 0 clip: true'
    const { y } = await handPass(box(fields), [map, picture], { engine, force: false })
    const expected = [0, 0, 0.4, 0.4, 0.1, 0, 0.9, 0.4, ...new Array(8).fill(0.1)]
    y[0].forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 6)
    })
  })

  test('another size of the map, and a gradient of 0 for both bottoms', async () => {
    const run = await handPass(box('min_size: 2'), [map, picture], { engine, dy: [new Array(16).fill(1)] })
    expect(new Set([...run.dx[0], ...run.dx[1]])).toEqual(new Set([0]))
    run.net.blobs.in0.reshape([2, 1, 3, 1])
    run.net.blobs.in0.dataArray.fill(1)
    await run.net.forward()
    expect(run.net.blobs.y0.shape).toEqual([1, 2, 12])
    expect(run.net.blobs.y0.dataArray[0]).toBeCloseTo(9 / 20, 6)
  })
})

test.each([
  ['', /min_size: give at least one/],
  ['min_size: 0', /min_size: 0 must be larger/],
  ['min_size: 3 min_size: 4 max_size: 5', /max_size is given 1 times and min_size 2/],
  ['min_size: 3 max_size: 3', /max_size: 3 must be larger than its min_size, 3/],
  ['min_size: 3 aspect_ratio: -1', /aspect_ratio: -1 must be larger/],
  ['min_size: 3 variance: 1 variance: 2', /variance is given 2 times/],
  ['min_size: 3 variance: 0', /variance: 0 must be larger/],
  ['min_size: 3 img_h: 4', /img_h and img_w belong together/],
  ['min_size: 3 step: 1 step_h: 4 step_w: 4', /step and step_h cannot both be given/],
  ['min_size: 3 step: 0', /step: 0 must be larger/],
])('refuses %s', async (fields, message) => {
  await expect(handNet(box(fields), [map.shape, picture.shape], { force: false })).rejects.toThrow(message)
})

test('refuses bottoms that are no pictures', async () => {
  await expect(handNet(box('min_size: 3'), [[2, 3], picture.shape], { force: false })).rejects.toThrow(
    /must have 4 axes/,
  )
  await expect(handNet(box('min_size: 3'), [map.shape, [1, 1, 0, 4]], { force: false })).rejects.toThrow(
    /empty picture/,
  )
})
