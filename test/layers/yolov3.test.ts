import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const fields = 'num: 1 num_class: 2 biases: 32 biases: 32 mask: 0'
const one = (more = '') => `type: "Yolov3" yolov3_param { ${fields} ${more} }`
const map = { shape: [1, 7, 1, 1], values: [0, 0, 1, 0, 0, 0, 0] }
const truth = { shape: [1, 10], values: [1, 0.75, 0.5, 1, 1, 0, 0, 0, 0, 0] }

describe.each(hostEngines)('Yolov3 on %s', engine => {
  test('hand-worked: x 1/4 too far left, twice as wide on the logarithm, objectness and classes half', async () => {
    const run = await handPass(one('thresh: 0.9'), [map, truth], { engine, dy: [null] })
    expect(run.dx[0].map(v => v + 0)).toEqual([-1.25, 0, 5, 0, -0.5, 0.45, -0.45])
    expect(run.y[0][0]).toBeCloseTo(1.25 ** 2 + 25 + 0.25 + 2 * 0.45 ** 2, 4)
  })

  test('use_logic_gradient: times 1/4 where the logistic function was, and object_scale counts', async () => {
    const more = 'use_logic_gradient: true object_scale: 4 label_smooth_eps: 0'
    const run = await handPass(one(more), [map, truth], { engine, dy: [null] })
    expect(run.dx[0].map(v => v + 0)).toEqual([-1.25 / 4, 0, 5, 0, -0.5, 0.125, -0.125])
  })

  test('use_focal_loss', async () => {
    const run = await handPass(one('use_focal_loss: true class_scale: 2'), [map, truth], { engine, dy: [null] })
    const focal = -0.25 * (Math.log(0.5) - 0.5)
    expect(run.dx[0][5]).toBeCloseTo(2 * 0.5 * focal, 5)
    expect(run.dx[0][6]).toBeCloseTo(2 * -0.5 * focal, 5)
  })

  test('a truth belongs to the map whose mask names the anchor that fits best; others above iou_thresh come along', async () => {
    const anchors = 'biases: 32 biases: 32 biases: 30 biases: 32 biases: 4 biases: 4'
    const layer = (more: string) => `type: "Yolov3" yolov3_param { num: 2 num_class: 1 ${anchors} ${more} }`
    const two = { shape: [1, 12, 1, 1], values: Array.from({ length: 12 }, () => 0) }
    const whole = { shape: [1, 5], values: [0, 0.5, 0.5, 1, 1] }
    const objectness = async (more: string) => {
      const run = await handPass(layer(`${more} thresh: 2`), [two, whole], { engine, dy: [null] })
      return [run.dx[0][4], run.dx[0][10]]
    }
    expect(await objectness('mask: 0 mask: 2')).toEqual([-0.5, 0.5])
    expect(await objectness('mask: 0 mask: 1')).toEqual([-0.5, -0.5])
    expect(await objectness('mask: 0 mask: 1 iou_thresh: 1')).toEqual([-0.5, 0.5])
    expect(await objectness('mask: 1 mask: 2 iou_thresh: 1')).toEqual([0.5, 0.5])
  })

  test('a second truth at a box changes its own class alone', async () => {
    const both = { shape: [1, 10], values: [0, 0.5, 0.5, 1, 1, 1, 0.5, 0.5, 1, 1] }
    const run = await handPass(one('label_smooth_eps: 0'), [map, both], { engine, dy: [null] })
    expect(run.dx[0].slice(5)).toEqual([-0.5, -0.5])
  })
})

test('refuses', async () => {
  const bottoms = shapesOf('1×7×1×1 1×5')
  await expect(handNet(one('iou_loss: GIOU'), bottoms)).rejects.toThrow(/iou_loss: GIOU is not there/)
  await expect(
    handNet('type: "Yolov3" yolov3_param { num: 1 num_class: 2 biases: 1 biases: 1 }', bottoms),
  ).rejects.toThrow(/mask \(\) must name num: 1 of the 1 anchors/)
  await expect(handNet(one('mask: 3'), bottoms)).rejects.toThrow(/mask \(0, 3\)/)
  await expect(
    handNet('type: "Yolov3" yolov3_param { num: 1 num_class: 2 biases: 1 mask: 0 }', bottoms),
  ).rejects.toThrow(/biases are 1 numbers/)
})
