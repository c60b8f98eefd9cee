import { describe, expect, test } from 'vitest'
import type { ConvolutionShape, Kernels, PoolingShape } from '../../lib/engine.js'
import { createGpuEngine } from '../../lib/engines/gpu.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

// The engine that adds up in single precision, as devices do; gpu:cpu does it in double.
const engine = await createGpuEngine('webasm')
const kernels = engine.gpu.kernels

const memory = (values: ArrayLike<number>): Memory => {
  const made = new Memory(values.length)
  made.array.set(values)
  return made
}
const repeated = (n: number, value: number) => memory(new Float32Array(n).fill(value))
const tenth = Math.fround(0.1)
/** Adding 0.1 this often in single precision is off by 0.95 %. */
const MANY = 1_000_003

/** A long sum of equal terms by each kernel that makes one: the sum, and what it must be. */
const longSums: Record<string, () => [Memory, number]> = {
  'reduce SUM'() {
    const y = new Memory(2)
    kernels.reduce('SUM', 2, MANY, 0.5, repeated(2 * MANY, 0.1), y)
    return [y, 0.5 * MANY * tenth]
  },
  'reduce ASUM'() {
    const y = new Memory(1)
    kernels.reduce('ASUM', 1, MANY, 1, repeated(MANY, -0.1), y)
    return [y, MANY * tenth]
  },
  'reduce SUMSQ'() {
    const y = new Memory(3)
    kernels.reduce('SUMSQ', 3, MANY, 1, repeated(3 * MANY, 0.1), y)
    return [y, MANY * tenth * tenth]
  },
  sumMiddle() {
    const y = new Memory(2)
    kernels.sumMiddle(1, MANY, 2, repeated(2 * MANY, 0.1), y)
    return [y, MANY * tenth]
  },
  sumOfSquares() {
    const sum = new Memory(1)
    kernels.sumOfSquares(MANY, repeated(MANY, 0.1), sum, 0)
    return [sum, MANY * tenth * tenth]
  },
  'biasGradient over space'() {
    const db = new Memory(2)
    kernels.biasGradient(1, 2, MANY, repeated(2 * MANY, 0.1), db)
    return [db, MANY * tenth]
  },
  'biasGradient over the batch'() {
    const db = new Memory(1)
    kernels.biasGradient(MANY, 1, 1, repeated(MANY, 0.1), db)
    return [db, MANY * tenth]
  },
  scaleGradient() {
    const dfactor = new Memory(1)
    kernels.scaleGradient(1, 1, MANY, repeated(MANY, 0.1), repeated(MANY, 1), dfactor)
    return [dfactor, MANY * tenth]
  },
  preluSlopeGradient() {
    const dslope = new Memory(1)
    kernels.preluSlopeGradient(1, 1, MANY, repeated(MANY, -0.1), repeated(MANY, 1), dslope)
    return [dslope, -MANY * tenth]
  },
  'channelStatistics, mean'() {
    const mean = new Memory(1)
    kernels.channelStatistics(1, 1, MANY, repeated(MANY, 0.1), mean, new Memory(1))
    return [mean, tenth]
  },
  'softmax over many channels'() {
    const n = 250_000
    const [x, y] = [repeated(n, -1), new Memory(n)]
    kernels.softmax(1, n, 1, x, y)
    return [y, 1 / n]
  },
  'hinge loss of many classes'() {
    const loss = new Memory(1)
    kernels.hingeLoss(1, MANY, false, repeated(MANY, -0.9), memory([0]), loss)
    return [loss, (MANY - 1) * (1 - Math.fround(0.9)) + 1 + Math.fround(0.9)]
  },
  gemm() {
    const c = new Memory(1)
    kernels.gemm(false, false, 1, 1, MANY, 1, repeated(MANY, 0.1), repeated(MANY, 1), 0, c)
    return [c, MANY * tenth]
  },
  'gemm, four columns a thread'() {
    const c = new Memory(8)
    kernels.gemm(false, true, 2, 4, MANY, 1, repeated(2 * MANY, 0.1), repeated(4 * MANY, 1), 0, c)
    return [c, MANY * tenth]
  },
  'contrastive distance'() {
    const distance = new Memory(1)
    const shape = { batch: 1, size: MANY, margin: 1, legacy: false }
    const [a, b] = [repeated(MANY, 0.1), new Memory(MANY)]
    kernels.contrastiveLoss(shape, a, b, memory([1]), new Memory(MANY), distance, new Memory(1))
    return [distance, MANY * tenth * tenth]
  },
  averagePool() {
    const y = new Memory(1)
    kernels.averagePool(pool([1001, 999], [1001, 999]), repeated(1001 * 999, 0.1), y)
    return [y, tenth]
  },
  scatterRows() {
    const table = new Memory(1)
    kernels.scatterRows(MANY, 1, 1, new Memory(MANY), repeated(MANY, 0.1), table)
    return [table, MANY * tenth]
  },
  'convolution, a window of a whole plane'() {
    const y = new Memory(1)
    const s = convolution([1, 1, 1], [1001, 999], [1001, 999])
    kernels.convolution(s, repeated(1001 * 999, 0.1), repeated(1001 * 999, 1), null, y)
    return [y, 1001 * 999 * tenth]
  },
  'convolution, many channels'() {
    const y = new Memory(64)
    kernels.convolution(
      convolution([1, 65536, 1], [10, 10], [3, 3]),
      repeated(65536 * 100, 0.1),
      repeated(9 * 65536, 1),
      null,
      y,
    )
    return [y, 9 * 65536 * tenth]
  },
  'convolutionWeightGradient, a large plane'() {
    const dw = new Memory(1)
    const s = convolution([1, 1, 1], [1001, 999], [1, 1])
    kernels.convolutionWeightGradient(s, repeated(1001 * 999, 0.1), repeated(1001 * 999, 1), dw)
    return [dw, 1001 * 999 * tenth]
  },
  'convolutionWeightGradient, rows of four taps'() {
    const dw = new Memory(9)
    const s = convolution([1, 1, 1], [1001, 999], [3, 3])
    kernels.convolutionWeightGradient(s, repeated(1001 * 999, 0.1), repeated(999 * 997, 1), dw)
    return [dw, 999 * 997 * tenth]
  },
}

