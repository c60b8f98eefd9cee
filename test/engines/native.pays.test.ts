import { describe, expect, test } from 'vitest'
import type { ConvolutionShape, KernelCall } from '../../lib/engine.js'
import { type ConvolutionOp, type Graph, graphsOf, type PoolOp, planar } from '../../lib/engines/native/onednn/graph.js'
import { pays } from '../../lib/engines/native/onednn/pays.js'
import { poolingOf, poolsItself } from '../../lib/engines/native/onednn/pooling.js'
import { cutRows, rowsOf } from '../../lib/engines/native/onednn/row_cuts.js'
import { costByTiles, cutTiles, piecesOf } from '../../lib/engines/native/onednn/tiles.js'
import { Memory } from '../../lib/memory.js'

const convolution = (
  batch: number,
  channels: number,
  outputs: number,
  kernel: number,
  size = 14,
): ConvolutionShape => ({
  batch,
  channels,
  outputs,
  group: 1,
  input: [size, size],
  output: [size, size],
  kernel: [kernel, kernel],
  stride: [1, 1],
  pad: [kernel >> 1, kernel >> 1],
  dilation: [1, 1],
})

/** Calls of convolutions one after the other. */
function chain(shapes: readonly ConvolutionShape[]): KernelCall[][] {
  const memory = (n: number) => new Memory(n)
  let x = memory(shapes[0].batch * shapes[0].channels * 14 * 14)
  return shapes.map(s => {
    const w = memory(s.outputs * s.channels * s.kernel[0] * s.kernel[1])
    const y = memory(s.batch * s.outputs * 14 * 14)
    const call: KernelCall = { kernel: 'convolution', args: [s, x, w, null, y] }
    x = y
    return [call]
  })
}
const graph = (...shapes: ConvolutionShape[]): Graph => graphsOf(chain(shapes), new Set(), () => true)[0]
const byWinograd = ({ kernel }: ConvolutionShape) => kernel[0] === 3

describe('whether a row of layers goes to oneDNN', () => {
  test('1×1 kernels do, for one image and for many', () => {
    for (const batch of [1, 16]) expect(pays(graph(convolution(batch, 64, 128, 1)), 8, byWinograd)).toBe(true)
  })
  test("wide 3×3 kernels do not, where Winograd's products save multiplications; narrow ones beside 1×1 do", () => {
    expect(pays(graph(convolution(1, 256, 256, 3)), 16, byWinograd)).toBe(false)
    expect(pays(graph(convolution(1, 256, 256, 3)), 16, () => false)).toBe(true)
    // between blocks of 8 they go by tiles themselves, unless their points come from memory
    expect(pays(graph(convolution(1, 256, 256, 3)), 8, byWinograd)).toBe(true)
    expect(pays(graph(convolution(1, 512, 512, 3)), 8, byWinograd)).toBe(false)
    expect(pays(graph(convolution(16, 16, 64, 3), convolution(16, 64, 128, 1)), 8, byWinograd)).toBe(true)
  })
  test('channels that fill their blocks badly do not, for many images the less with blocks of 16', () => {
    expect([8, 16].map(block => pays(graph(convolution(16, 20, 50, 5)), block, byWinograd))).toEqual([true, false])
    expect(pays(graph(convolution(16, 17, 50, 5)), 8, byWinograd)).toBe(false)
    expect(pays(graph(convolution(16, 24, 48, 5)), 8, byWinograd)).toBe(true)
  })
})

