import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const layer = (more: string) => `type: "Yolov3DetectionOutput" yolov3_detection_output_param { num_box: 1 ${more} }`
const single = 'mask_group_num: 1 biases: 16 biases: 8 mask: 0 anchors_scale: 32 num_classes: 2'

describe.each(hostEngines)('Yolov3DetectionOutput on %s', engine => {
  test('hand-worked: each class of a box by itself, the better one stays', async () => {
    const values = [0, 0, 0, 0, 0, 0, Math.log(3)]
    const bottom = [{ shape: [1, 7, 1, 1], values }]
    const kept = await handPass(layer(single), bottom, { engine, dy: [null] })
    expect(kept.y[0]).toEqual([0, 2, 0.375, 0.25, 0.375, 0.75, 0.625])
    const both = await handPass(layer(`${single} nms_threshold: 1.1`), bottom, { engine })
    expect(both.shapes[0]).toEqual([1, 1, 2, 7])
    expect(both.y[0].slice(7, 10)).toEqual([0, 1, 0.25])
    const none = await handPass(layer(`${single} confidence_threshold: 0.38`), bottom, { engine })
    expect(none.y[0]).toEqual([0, -1, -1, -1, -1, -1, -1])
  })

  test('two scales, each with its anchors and pixels of a cell', async () => {
    const fields =
      'num_classes: 1 mask: 1 mask: 0 anchors_scale: 32 anchors_scale: 16 biases: 8 biases: 8 biases: 16 biases: 32'
    const far = -9
    const small = [0, 0, 0, 0, 0, 0, 0, 0, far, 5, 0, 5]
    const run = await handPass(
      layer(fields),
      [
        { shape: [1, 6, 1, 1], values: [0, 0, 0, 0, 0, 0] },
        { shape: [1, 6, 1, 2], values: small },
      ],
      { engine },
    )
    const score = (1 / (1 + Math.exp(-5))) ** 2
    expect(run.y[0][2]).toBeCloseTo(score, 5)
    // the right cell of two, a quarter and a half of the picture
    expect(run.y[0].slice(3, 7)).toEqual([0.625, 0.25, 0.875, 0.75])
    expect(run.y[0].slice(7)).toEqual([0, 1, 0.25, 0.25, 0, 0.75, 1])
  })

  test('gaussian_box: uncertain coordinates take from the score', async () => {
    const three = Math.log(3)
    // x, y, w, h each with its uncertainty: 3/4, 1/2, 1/2, 1/4 of the whole
    const values = [0, three, 0, 0, 0, 0, 0, -three, 0, 0, 0]
    const run = await handPass(
      layer(`${single} gaussian_box: true nms_threshold: 0.1`),
      [{ shape: [1, 11, 1, 1], values }],
      { engine },
    )
    expect(run.y[0]).toEqual([0, 1, 0.125, 0.25, 0.375, 0.75, 0.625])
  })
})

test('refuses', async () => {
  await expect(handNet(layer(single.replace('mask_group_num: 1', '')), [[1, 7, 1, 1]])).rejects.toThrow(
    /mask_group_num: 2 must be the number of bottoms, 1/,
  )
  await expect(handNet(layer(single.replace('anchors_scale: 32', '')), [[1, 7, 1, 1]])).rejects.toThrow(
    /anchors_scale is given 0 times/,
  )
  await expect(handNet(layer(single.replace('mask: 0', 'mask: 1')), [[1, 7, 1, 1]])).rejects.toThrow(
    /mask \(1\) must name/,
  )
  await expect(handNet(layer(single), [[1, 8, 1, 1]])).rejects.toThrow(/must be N × 7/)
})
