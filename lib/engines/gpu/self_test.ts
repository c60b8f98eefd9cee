import type { Engine, Kernels } from '../../engine.js'
import { EngineError } from '../../errors.js'
import { Memory } from '../../memory.js'
import { RandomStream } from '../../rng.js'
import { kernelsOf } from '../complete.js'
import { jsKernels } from '../plain_loops.js'

/** One small call per kind of kernel, odd sizes: what it reads, and the memories it writes. */
const calls: Record<string, (kernels: Kernels, random: (n: number) => Memory) => Memory[]> = {
  convolution(kernels, random) {
    const shape = {
      ...{ batch: 2, channels: 2, outputs: 4, group: 2, input: [5, 7], output: [3, 4], kernel: [3, 3] },
      ...{ stride: [2, 2], pad: [1, 1], dilation: [1, 1] },
    }
    const [x, w, b, y, dx, dw] = [140, 36, 4, 96, 140, 36].map(random)
    kernels.convolution(shape, x, w, b, y)
    kernels.convolutionInputGradient(shape, y, w, dx)
    kernels.convolutionWeightGradient(shape, x, y, dw)
    return [y, dx, dw]
  },
  gemm(kernels, random) {
    const [a, b, c] = [35, 77, 55].map(random)
    kernels.gemm(true, false, 5, 11, 7, 0.5, a, b, 1, c)
    return [c]
  },
  maxPool(kernels, random) {
    const shape = { planes: 3, input: [5, 5], output: [3, 3], kernel: [3, 3], stride: [2, 2], pad: [1, 1] } as const
    const [x, y, mask, dx] = [75, 27, 27, 75].map(random)
    kernels.maxPool(shape, x, y, mask)
    kernels.maxPoolGradient(shape, y, mask, dx)
    return [y, mask, dx]
  },
  softmax(kernels, random) {
    const [x, y] = [3 * 11 * 2, 3 * 11 * 2].map(random)
    kernels.softmax(3, 11, 2, x, y)
    return [y]
  },
  sgdUpdate(kernels, random) {
    const [w, dw, h, sum] = [301, 301, 301, 1].map(random)
    kernels.sgdUpdate(301, { rate: 0.1, scale: 1, decay: 0.01, regularization: 'L2' }, 0.9, w, dw, h)
    kernels.sumOfSquares(301, w, sum, 0)
    return [w, h, sum]
  },
}

/** Run known kernels beside the plain loops; throws an EngineError if the device computes something else. */
export async function selfTest(engine: Engine): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    const made: Memory[] = []
    const expected = call(jsKernels, randomMemories(name, made))
    const got = call(kernelsOf(engine), randomMemories(name, made))
    for (const [i, memory] of got.entries()) {
      await memory.pull()
      const at = memory.array.findIndex(
        (value, k) => !(Math.abs(value - expected[i].array[k]) <= 1e-5 * (1 + Math.abs(expected[i].array[k]))),
      )
      if (at >= 0)
        throw new EngineError(
          `engine ${engine.name} (${engine.detail}) computes wrong: value ${at} of output ${i} of kernel '${name}' is ${memory.array[at]}, ` +
            `right is ${expected[i].array[at]}. Use another mode of the gpu engine, or wasm`,
        )
    }
    for (const memory of made) memory.dispose()
  }
}

function randomMemories(name: string, made: Memory[]): (n: number) => Memory {
  const stream = new RandomStream(11, `self test ${name}`)
  return n => {
    const memory = new Memory(n)
    const { array } = memory
    for (let i = 0; i < n; i++) array[i] = 2 * stream.uniform() - 1
    made.push(memory)
    return memory
  }
}
