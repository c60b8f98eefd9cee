import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { shapesOf } from '../shapes.js'
import { handNet, handPass } from './hand.js'

const one = 'type: "RegionLoss" region_loss_param { num: 1 num_class: 2 biases: 1 biases: 1 }'
const map = (values: number[]) => ({ shape: [1, 7, 1, 1], values })
const zeros = [0, 0, 0, 0, 0, 0, 0]

describe.each(hostEngines)('RegionLoss on %s', engine => {
  test('hand-worked: the box of the anchor is right, its objectness and class are half', async () => {
    const truth = { shape: [1, 10], values: [1, 0.5, 0.5, 1, 1, 0, 0, 0, 0, 0] }
    const run = await handPass(one, [map(zeros), truth], { engine, dy: [null] })
    // objectness (1/2 − 1)·1/4, classes 1/2 − 0 and 1/2 − 1
    expect(run.dx[0].map(v => v + 0)).toEqual([0, 0, 0, 0, -0.125, 0.5, -0.5])
    expect(run.y[0][0]).toBeCloseTo(0.125 ** 2 + 0.5, 6)
  })

  test('hand-worked: without a truth nothing should be there', async () => {
    const truth = { shape: [1, 5], values: [0, 0, 0, 0, 0] }
    const run = await handPass(one, [map(zeros), truth], { engine, dy: [null] })
    expect(run.dx[0].map(v => v + 0)).toEqual([0, 0, 0, 0, 0.5 * 0.5 * 0.25, 0, 0])
  })

  test('hand-worked: the anchor that fits, in the cell of the truth, of the second item', async () => {
    const layer = `type: "RegionLoss" loss_weight: 2 region_loss_param {
      num: 2 num_class: 1 rescore: 0 object_scale: 3 thresh: 0.9 biases: 2 biases: 2 biases: 1 biases: 1 }`
    // N × boxes × (x y w h object class) × 2 cells in a row
    const values = Array.from({ length: 48 }, () => 0)
    const at = (item: number, box: number, value: number, cell: number) => ((item * 2 + box) * 6 + value) * 2 + cell
    values[at(1, 1, 2, 1)] = 1
    const truth = { shape: [2, 1, 5], values: [0, 0, 0, 0, 0, 0, 0.8, 0.5, 0.5, 1] }
    const run = await handPass(layer, [{ shape: [2, 12, 1, 2], values }, truth], { engine, dy: [null] })
    // times dy = 2 over N = 2; coordinates 5·(2 − 1/2)
    const delta = run.dx[0]
    expect(delta[at(1, 1, 0, 1)]).toBeCloseTo(7.5 * (0.5 - 0.6) * 0.25, 5)
    expect(delta[at(1, 1, 1, 1)]).toBeCloseTo(0, 6)
    expect(delta[at(1, 1, 2, 1)]).toBeCloseTo(7.5, 5)
    expect(delta[at(1, 1, 3, 1)]).toBeCloseTo(0, 6)
    expect(delta[at(1, 1, 4, 1)]).toBeCloseTo(3 * -0.5 * 0.25, 6)
    // everything else should be silent: all other boxes of both items
    expect(delta.filter(d => Math.abs(d - 0.0625) < 1e-6)).toHaveLength(7)
    expect(delta.filter(d => d !== 0)).toHaveLength(10)
  })

  test('another size', async () => {
    const net = await handNet(one, shapesOf('1×7×1×1 1×5'), { engine })
    net.blobs.in0.reshape([3, 7, 2, 4])
    net.blobs.in1.reshape([3, 10])
    net.blobs.in1.dataArray.set([0, 0.9, 0.9, 0.1, 0.1])
    await net.forward()
    expect(net.blobs.y0.dataArray[0]).toBeGreaterThan(0)
  })
})

test('refuses', async () => {
  const label = (...values: number[]) => ({ shape: [1, 5], values })
  await expect(handPass(one, [map(zeros), label(2, 0.5, 0.5, 1, 1)])).rejects.toThrow(
    /of class 2: classes count from 0 to 1/,
  )
  await expect(handPass(one, [map(zeros), label(0, 1, 0.5, 1, 1)])).rejects.toThrow(/centre at \(1, 0.5\)/)
  await expect(handNet(one, shapesOf('1×8×1×1 1×5'))).rejects.toThrow(
    /must be N × 7 × H × W: 1 boxes \(num\) of 7 values/,
  )
  await expect(handNet(one, shapesOf('1×7×1×1 1×4'))).rejects.toThrow(/five a box/)
  await expect(handNet('type: "RegionLoss"', shapesOf('1×125×1×1 1×5'))).rejects.toThrow(
    /biases are 0 numbers.* at least 5 anchors/,
  )
  await expect(
    handNet('type: "RegionLoss" region_loss_param { coords: 5 }', shapesOf('1×125×1×1 1×5')),
  ).rejects.toThrow(/coords: 5 must be 4/)
})
