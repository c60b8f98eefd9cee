/** What takes places by constant indices, and what says where something holds. */
import { describe, expect, test } from 'vitest'
import { importGraph } from '../../lib/onnx/import.js'
import { floats, type GraphText, graphOf, outputsOf, real, wholes } from './graphs.js'

const x = { shape: [2, 3], values: [1, 5, 5, -2, 0, 4] }
const text = (node: string, settings = {}, constants = {}): GraphText => ({
  inputs: { x: [2, 3] },
  outputs: ['y'],
  constants,
  nodes: [[`y = ${node}`, settings]],
})
const matrix = (shape: readonly number[], ...values: number[]) => ({ ...wholes(...values), shape })

test.each([
  ['GatherElements(x, i)', { axis: 1 }, { i: matrix([2, 2], 2, -3, 0, 1) }, [2, 2], [5, 1, -2, 0]],
  ['GatherND(x, i)', {}, { i: matrix([2, 2], 0, 1, -1, 2) }, [2], [5, 4]],
  ['GatherND(x, i)', {}, { i: matrix([2, 1], 1, 0) }, [2, 3], [-2, 0, 4, 1, 5, 5]],
  ['Compress(x, i)', { axis: 1 }, { i: wholes(0, 1, 1) }, [2, 2], [5, 5, 0, 4]],
  ['Compress(x, i)', {}, { i: wholes(1, 0, 0, 0, 0, 1) }, [2], [1, 4]],
  ['Hardmax(x)', {}, {}, [2, 3], [0, 1, 0, 0, 0, 1]],
  ['Shrink(x)', { lambd: real(1.5), bias: real(0.5) }, {}, [2, 3], [0, 4.5, 4.5, -1.5, 0, 3.5]],
])('%s %j', async (node, settings, constants, shape, values) => {
  const { y } = await outputsOf(text(node, settings, constants), { x: x.values })
  expect(y).toEqual({ shape, values })
})

test('OneHot counts from the end, too, along any axis', async () => {
  const constants = { depth: wholes(3), values: floats([2], 0.5, 2) }
  const graph = { ...text('OneHot(x, depth, values)', { axis: 0 }, constants), inputs: { x: [2] } }
  const { y } = await outputsOf(graph, { x: [1, -1] })
  expect(y).toEqual({ shape: [3, 2], values: [0.5, 0.5, 2, 0.5, 0.5, 2] })
})

test('IsNaN and IsInf', async () => {
  const odd = [Number.NaN, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -3e38]
  const values = async (node: string, settings = {}) => (await outputsOf(text(node, settings), { x: odd })).y.values
  expect(await values('IsNaN(x)')).toEqual([1, 0, 0, 0, 0, 0])
  expect(await values('IsInf(x)')).toEqual([0, 0, 1, 1, 0, 0])
  expect(await values('IsInf(x)', { detect_negative: 0 })).toEqual([0, 0, 1, 0, 0, 0])
  expect(await values('IsInf(x)', { detect_positive: 0 })).toEqual([0, 0, 0, 1, 0, 0])
})

describe('refused are', () => {
  test.each([
    ['GatherElements(x, i)', { axis: 1 }, { i: matrix([1, 1], 3) }, 'index 3 is none of 3 places'],
    ['GatherElements(x, i)', { axis: 4 }, { i: matrix([1, 1], 0) }, 'axis 4 is none of 2'],
    ['GatherElements(x, i)', {}, { i: wholes(0) }, 'indices of 1 axes are not for 2'],
    ['GatherElements(x, x)', {}, {}, "the indices, 'x', must be a constant"],
    ['GatherND(x, i)', {}, { i: matrix([1, 3], 0, 0, 0) }, 'indices of 3 places are not for 2 axes'],
    ['GatherND(x, i)', {}, { i: matrix([1, 2], 0, -4) }, 'index -4 is none of 3 places'],
    ['GatherND(x, i)', { batch_dims: 1 }, { i: matrix([2, 1], 0, 0) }, 'batch_dims is not there'],
    ['Compress(x, i)', { axis: 0 }, { i: wholes(0, 0, 1) }, 'index 2 is none of 2 places'],
    ['Compress(x, i)', { axis: 0 }, { i: wholes(0) }, 'its condition takes nothing'],
    ['OneHot(x, i, v)', {}, { i: wholes(0), v: floats([2], 0, 1) }, 'a depth of 0 is not there'],
    ['OneHot(x, i, v)', {}, { i: wholes(2 ** 40), v: floats([2], 0, 1) }, '67108864 are allowed'],
  ])('%s %j', (node, settings, constants, message) => {
    expect(() => importGraph(graphOf(text(node, settings, constants)))).toThrow(message)
  })
})