describe('convolutions by tiles', () => {
  const costOf = (shape: ConvolutionShape, block = 8) => costByTiles(graph(shape).ops[0] as ConvolutionOp, block)

  test('are 3×3, one place apart, of whole blocks of 8, and of enough places and channels', () => {
    const shape = convolution(1, 64, 64, 3)
    expect(costOf(shape)).toBeLessThan(0.7)
    expect(costOf(shape, 16)).toBe(1)
    expect(costOf(convolution(1, 64, 64, 5))).toBe(1)
    expect(costOf(convolution(1, 60, 64, 3))).toBe(1)
    expect(costOf(convolution(1, 64, 60, 3))).toBe(1)
    expect(costOf(convolution(1, 8, 8, 3))).toBe(1)
    expect(costOf({ ...shape, group: 2 })).toBe(1)
    expect(costOf({ ...shape, stride: [2, 1], output: [7, 14] })).toBe(1)
    expect(costOf({ ...shape, dilation: [2, 2], pad: [2, 2] })).toBe(1)
    expect(costOf({ ...shape, pad: [3, 1] })).toBe(1)
  })
  test('are cut by tiles where there are many, else by outputs, and do some at a time', () => {
    const [wide, narrow] = [56, 14].map(size => planar(convolution(1, 64, 64, 3, size)))
    const all = [0, 64]
    expect(cutTiles(wide, 1, 16)).toEqual([{ tiles: [0, 196], outputs: all }])
    expect(cutTiles(wide, 4, 16).map(({ tiles }) => tiles)).toEqual([
      [0, 49],
      [49, 49],
      [98, 49],
      [147, 49],
    ])
    expect(cutTiles(narrow, 4, 16)).toEqual([
      { tiles: [0, 16], outputs: [0, 32] },
      { tiles: [0, 16], outputs: [32, 32] },
    ])
    expect(piecesOf([49, 49])).toEqual([[49, 49]])
    expect(piecesOf([0, 196])).toEqual([
      [0, 98],
      [98, 98],
    ])
  })
})

describe('rows of layers', () => {
  const calls = chain([convolution(2, 8, 16, 1), convolution(2, 16, 8, 1), convolution(2, 8, 8, 1)])

  test('end at a layer that does something else as well, and at one that is excluded', () => {
    const rows = (layers: Parameters<typeof graphsOf>[0], excluded: number[]) =>
      graphsOf(layers, new Set(excluded), () => true).map(({ first, last }) => [first, last])
    expect(rows(calls, [])).toEqual([[0, 2]])
    expect(rows(calls, [1])).toEqual([
      [0, 0],
      [2, 2],
    ])
    expect(rows([calls[0], undefined, calls[2]], [])).toEqual([
      [0, 0],
      [2, 2],
    ])
  })
  test('need memories as long as the sizes say', () => {
    const [[first]] = chain([convolution(2, 8, 16, 1)])
    const args: unknown[] = [...first.args]
    args[1] = new Memory(10)
    expect(graphsOf([[{ kernel: 'convolution', args } as unknown as KernelCall]], new Set(), () => true)).toEqual([])
  })
})

test('windows of blocks of 8 are pooled by the engine itself, and one window alone is not', () => {
  const value = (size: number) => ({ extent: { channels: 16, height: size, width: size }, source: undefined })
  const window = { kernel: [3, 3], stride: [2, 2], pad: [1, 0], padAfter: [0, 0] } as const
  const op = (size: number): PoolOp => ({ kind: 'pool', layer: 0, method: 'mean', window, x: value(9), y: value(size) })
  expect([8, 16].map(block => poolsItself(op(4), block))).toEqual([true, false])
  expect(poolsItself(op(1), 8)).toBe(false)
  expect(poolingOf(op(4), 2)).toEqual([2, 1, 9, 9, 4, 4, 3, 3, 2, 2, 1, 0])
})

test('rows of a result need the rows under their windows, and padding where the picture ends', () => {
  const shape = planar({ ...convolution(1, 8, 16, 5), stride: [2, 1], output: [7, 14] })
  const cuts = [[0, 4] as const, [4, 3] as const].map(([first, count]) => cutRows(shape, first, count))
  expect(cuts.map(({ part, row }) => [row, part.input[0], part.output[0], part.pad[0]])).toEqual([
    [0, 9, 4, 2],
    [6, 8, 3, 0],
  ])
  expect(rowsOf({ channels: 12, height: 14, width: 5 }, 6, 8, 8)).toEqual({
    blocks: 2,
    first: 6 * 5 * 32,
    bytes: 8 * 5 * 32,
    step: 14 * 5 * 32,
  })
})
