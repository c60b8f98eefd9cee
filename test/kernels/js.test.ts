import { describe, expect, test } from 'vitest'
import type { ConvolutionShape } from '../../lib/engine.js'
import { createJsEngine } from '../../lib/engines/js.js'
import { jsKernels as k } from '../../lib/engines/plain_loops.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

const stream = new RandomStream(11, 'kernel tests')

function memory(values: ArrayLike<number>): Memory {
  const m = new Memory(values.length)
  m.array.set(values)
  return m
}
const empty = (n: number) => memory(new Float32Array(n).fill(Number.NaN))
const random = (n: number) => memory(Float32Array.from({ length: n }, () => stream.gaussian()))
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length)
  for (let i = 0; i < got.length; i++) expect(got[i], `value ${i}`).toBeCloseTo(expected[i], 4)
}

describe('gemm', () => {
  for (const transA of [false, true])
    for (const transB of [false, true])
      test.each([
        [1, 1, 1],
        [3, 5, 7],
        [1, 9, 4],
        [6, 1, 5],
      ])(`${transA ? 'Aᵀ' : 'A'}·${transB ? 'Bᵀ' : 'B'}, M N K = %i %i %i`, (M, N, K) => {
        const a = random(M * K)
        const b = random(K * N)
        const c = random(M * N)
        const expected = c.array.map((old, i) => {
          const m = Math.floor(i / N)
          const n = i % N
          let sum = 0
          for (let j = 0; j < K; j++)
            sum += a.array[transA ? j * M + m : m * K + j] * b.array[transB ? n * K + j : j * N + n]
          return 0.5 * sum - 2 * old
        })
        k.gemm(transA, transB, M, N, K, 0.5, a, b, -2, c)
        expectClose(c.array, expected)
      })

  test('β = 0 does not read C; K = 0 leaves β·C', () => {
    const c = empty(4)
    k.gemm(false, false, 2, 2, 1, 1, memory([1, 2]), memory([3, 4]), 0, c)
    expect([...c.array]).toEqual([3, 4, 6, 8])
    k.gemm(false, true, 2, 2, 0, 1, memory([]), memory([]), 2, c)
    expect([...c.array]).toEqual([6, 8, 12, 16])
  })
})

/** Every position of an array of these sizes, with its flat index. */
function* positions(sizes: readonly number[]): Generator<{ at: number[]; flat: number }> {
  for (let flat = 0; flat < product(sizes); flat++) {
    const at: number[] = []
    for (let axis = sizes.length - 1, rest = flat; axis >= 0; axis--) {
      at.unshift(rest % sizes[axis])
      rest = Math.floor(rest / sizes[axis])
    }
    yield { at, flat }
  }
}

/** Calls visit(x index, w index, y index) for every product in a convolution, straight from the definition. */
function eachProduct(s: ConvolutionShape, visit: (x: number, w: number, y: number) => void): void {
  const C = s.channels / s.group
  const M = s.outputs / s.group
  for (let n = 0; n < s.batch; n++)
    for (let m = 0; m < s.outputs; m++)
      for (const out of positions(s.output))
        for (let c = 0; c < C; c++)
          for (const tap of positions(s.kernel)) {
            const at = out.at.map((o, axis) => o * s.stride[axis] - s.pad[axis] + tap.at[axis] * s.dilation[axis])
            if (at.some((i, axis) => i < 0 || i >= s.input[axis])) continue
            const flat = at.reduce((sum, i, axis) => sum * s.input[axis] + i, 0)
            const channel = n * s.channels + Math.floor(m / M) * C + c
            visit(
              channel * product(s.input) + flat,
              (m * C + c) * product(s.kernel) + tap.flat,
              (n * s.outputs + m) * product(s.output) + out.flat,
            )
          }
}

