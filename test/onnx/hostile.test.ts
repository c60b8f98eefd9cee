/** Graphs that are whole, and mean nothing: what drawn attributes and constants brought to light. */
import { expect, test } from 'vitest'
import { FormatError } from '../../lib/errors.js'
import type { Tensor } from '../../lib/onnx/graph.js'
import { importGraph } from '../../lib/onnx/import.js'
import { floats, type GraphText, graphOf, wholes } from './graphs.js'

const far = 2 ** 63
const constants = {
  negative: wholes(-1, 2),
  fours: wholes(-1, 1, 1, 2),
  row: floats([4], 3, -1, 1, -1),
  flat: floats([3, 1, 2, 2, 3], ...Array(36).fill(1)),
  halves: floats([2], -1, 0.5),
  ends: wholes(3, 4),
  far: wholes(far, 1, 1, 1),
  pads: wholes(0, 0, -far, 0, 0, 0, 0, 3),
  one: floats([], 1),
  seven: wholes(7),
}
type Case = [text: string, message: string | RegExp, settings?: Record<string, number>]
const cases: Case[] = [
  ['y = Shape(_)', 'it has no input'],
  ['y = Size(_)', 'it has no input'],
  ['y = Mean()', 'it has no input'],
  ['y = Concat()', 'it has no input'],
  ['y = Expand(row, fours)', /\(Expand\)/],
  ['y = Expand(one, negative)', '[-1, 2], which is no shape'],
  ['y = Tile(flat, fours)', '[-3, 1, 2, 4, 3], which is no shape'],
  ['y = Tile(x, far)', '9223372036854776000 copies along axis 0'],
  ['y = Tile(s, far)', 'are not one for each axis of [2]'],
  ['y = ConvTranspose(x, row)', 'its weights are [4], the input is [1, 4, 5, 5]'],
  ['y = Conv(x, row)', 'its weights are [4], the input is [1, 4, 5, 5]'],
  ['y = Slice(x, halves, ends)', 'no whole numbers'],
  ['y = Pad(x, pads)', 'no numbers of places'],
  ['y = Dropout(x, one)', 'its ratio is 1'],
  ['y = MeanVarianceNormalization(s)', 'axis 2 is none of 1 axes'],
  ['y = LpNormalization(x)', 'axis 9 is none of 4 axes', { axis: 9 }],
  ['y = TopK(x, seven)', 'the 7 best of 5 are not there'],
  ['y = CumSum(x, seven)', 'axis 7 is none of 4'],
]

test.each(cases)('%s', (text, message, settings = {}) => {
  const graph: GraphText = {
    inputs: { x: [1, 4, 5, 5], s: [2] },
    outputs: ['y'],
    constants,
    nodes: [[text, settings]],
  }
  expect(() => importGraph(graphOf(graph))).toThrow(FormatError)
  expect(() => importGraph(graphOf(graph))).toThrow(message)
})

test('constants that are within bounds one by one, and not together', { tags: 'long' }, () => {
  const size = 2 ** 26
  const nodes = [0, 1, 2].map(i => [`c${i} = ConstantOfShape(shape)`] as const)
  // kinds of one byte a value, so that the test takes little memory itself
  const value: Tensor = { type: 'uint8', shape: [1], data: Uint8Array.of(1) }
  const text = {
    outputs: ['c0', 'c1', 'c2'],
    constants: { shape: wholes(size) },
    nodes: nodes.map(([node]) => [node, { value: { type: 'tensor', value } as const }] as const),
  }
  expect(() => importGraph(graphOf(text))).toThrow(/\(ConstantOfShape\): with it 201326592 values were computed/)
})