function convolution([batch, channels, outputs]: number[], input: number[], kernel: number[]): ConvolutionShape {
  const output = input.map((n, a) => n - kernel[a] + 1)
  return { batch, channels, outputs, group: 1, input, output, kernel, stride: [1, 1], pad: [0, 0], dilation: [1, 1] }
}

function pool(input: [number, number], kernel: [number, number], stride = 1, pad = 0): PoolingShape {
  const output = input.map((n, a) => Math.ceil((n + 2 * pad - kernel[a]) / stride) + 1) as [number, number]
  return { planes: 2, input, output, kernel, stride: [stride, stride], pad: [pad, pad] }
}

describe('sums of a million terms in single precision', () => {
  test.each(Object.keys(longSums))('%s', async name => {
    const [result, expected] = longSums[name]()
    await result.pull()
    const worst = result.array.reduce((most, value) => Math.max(most, Math.abs(value / expected - 1)), 0)
    expect(worst).toBeLessThan(3e-5)
  })

  test('a rate of hits among more places than single precision counts one by one is that of its parts', async () => {
    const [outer, inner] = [3, 5000]
    const s = { outer, classes: 2, inner, ignoreLabel: undefined, topK: 1 }
    const scores = memory(Float32Array.from({ length: 2 * outer * inner }, (_, i) => ((i * 7) % 11) - 5))
    const labels = memory(Float32Array.from({ length: outer * inner }, (_, i) => i % 2))
    const [perClass, expected] = [new Memory(2), new Memory(2)]
    kernels.accuracy(s, scores, labels, new Memory(1), perClass)
    jsKernels.accuracy(s, scores, labels, new Memory(1), expected)
    await perClass.pull()
    expect([...perClass.array]).toEqual([...expected.array])
  })
})

describe('windows that are larger than what they give', () => {
  const random = (n: number, name: string) => {
    const stream = new RandomStream(3, name)
    return memory(Float32Array.from({ length: n }, () => 2 * stream.uniform() - 1))
  }
  /** The values that a kernel writes, on the device and in plain loops. */
  async function both(call: (kernels: Kernels) => Memory): Promise<void> {
    const [got, expected] = [call(kernels), call(jsKernels)]
    await got.pull()
    const size = Math.max(...expected.array.map(Math.abs))
    got.array.forEach((value, i) => {
      expect(Math.abs(value - expected.array[i]), `value ${i}`).toBeLessThan(3e-6 * size)
    })
  }
  const pools = [
    pool([9, 7], [9, 7]),
    pool([9, 7], [8, 7]),
    pool([9, 7], [9, 5], 2),
    pool([6, 5], [6, 6], 1, 1),
    pool([6, 6], [5, 5], 3, 2),
  ]
  test.each(pools)('pooling %#', async s => {
    const [places, outputs] = [s.planes * s.input[0] * s.input[1], s.planes * s.output[0] * s.output[1]]
    const [x, dy] = [random(places, 'x'), random(outputs, 'dy')]
    const mask = new Memory(outputs)
    jsKernels.maxPool(s, x, new Memory(outputs), mask)
    for (const gradient of [
      (k: Kernels, dx: Memory) => k.averagePoolGradient(s, dy, dx),
      (k: Kernels, dx: Memory) => k.maxPoolGradient(s, dy, mask, dx),
      (k: Kernels, dx: Memory) => k.stochasticMeanGradient(s, x, dy, dy, dx),
    ])
      await both(k => {
        const dx = new Memory(places)
        gradient(k, dx)
        return dx
      })
  })

  const shapes: ConvolutionShape[] = [
    convolution([2, 3, 4], [9, 7], [9, 7]),
    { ...convolution([2, 4, 6], [9, 8], [7, 7]), group: 2 },
    { ...convolution([2, 2, 3], [9, 8], [5, 6]), stride: [2, 2], pad: [1, 2], output: [4, 4] },
    { ...convolution([1, 2, 3], [11, 9], [5, 4]), dilation: [2, 2], pad: [0, 1], output: [3, 5] },
  ]
  test.each(shapes)('convolution %#', async s => {
    const plane = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
    const dy = random(s.batch * s.outputs * plane(s.output), 'dy')
    const w = random(((s.outputs * s.channels) / s.group) * plane(s.kernel), 'w')
    const columns = random(s.batch * s.channels * plane(s.kernel) * plane(s.output), 'columns')
    for (const gradient of [
      (k: Kernels, dx: Memory) => k.convolutionInputGradient(s, dy, w, dx),
      (k: Kernels, dx: Memory) => k.im2colGradient(s, columns, dx),
    ])
      await both(k => {
        const dx = new Memory(s.batch * s.channels * plane(s.input))
        gradient(k, dx)
        return dx
      })
  })
})