function shapeOf(batch: number, channels: number, outputs: number, group: number, axes: number[][]): ConvolutionShape {
  const [input, kernel, stride, pad, dilation] = axes
  const output = input.map(
    (size, i) => Math.floor((size + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1,
  )
  return { batch, channels, outputs, group, input, output, kernel, stride, pad, dilation }
}

describe('convolution and its gradients are what the definition says', () => {
  test.each([
    ['1-D', shapeOf(2, 3, 4, 1, [[9], [3], [2], [1], [1]])],
    [
      '2-D',
      shapeOf(2, 4, 6, 2, [
        [7, 6],
        [3, 2],
        [2, 1],
        [1, 0],
        [1, 2],
      ]),
    ],
    [
      '2-D, pad beyond the kernel',
      shapeOf(1, 2, 3, 1, [
        [3, 3],
        [2, 2],
        [1, 3],
        [4, 3],
        [1, 1],
      ]),
    ],
    [
      '2-D, depthwise',
      shapeOf(1, 3, 3, 3, [
        [5, 4],
        [3, 3],
        [1, 1],
        [1, 1],
        [1, 1],
      ]),
    ],
    [
      '3-D',
      shapeOf(1, 2, 2, 1, [
        [4, 5, 3],
        [2, 3, 2],
        [1, 2, 1],
        [1, 0, 1],
        [2, 1, 1],
      ]),
    ],
  ])('%s', (_, s) => {
    const x = random(s.batch * s.channels * product(s.input))
    const w = random((s.outputs * s.channels * product(s.kernel)) / s.group)
    const bias = random(s.outputs)
    const y = empty(s.batch * s.outputs * product(s.output))
    const expected = y.array.map((_, i) => bias.array[Math.floor(i / product(s.output)) % s.outputs])
    eachProduct(s, (i, j, o) => {
      expected[o] += x.array[i] * w.array[j]
    })
    k.convolution(s, x, w, bias, y)
    expectClose(y.array, expected)

    const dy = random(y.length)
    const dx = empty(x.length)
    const dw = random(w.length)
    const expectedX = new Float64Array(x.length)
    const expectedW = Float64Array.from(dw.array)
    eachProduct(s, (i, j, o) => {
      expectedX[i] += dy.array[o] * w.array[j]
      expectedW[j] += dy.array[o] * x.array[i]
    })
    k.convolutionInputGradient(s, dy, w, dx)
    k.convolutionWeightGradient(s, x, dy, dw)
    expectClose(dx.array, expectedX)
    expectClose(dw.array, expectedW)
  })

  test('im2col, then a matrix product, is a convolution; im2colGradient is its adjoint', () => {
    const s = shapeOf(1, 2, 3, 1, [
      [4, 5],
      [3, 2],
      [1, 2],
      [1, 1],
      [1, 2],
    ])
    const x = random(2 * 20)
    const w = random(3 * 2 * 6)
    const y = empty(3 * product(s.output))
    const columns = empty(2 * 6 * product(s.output))
    const product2 = empty(y.length)
    k.convolution(s, x, w, null, y)
    k.im2col(s, x, columns)
    k.gemm(false, false, 3, product(s.output), 12, 1, w, columns, 0, product2)
    expectClose(product2.array, y.array)
    const dy = random(columns.length)
    const dx = empty(x.length)
    k.im2colGradient(s, dy, dx)
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0)
    expect(dot(dx.array, x.array)).toBeCloseTo(dot(dy.array, columns.array), 4)
  })
})

test('axpby with β = 0 and fill do not read what was there', () => {
  const y = empty(3)
  k.axpby(3, 2, memory([1, 2, 3]), 0, y)
  expect([...y.array]).toEqual([2, 4, 6])
  k.axpby(2, 1, memory([10, 10, 10]), 0.5, y)
  expect([...y.array]).toEqual([11, 12, 6])
  k.fill(2, 9, y)
  expect([...y.array]).toEqual([9, 9, 6])
  k.copy(1, memory([5, 5]), y)
  expect([...y.array]).toEqual([5, 9, 6])
})

test('copyRows moves a block between row lengths', () => {
  const y = memory(new Float32Array(8))
  k.copyRows(2, 2, memory([1, 2, 3, 4, 5, 6]), 1, 3, y, 2, 4)
  expect([...y.array]).toEqual([0, 0, 2, 3, 0, 0, 5, 6])
})

test.each([
  ['L2', [1.25, 1.95], [-0.25, -3.95]],
  ['L1', [1.25, 2], [-0.25, -4]],
] as const)('sgdUpdate, hand-worked, %s', (regularization, expectedH, expectedW) => {
  const [w, dw, h] = [memory([1, -2]), memory([0.8, 8.2]), memory([2, 0])]
  k.sgdUpdate(2, { rate: 0.5, scale: 0.5, decay: 0.1, regularization }, 0.5, w, dw, h)
  expectClose(h.array, expectedH)
  expectClose(dw.array, expectedH)
  expectClose(w.array, expectedW)
})

test('sums are kept in double precision', () => {
  const x = memory(new Float32Array(100_001).fill(1e-4))
  x.array[0] = 1000
  const sum = memory([0, 0, 7])
  k.sumOfSquares(x.length, x, sum, 1)
  expect(sum.array[1]).toBe(Math.fround(1e6 + 1e5 * Math.fround(1e-4) ** 2))
  expect(sum.array[2]).toBe(7)
})

test('dropoutMask: value i is decided by uint32 number i of the iteration', () => {
  const source = new RandomStream(5, 'layer drop')
  source.iteration = 12
  const mask = empty(11)
  k.dropoutMask(11, 0.3, source, mask)
  source.iteration = 12
  for (const value of mask.array) expect(value).toBe(source.uint32() < 0.3 * 2 ** 32 ? 0 : Math.fround(1 / 0.7))
})

describe('engine', () => {
  test('js:float64 computes and stores in double precision', () => {
    const engine = createJsEngine({ float64: true })
    expect(engine.name).toBe('js:float64')
    const y = new Memory(1, engine.heap)
    y.array[0] = 0.1
    engine.kernels.tanh(1, y, y)
    expect(y.array[0]).toBe(Math.tanh(0.1))
    expect(createJsEngine().heap.allocate(1).array).toBeInstanceOf(Float32Array)
  })

  test('scratch is reused by slot and grows', () => {
    const engine = createJsEngine()
    const a = engine.scratch(3)
    a.array[2] = 5
    const b = engine.scratch(3, 1)
    expect(b).not.toBe(a)
    expect(engine.scratch(2).array[2]).toBe(5)
    expect(engine.scratch(9).length).toBe(9)
  })
})
