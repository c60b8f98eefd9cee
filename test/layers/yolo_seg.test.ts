import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const layer = (fields = '') => `type: "YoloSeg" yolo_seg_param { ${fields} }`
/** One item, two classes, two places each; σ(0) is a half. */
const scores = { shape: [1, 2, 1, 2], values: [0, 0, 0, Math.log(3)] }
const truth = { shape: [1, 2, 1, 2], values: [1, 0, 0, 1] }

describe.each(hostEngines)('YoloSeg on %s', engine => {
  test('hand-worked: the square of scale times what is missing, and half its slope by the score of the logistic', async () => {
    const { y, dx } = await handPass(layer('object_scale: 2'), [scores, truth], { engine, dy: [null] })
    // 2·(−½, ½, ½, −¼)
    expect(y[0][0]).toBeCloseTo(1 + 1 + 1 + 0.25, 5)
    expect(dx[0].map(v => +v.toFixed(5))).toEqual([-1, 1, 1, -0.5])
    expect(new Set(dx[1])).toEqual(new Set([0]))
  })

  test('a third bottom: places of a class that has few of them count more', async () => {
    const places = { shape: [1, 2, 1, 1], values: [1, 1] }
    const { dx } = await handPass(layer('object_scale: 2'), [scores, truth, places], { engine, dy: [null] })
    // as many places that are of the class as are not: 2·(2 − 1)
    expect(dx[0].map(v => +v.toFixed(5))).toEqual([-1, 1, 1, -0.5])
    const none = { shape: [1, 2, 1, 1], values: [0, 1] }
    const few = await handPass(layer('object_scale: 2'), [scores, truth, none], { engine, dy: [null] })
    expect(few.dx[0].map(v => +v.toFixed(5))).toEqual([-2, 1, 1, -0.5])
  })
})

test('refuses', async () => {
  await expect(handNet(layer(), shapesOf('1×2×1×2 1×2×1×3'))).rejects.toThrow(/'in1' \(1×2×1×3\) must have a value/)
  await expect(handNet(layer(), shapesOf('1×2×1×2 1×2×1×2 2×2'))).rejects.toThrow(/'in2' \(2×2\) must have one value/)
})
