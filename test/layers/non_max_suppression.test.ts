import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const suppression = (fields: string) => `type: "NonMaxSuppression" non_max_suppression_param { ${fields} }`

// y before x: 0 and 1 overlap by half of what they cover, 2 lies apart, 3 is 0 with its corners the other way round
const boxes = [0, 0, 1, 3, 0, 1, 1, 4, 5, 5, 6, 6, 1, 3, 0, 0]
const bottoms = (...scores: number[]) => [
  { shape: [1, 4, 4], values: boxes },
  { shape: [1, scores.length / 4, 4], values: scores },
]
const options = { phase: 'TEST', force: false } as const

describe.each(hostEngines)('NonMaxSuppression on %s', engine => {
  test.each<[string, number[], number[][]]>([
    [
      'best first, of equal ones the first',
      [0.5, 0.8, 0.9, 0.5],
      [
        [0, 0, 2],
        [0, 0, 1],
      ],
    ],
    [
      'an overlap of the threshold itself stays',
      [0.5, 0.8, 0.9, 0.5],
      [
        [0, 0, 2],
        [0, 0, 1],
        [0, 0, 0],
      ],
    ],
    [
      'class by class',
      [0.1, 0.2, 0, 0, 0.4, 0, 0.9, 0.3],
      [
        [0, 0, 1],
        [0, 0, 2],
        [0, 1, 2],
        [0, 1, 0],
      ],
    ],
  ])('hand-worked: %s', async (name, scores, rows) => {
    const threshold = name.includes('threshold') ? 0.5 : 0.4
    const run = await handPass(suppression(`iou_threshold: ${threshold}`), bottoms(...scores), { ...options, engine })
    expect(run.shapes[0]).toEqual([rows.length, 3])
    expect(run.y[0]).toEqual(rows.flat())
  })
})

test('a score must be above the threshold, and no more than so many of a class stay', async () => {
  const fields = 'iou_threshold: 1 score_threshold: 0.5 max_output_boxes_per_class: 2'
  const run = await handPass(suppression(fields), bottoms(0.5, 0.75, 0.9, 0.8), options)
  expect(run.y[0]).toEqual([0, 0, 2, 0, 0, 3])
})

test('boxes by their centres; the number found changes from pass to pass, and may be 0', async () => {
  const net = await handNet(
    suppression('center_point_box: true score_threshold: 0'),
    [
      [1, 2, 4],
      [1, 1, 2],
    ],
    options,
  )
  const in0 = Float32Array.of(1, 1, 2, 2, 2, 1, 2, 2)
  expect((await net.forward({ in0, in1: Float32Array.of(0.3, 0.4) })).y0.data).toEqual(Float32Array.of(0, 0, 1))
  const none = await net.forward({ in0, in1: Float32Array.of(-1, -2) })
  expect(none.y0.shape).toEqual([0, 3])
  in0[4] = 3
  expect((await net.forward({ in0, in1: Float32Array.of(0.3, 0.4) })).y0.shape).toEqual([2, 3])
  net.dispose()
})

test('refuses', async () => {
  await expect(
    handNet(suppression('iou_threshold: 1.5'), [
      [1, 4, 4],
      [1, 1, 4],
    ]),
  ).rejects.toThrow(/iou_threshold: 1.5 must be 0 to 1/)
  await expect(
    handNet(suppression(''), [
      [1, 4, 4],
      [1, 4, 1],
    ]),
  ).rejects.toThrow(/images × boxes × 4/)
})
