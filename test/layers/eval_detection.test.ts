import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const first = (more = '') => `type: "EvalDetection" eval_detection_param { side: 1 num_class: 2 num_object: 2 ${more} }`
/** Classes 0.25 and 0.5, objectness 0.5 and 1, the picture's middle of 1/4 width and height, and all of it. */
const boxes = { shape: [1, 12], values: [0.25, 0.5, 0.5, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1] }
const whole = (difficult: number, label: number) => ({ shape: [1, 7], values: [difficult, 1, label, 0.5, 0.5, 1, 1] })

describe.each(hostEngines)('EvalDetection on %s', engine => {
  test('YOLO v1, hand-worked: the large one is right, the small one is not', async () => {
    const run = await handPass(first(), [boxes, whole(0, 1)], { engine, dy: [null] })
    expect(run.shapes[0]).toEqual([1, 10])
    expect(run.y[0]).toEqual([0, 1, 1, 0.5, 1, 0, 1, 0.25, 0, 1])
  })

  test('difficult, of another class, found twice, fields', async () => {
    const y = async (more: string, difficult = 0, label = 1) =>
      (await handPass(first(more), [boxes, whole(difficult, label)], { engine })).y[0]
    expect(await y('', 1)).toEqual([0, 0, 1, 0.5, 0, 0, 1, 0.25, 0, 1])
    expect(await y('', 0, 0)).toEqual([1, 0, 1, 0.5, 0, 1, 1, 0.25, 0, 1])
    expect(await y('sqrt: false score_type: OBJ threshold: 0.2')).toEqual([0, 1, 1, 1, 1, 0, 1, 0.5, 0, 1])
    expect(await y('nms: 0.05 score_type: PROB')).toEqual([0, 1, 1, 0.5, 0, 1, 0, 0, 0, 0])
  })

  test('YOLO v2, hand-worked: classes in order, what is below 0.005 is nothing', async () => {
    const layer = 'type: "EvalDetection" eval_detection_param { num_class: 2 num_object: 1 biases: 1 biases: 1 }'
    // three cells: class 1 with 1/2·1/2, class 0 with 1/2·3/4, nothing
    const three = Math.log(3)
    const values = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -9, 0, three, 0, 0.001, 0, 0]
    const truth = { shape: [1, 10], values: [0, 0.5, 0.5, 1 / 3, 1, 1, 0.9, 0.5, 0.1, 0.1] }
    const run = await handPass(layer, [{ shape: [1, 7, 1, 3], values }, truth], { engine })
    expect(run.shapes[0]).toEqual([1, 14])
    expect(run.y[0].slice(0, 6)).toEqual([1, 1, 0, 0.375, 1, 0])
    expect(run.y[0][6]).toBe(1)
    expect(run.y[0][7]).toBeCloseTo(0.25, 3)
    expect(run.y[0].slice(8)).toEqual([0, 1, 0, 0, 0, 0])
    // SSD's rows, which count classes from 1 on; a third bottom is not read
    const ssd = { shape: [1, 1, 3, 8], values: [0, 1, 0, 1 / 3, 0, 2 / 3, 1, 0, 0, 2, 0, 0.85, 0.45, 0.95, 0.55, 0] }
    const rows = { ...ssd, values: [...ssd.values, ...new Array(8).fill(-1)] }
    const same = await handPass(layer, [{ shape: [1, 7, 1, 3], values }, rows, { shape: [1], values: [0] }], { engine })
    expect(same.y[0]).toEqual(run.y[0])
  })
})

test('refuses', async () => {
  await expect(handNet(first(), shapesOf('1×13 1×7'))).rejects.toThrow(/must have 12 values an item/)
  await expect(handNet(first(), shapesOf('1×12 1×8'))).rejects.toThrow(/must have 7 values an item/)
  await expect(handPass(first(), [boxes, whole(0, 2)])).rejects.toThrow(/class 2: classes count from 0 to 1/)
  const second = 'type: "EvalDetection" eval_detection_param { num_class: 2 num_object: 1 biases: 1 biases: 1 }'
  await expect(handNet(second, shapesOf('1×7×1×3 1×7'))).rejects.toThrow(/five values a box/)
})
