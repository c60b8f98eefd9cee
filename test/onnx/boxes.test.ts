/** Boxes that are found and regions that are pooled, in models of others. */
import { expect, test } from 'vitest'
import { Net } from '../../lib/net.js'
import { importGraph } from '../../lib/onnx/import.js'
import { floats, type GraphText, graphOf, outputsOf, wholes } from './graphs.js'

const found = (nodes: GraphText['nodes'], outputs = ['y']): GraphText => ({
  inputs: { boxes: [1, 3, 4], scores: [1, 1, 3] },
  outputs,
  constants: { most: wholes(5), half: floats([1], 0.5), least: floats([1], 0.1), one: wholes(2), axes: wholes(0) },
  nodes: [['found = NonMaxSuppression(boxes, scores, most, half, least)'], ...nodes],
})
const boxes = Float32Array.of(0, 0, 1, 1, 0, 0, 1, 1.1, 2, 2, 3, 3)

test('what is behind a suppression takes any number of boxes', async () => {
  const text = found([
    ['which = Gather(found, one)', { axis: 1 }],
    ['flat = Squeeze(which, one1)'],
    ['y = Add(flat, flat)'],
  ])
  const all: GraphText = { ...text, constants: { ...text.constants, one1: wholes(1) } }
  const net = await Net.create(importGraph(graphOf(all)).net, { engine: 'wasm', threads: 1, phase: 'TEST' })
  for (const [scores, right] of [
    [
      [0.5, 0.6, 0.7],
      [4, 2],
    ],
    [[0.5, 0.6, 0], [2]],
    [
      [0.3, 0, 0.2],
      [0, 4],
    ],
  ]) {
    const { y } = await net.forward({ boxes, scores: Float32Array.from(scores) })
    expect(y.shape).toEqual([right.length])
    expect(Array.from(y.data as Float32Array)).toEqual(right)
  }
  net.dispose()
})

test('what is behind it and would be another layer for another number is refused by name', () => {
  const shaped = found([['sizes = Shape(found)'], ['y = ConstantOfShape(sizes)']])
  expect(() => importGraph(graphOf(shaped))).toThrow(/would depend on how many items are found/)
  const turned = found([['y = Reshape(found, sizes)']])
  const sized = { ...turned, constants: { ...turned.constants, sizes: wholes(3, -1) } }
  expect(() => importGraph(graphOf(sized))).toThrow(/node 'found' \(NonMaxSuppression\): layer 'y' \(Reshape\)/)
})

test('the boxes that were kept are taken from all by their places', async () => {
  const text = found([
    ['which = Gather(found, one)', { axis: 1 }],
    ['flat = Squeeze(which, one1)'],
    ['kept = Gather(boxes, flat)', { axis: 1 }],
    ['y = Mul(kept, kept)'],
  ])
  const all: GraphText = { ...text, constants: { ...text.constants, one1: wholes(1) } }
  const net = await Net.create(importGraph(graphOf(all)).net, { engine: 'js', phase: 'TEST' })
  for (const [scores, places] of [
    [
      [0.5, 0.6, 0.7],
      [2, 1],
    ],
    [[0.5, 0.6, 0], [1]],
  ]) {
    const { y } = await net.forward({ boxes, scores: Float32Array.from(scores) })
    expect(y.shape).toEqual([1, places.length, 4])
    const right = places.flatMap(place =>
      [...boxes.subarray(4 * place, 4 * place + 4)].map(value => Math.fround(value * value)),
    )
    expect(Array.from(y.data as Float32Array)).toEqual(right)
  }
  net.dispose()
})

test('a suppression must fit, and have its thresholds', () => {
  const node = (inputs: string, sizes: Record<string, number[]>): GraphText => ({
    ...found([]),
    inputs: { ...sizes, limit: [1] },
    outputs: ['found'],
    nodes: [[`found = NonMaxSuppression(${inputs})`]],
  })
  const right = { boxes: [1, 3, 4], scores: [1, 1, 3] }
  expect(() => importGraph(graphOf(node('boxes, scores, most, limit', right)))).toThrow(
    /the overlap, 'limit', must be a constant/,
  )
  expect(() => importGraph(graphOf(node('boxes, scores, most', { ...right, scores: [1, 3, 1] })))).toThrow(
    /images × boxes × 4/,
  )
})

test('regions, with their pictures or these beside them', async () => {
  const x = Array.from({ length: 32 }, (_, i) => i)
  const rows = [1, 0, 0, 3, 3]
  const pooled = await outputsOf(
    {
      inputs: { x: [2, 1, 4, 4], r: [1, 5] },
      outputs: ['y'],
      nodes: [['y = MaxRoiPool(x, r)', { pooled_shape: [2, 2] }]],
    },
    { x, r: rows },
  )
  expect(pooled.y).toMatchObject({ shape: [1, 1, 2, 2], values: [21, 23, 29, 31] })
  const aligned = await outputsOf(
    {
      inputs: { x: [2, 1, 4, 4], r: [1, 4] },
      outputs: ['y'],
      constants: { p: wholes(1) },
      nodes: [['y = RoiAlign(x, r, p)', { output_height: 1, output_width: 1, sampling_ratio: 1 }]],
    },
    { x, r: rows.slice(1) },
  )
  expect(aligned.y.values).toEqual([16 + 7.5])
  const shifted: GraphText = {
    opset: 16,
    inputs: { x: [1, 1, 4, 4], r: [1, 4] },
    outputs: ['y'],
    constants: { p: wholes(0) },
    nodes: [['y = RoiAlign(x, r, p)']],
  }
  expect(() => importGraph(graphOf(shifted))).toThrow(/half_pixel is not there/)
})

test('quotients and remainders of whole numbers, and those that are cut', async () => {
  const of = async (last: string, settings = {}) => {
    const text: GraphText = {
      inputs: { x: [1, 4], v: [1, 4] },
      outputs: ['y'],
      constants: { k: wholes(4), three: wholes(3), more: wholes(49) },
      nodes: [['best, i = TopK(x, k)'], ['down = Sub(i, three)'], ['far = Mul(i, more)'], [last, settings]],
    }
    const { y } = await outputsOf(text, { x: [4, 3, 2, 1], v: [-1.5, -0.5, 0, 2.75] })
    return y.values.map(value => value + 0)
  }
  // of −3, −2, −1, 0 and 0, 49, 98, 147
  expect(await of('y = Div(down, three)')).toEqual([-1, 0, 0, 0])
  expect(await of('y = Div(far, more)')).toEqual([0, 1, 2, 3])
  expect(await of('y = Mod(down, three)')).toEqual([0, 1, 2, 0])
  expect(await of('y = Mod(down, three)', { fmod: 1 })).toEqual([0, -2, -1, 0])
  expect(await of('y = Cast(v)', { to: 7 })).toEqual([-1, 0, 0, 2])
  expect(await of('y = Cast(v)', { to: 9 })).toEqual([1, 1, 0, 1])
})
