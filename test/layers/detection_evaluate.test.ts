import { describe, expect, test } from 'vitest'
import { hostEngines } from '../engines.js'
import { handNet, handPass } from './hand.js'

const evaluate = (fields: string) => `type: "DetectionEvaluate" detection_evaluate_param { ${fields} }`
const left = [0, 0, 0.5, 1]
const right = [0.5, 0, 1, 1]
const found = {
  shape: [1, 1, 4, 7],
  values: [...[0, 1, 0.5, ...left], ...[0, 1, 0.9, ...left], ...[0, 1, 0.7, ...right], ...[1, 2, 0.4, ...left]],
}
const truth = { shape: [1, 1, 2, 8], values: [...[0, 1, 0, ...left, 0], ...[0, 1, 1, ...right, 1]] }
const table = (y: readonly number[]) =>
  Array.from({ length: y.length / 5 }, (_, i) => y.slice(5 * i, 5 * i + 5).map(v => +v.toFixed(3)))

describe.each(hostEngines)('DetectionEvaluate on %s', engine => {
  const options = { engine, phase: 'TEST', force: false } as const

  test('hand-worked: the best of two on one truth is the hit, a class without truth has none', async () => {
    const { y } = await handPass(evaluate('num_classes: 3'), [found, truth], options)
    expect(table(y[0])).toEqual([
      [-1, 1, 2, -1, -1],
      [-1, 2, 0, -1, -1],
      [0, 1, 0.9, 1, 0],
      [0, 1, 0.7, 1, 0],
      [0, 1, 0.5, 0, 1],
      [1, 2, 0.4, 0, 1],
    ])
  })

  test('difficult ones that do not count: neither right nor wrong; rows after image −1 are none', async () => {
    const padded = { shape: [1, 1, 3, 8], values: [...truth.values, -1, 0, 0, 0, 0, 0, 0, 0] }
    const { y } = await handPass(evaluate('num_classes: 2 evaluate_difficult_gt: false'), [found, padded], options)
    expect(table(y[0]).slice(0, 3)).toEqual([
      [-1, 1, 1, -1, -1],
      [0, 1, 0.9, 1, 0],
      [0, 1, 0.7, 0, 0],
    ])
  })

  test('another number of detections', async () => {
    const { net } = await handPass(evaluate('num_classes: 2'), [found, truth], options)
    net.blobs.in0.reshape([1, 1, 1, 7])
    net.blobs.in0.dataArray.set([0, -1, -1, -1, -1, -1, -1])
    await net.forward()
    expect(table(Array.from(net.blobs.y0.dataArray))).toEqual([[-1, 1, 2, -1, -1]])
  })
})

test('refuses what it cannot read', async () => {
  const net = (fields: string, shapes: number[][]) => handNet(evaluate(fields), shapes, { force: false })
  await expect(net('', [found.shape, truth.shape])).rejects.toThrow(/num_classes: give how many/)
  await expect(net('num_classes: 2 overlap_threshold: 0', [found.shape, truth.shape])).rejects.toThrow(
    /overlap_threshold/,
  )
  await expect(net('num_classes: 2', [[1, 1, 4, 6], truth.shape])).rejects.toThrow(/must be 1×1×n×7/)
  await expect(net('num_classes: 2', [found.shape, [1, 1, 8]])).rejects.toThrow(/must be 1×1×g×8/)
  const background = { ...truth, values: truth.values.map((value, i) => (i === 1 ? 0 : value)) }
  await expect(handPass(evaluate('num_classes: 2'), [found, background], { force: false })).rejects.toThrow(
    /row 0 of 'in1' has the label 0: boxes have labels from 0 to 1, and not 0/,
  )
})
