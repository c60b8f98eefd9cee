/** What takes places by indices, and what says where something holds. */
import { describe, expect, test } from 'vitest'
import { Net, parseNet, readOnnx } from '../../lib/index.js'
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

test.each([
  ['Gather(x, i)', {}, [2], [1, 0], [2, 3], [-2, 0, 4, 1, 5, 5]],
  ['Gather(x, i)', { axis: 1 }, [1, 2], [2, 0], [2, 1, 2], [5, 1, 4, -2]],
  ['Gather(x, i)', { axis: -1 }, [], [1], [2], [5, 0]],
  ['Gather(x, i)', {}, [2, 1], [1, 1], [2, 1, 3], [-2, 0, 4, -2, 0, 4]],
  ['Gather(table, i)', { axis: 1 }, [1], [1], [2, 1], [2, 4]],
  ['Compress(x, i)', { axis: 0 }, [2], [0, 1], [1, 3], [-2, 0, 4]],
  ['Compress(x, i)', { axis: 1 }, [3], [1, 0, 1], [2, 2], [1, 5, -2, 4]],
  ['Compress(x, i)', {}, [6], [0, 1, 0, 0, 0, 1], [2], [5, 4]],
])('%s %j with what is computed, [%j]', async (node, settings, sizes, places, shape, values) => {
  const table = { ...floats([2, 2], 1, 2, 3, 4) }
  const graph = { ...text(node, settings, { table }), inputs: { x: [2, 3], i: sizes } }
  const { y } = await outputsOf(graph, { x: x.values, i: places })
  expect(y).toEqual({ shape, values })
})

test('places that are computed are checked in the pass', async () => {
  const graph = { ...text('Gather(x, i)'), inputs: { x: [2, 3], i: [1] } }
  await expect(outputsOf(graph, { x: x.values, i: [-1] })).rejects.toThrow(
    "index 0 of 'i' is -1, but 'x' has the items 0 to 1",
  )
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
    ['Compress(x, x)', { axis: 0 }, {}, "its condition, 'x', is [2, 3] for 2 places"],
    ['Compress(x, i)', { axis: 0 }, { i: wholes(0) }, 'its condition takes nothing'],
    ['OneHot(x, i, v)', {}, { i: wholes(0), v: floats([2], 0, 1) }, 'a depth of 0 is not there'],
    ['OneHot(x, i, v)', {}, { i: wholes(2 ** 40), v: floats([2], 0, 1) }, '67108864 are allowed'],
  ])('%s %j', (node, settings, constants, message) => {
    expect(() => importGraph(graphOf(text(node, settings, constants)))).toThrow(message)
  })
})

test.each([
  ['BatchReindex', [2, 0, 2.5], [3, 1]],
  ['Filter', [0, 0.5, -1], [2, 1]],
])('%s goes out and comes back', async (type, chosen, shape) => {
  const net = await Net.create(
    parseNet(
      `layer { name: "in" type: "Input" top: "x" top: "which" input_param { shape { dim: 3 dim: 1 } shape { dim: 3 } } }
       layer { name: "y" type: "${type}" bottom: "x" bottom: "which" top: "y" }`,
    ),
    { engine: 'js' },
  )
  const { net: read } = await readOnnx(await net.toBytes({ format: 'onnx' }), { shapes: { x: [3, 1], which: [3] } })
  const back = await Net.create(read, { engine: 'js' })
  const given = { x: Float32Array.of(4, 5, 6), which: Float32Array.from(chosen) }
  const [mine, theirs] = [await net.forward(given), await back.forward(given)]
  expect(theirs.y).toEqual(mine.y)
  expect(theirs.y.shape).toEqual(shape)
  for (const each of [net, back]) each.dispose()
})
