/**
 * Windows of extreme sizes: numbered calls of every kernel that computes addresses from parameters, on an engine and in
 * plain loops. A call is refused with a typed error, or gives the values of the plain loops; either way nothing beside
 * its outputs changes. Everything follows from (seed, number).
 */
import type { ConvolutionShape, HostEngine, Kernels, PoolingShape } from '../../lib/engine.js'
import { convolutionProblem, poolingProblem } from '../../lib/engines/kernel_limits.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { EngineError } from '../../lib/errors.js'
import { Memory, plainHeap } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

export interface WindowReport {
  /** Calls that gave values, calls that were refused, and calls that would take too long to compare. */
  computed: number
  refused: number
  skipped: number
  readonly failures: string[]
}

/** Most values of a blob, of a padded image, and most multiply-adds of a call. */
const VALUES = 2 ** 14
const PADDED = 2 ** 20
const WORK = 2 ** 22
const CANARY = 12345.678
const CANARIES = 32

const BIG = [100, 1000, 65535, 65536, 2 ** 24, 2 ** 28, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)

/** A call: memories in the order in which they are made, with those that are written, and what it does. */
interface Call {
  readonly name: string
  readonly work: number
  readonly lengths: readonly number[]
  /** Indices of the memories that are compared. */
  readonly written: readonly number[]
  run(kernels: Kernels, memories: Memory[]): void
}

const oneOf = <T>(random: RandomStream, list: readonly T[]): T => list[random.integer(list.length)]
const often = (random: RandomStream, share: number): boolean => random.uniform() < share

/** Sizes along one axis: most of them fit, and every size may be huge. */
function axisOf(random: RandomStream) {
  const input = oneOf(random, [1, 2, 3, 4, 5, 7, 8, 9, 12, 17, 33])
  const kernel = often(random, 0.02) ? oneOf(random, BIG) : oneOf(random, [1, 1, 2, 3, 3, 4, 5, 8, 16])
  const dilation = often(random, 0.15) ? oneOf(random, BIG) : 1 + random.integer(3)
  const extent = dilation * (kernel - 1) + 1
  const least = Math.max(0, Math.ceil((extent - input) / 2))
  const pad = often(random, 0.1) ? oneOf(random, BIG) : least + (often(random, 0.4) ? random.integer(4) : 0)
  const stride = often(random, 0.25) ? oneOf(random, BIG) : 1 + random.integer(9)
  const output = Math.floor((input + 2 * pad - extent) / stride) + 1
  return { input, kernel, dilation, pad, stride, output: often(random, 0.02) ? output + 1 : output }
}

function convolutionShape(random: RandomStream, axes: number): ConvolutionShape {
  const along = Array.from({ length: axes }, () => axisOf(random))
  const group = 1 + random.integer(3)
  return {
    batch: 1 + random.integer(3),
    channels: group * (1 + random.integer(5)),
    outputs: group * (1 + random.integer(9)),
    group,
    input: along.map(a => a.input),
    output: along.map(a => a.output),
    kernel: along.map(a => a.kernel),
    stride: along.map(a => a.stride),
    pad: along.map(a => a.pad),
    dilation: along.map(a => a.dilation),
  }
}

function convolutionCall(random: RandomStream): Call {
  const s = convolutionShape(random, oneOf(random, [1, 2, 2, 2, 2, 3]))
  const x = s.batch * s.channels * product(s.input)
  const y = s.batch * s.outputs * product(s.output)
  const w = s.outputs * (s.channels / s.group) * product(s.kernel)
  const padded = (s.channels + 3) * product(s.input.map((size, i) => size + 2 * s.pad[i]))
  const problem = convolutionProblem(s) !== undefined
  const work = problem ? 0 : Math.max(s.input.length < 3 && padded > PADDED ? Infinity : 0, y * (w / s.outputs))
  const name = (kernel: string) => `${kernel} ${JSON.stringify(s)}`
  switch (random.integer(5)) {
    case 0:
      return {
        name: name('convolution'),
        work,
        lengths: [x, w, s.outputs, y],
        written: [3],
        run: (k, [x, w, b, y]) => k.convolution(s, x, w, b, y),
      }
    case 1:
      return {
        name: name('convolutionInputGradient'),
        work,
        lengths: [y, w, x],
        written: [2],
        run: (k, [dy, w, dx]) => k.convolutionInputGradient(s, dy, w, dx),
      }
    case 2:
      return {
        name: name('convolutionWeightGradient'),
        work,
        lengths: [x, y, w],
        written: [2],
        run: (k, [x, dy, dw]) => k.convolutionWeightGradient(s, x, dy, dw),
      }
    case 3:
      return {
        name: name('im2col'),
        work,
        lengths: [x, s.batch * s.channels * product(s.kernel) * product(s.output)],
        written: [1],
        run: (k, [x, y]) => k.im2col(s, x, y),
      }
    default:
      return {
        name: name('im2colGradient'),
        work,
        lengths: [s.batch * s.channels * product(s.kernel) * product(s.output), x],
        written: [1],
        run: (k, [dy, dx]) => k.im2colGradient(s, dy, dx),
      }
  }
}

function poolingCall(random: RandomStream): Call {
  const along = [0, 1].map(() => {
    const input = oneOf(random, [1, 2, 3, 4, 5, 7, 8, 9, 12, 17, 33])
    const kernel = often(random, 0.15) ? oneOf(random, BIG) : 1 + random.integer(6)
    const pad = often(random, 0.5) ? 0 : random.integer(Math.min(kernel, often(random, 0.1) ? 2 ** 31 : 40))
    const stride = often(random, 0.3) ? oneOf(random, BIG) : 1 + random.integer(5)
    let output = Math.ceil((input + 2 * pad - kernel) / stride) + 1
    if (pad > 0 && (output - 1) * stride >= input + pad) output--
    return { input, kernel, pad, stride, output: Math.max(1, output) }
  })
  const two = (field: 'input' | 'output' | 'kernel' | 'stride' | 'pad') => [along[0][field], along[1][field]] as const
  const s: PoolingShape = {
    planes: 1 + random.integer(4),
    input: two('input'),
    output: two('output'),
    kernel: two('kernel'),
    stride: two('stride'),
    pad: two('pad'),
  }
  const inside = s.planes * product(s.input)
  const outside = s.planes * product(s.output)
  const padded = product(s.input.map((size, i) => size + 2 * s.pad[i] + Math.min(s.stride[i], 2 ** 20)))
  const work =
    poolingProblem(s) !== undefined
      ? 0
      : padded > PADDED
        ? Infinity
        : outside * product(s.kernel.map((size, i) => Math.min(size, s.input[i] + 2 * s.pad[i])))
  const stream = () => Object.assign(new RandomStream(5, 'stochastic'), { iteration: 3 })
  const calls: Omit<Call, 'work'>[] = [
    {
      name: 'maxPool',
      lengths: [inside, outside, outside],
      written: [1, 2],
      run: (k, [x, y, m]) => k.maxPool(s, x, y, m),
    },
    {
      name: 'maxPool without a mask',
      lengths: [inside, outside],
      written: [1],
      run: (k, [x, y]) => k.maxPool(s, x, y, null),
    },
    {
      name: 'maxPool and its gradient',
      lengths: [inside, outside, outside, inside],
      written: [3],
      run(k, [x, y, mask, dx]) {
        k.maxPool(s, x, y, mask)
        k.maxPoolGradient(s, y, mask, dx)
      },
    },
    { name: 'averagePool', lengths: [inside, outside], written: [1], run: (k, [x, y]) => k.averagePool(s, x, y) },
    {
      name: 'averagePoolGradient',
      lengths: [outside, inside],
      written: [1],
      run: (k, [dy, dx]) => k.averagePoolGradient(s, dy, dx),
    },
    ...(s.pad[0] + s.pad[1] > 0
      ? []
      : [
          {
            name: 'stochasticPool',
            lengths: [inside, outside, outside],
            written: [1, 2],
            run: (k: Kernels, [x, y, m]: Memory[]) => k.stochasticPool(s, x, stream(), y, m),
          },
          {
            name: 'stochasticMean',
            lengths: [inside, outside],
            written: [1],
            run: (k: Kernels, [x, y]: Memory[]) => k.stochasticMean(s, x, y),
          },
        ]),
  ]
  const call = oneOf(random, calls)
  return { ...call, name: `${call.name} ${JSON.stringify(s)}`, work }
}

/** Kernels whose places follow from sizes: those may be any, the memories are what they are. */
function placesCall(random: RandomStream): Call {
  const size = () => (often(random, 0.15) ? oneOf(random, BIG) : 1 + random.integer(12))
  const [a, b, c, d, e] = [size(), size(), size(), size(), size()]
  const fits = (n: number) => (often(random, 0.05) ? Math.max(0, Math.min(n, VALUES) - 1) : n)
  const beyond = often(random, 0.2) ? d + 1 : d
  const lrn = { batch: 1, channels: a, height: b, width: c, size: 2 * d + 1, alpha: 0.5, beta: 0.75, k: 1 }
  const calls: Omit<Call, 'work'>[] = [
    {
      name: `copyRows ${[a, b, c, d, e]}`,
      lengths: [c + (a - 1) * (b + d) + b, (a - 1) * (b + e) + b],
      written: [1],
      run: (k, [x, y]) => k.copyRows(a, b, x, c, b + d, y, 0, b + e),
    },
    {
      name: `gemm ${[a, b, c]}`,
      lengths: [a * c, c * b, a * b],
      written: [2],
      run: (k, [A, B, C]) => k.gemm(false, true, a, b, c, 1, A, B, 0, C),
    },
    {
      name: `lrnAcross ${JSON.stringify(lrn)}`,
      lengths: [a * b * c, a * b * c, a * b * c],
      written: [1, 2],
      run: (k, [x, s, y]) => k.lrnAcross(lrn, x, s, y),
    },
    {
      name: `lrnWithin ${JSON.stringify(lrn)}`,
      lengths: [a * b * c, a * b * c, a * b * c],
      written: [1, 2],
      run: (k, [x, s, y]) => k.lrnWithin(lrn, x, s, y),
    },
    {
      name: `addBias ${[a, b, c]}`,
      lengths: [b, a * b * c],
      written: [1],
      run: (k, [bias, y]) => k.addBias(a, b, c, bias, y),
    },
    {
      name: `sumMiddle ${[a, b, c]}`,
      lengths: [a * b * c, a * c],
      written: [1],
      run: (k, [x, y]) => k.sumMiddle(a, b, c, x, y),
    },
    {
      name: `reduce ${[a, b]}`,
      lengths: [a * b, a],
      written: [1],
      run: (k, [x, y]) => k.reduce('SUMSQ', a, b, 2, x, y),
    },
    {
      name: `gatherRows ${[a, b, c]}`,
      lengths: [a, b * c, a * b],
      written: [2],
      run: (k, [index, table, y]) => k.gatherRows(a, b, c, index, table, y),
    },
    {
      name: `scatterRows ${[a, b, c]}`,
      lengths: [a, a * b, b * c],
      written: [2],
      run: (k, [index, dy, table]) => k.scatterRows(a, b, c, index, dy, table),
    },
    {
      name: `argMax ${[a, b, c, d]}`,
      lengths: [a * b * c, 2 * a * d * c],
      written: [1],
      run: (k, [x, y]) => k.argMax({ outer: a, size: b, inner: c, topK: d, output: 'both' }, x, y),
    },
    {
      name: `crop ${[a, b, c, d, e]}`,
      lengths: [(a + c) * (b + d), a * b],
      written: [1],
      run: (k, [x, y]) => k.crop({ input: [a + c, b + d], output: [a, b], offset: [c, beyond] }, x, y),
    },
    {
      name: `softmax ${[a, b, c]}`,
      lengths: [a * b * c, a * b * c],
      written: [1],
      run: (k, [x, y]) => k.softmax(a, b, c, x, y),
    },
  ]
  const call = oneOf(random, calls)
  return { ...call, lengths: call.lengths.map(fits), work: 0 }
}

/** Values of a memory on a heap between canaries that lie against it. */
function make(engine: Pick<HostEngine, 'heap'>, lengths: readonly number[], random: RandomStream) {
  const canary = () => {
    const memory = new Memory(CANARIES, engine.heap)
    memory.array.fill(CANARY)
    return memory
  }
  const canaries = [canary()]
  const memories = lengths.map(length => {
    const memory = new Memory(length, engine.heap)
    for (let i = 0; i < length; i++) memory.array[i] = 2 * random.uniform() - 1
    canaries.push(canary())
    return memory
  })
  return { canaries, memories }
}

function failureOf(
  engine: HostEngine,
  call: Call,
  seed: number,
  number: number,
): string | 'computed' | 'refused' | 'skipped' {
  const tooLarge = call.lengths.some(length => !(length >= 0 && length <= VALUES))
  // what has no values here is still called: its memories are shorter than its sizes say
  const lengths = call.lengths.map(length => (length >= 0 && length <= VALUES ? length : 16))
  if (!tooLarge && call.work > WORK) return 'skipped'
  const values = () => Object.assign(new RandomStream(seed, 'values'), { iteration: number })
  const { canaries, memories } = make(engine, lengths, values())
  const before = memories.map(memory => memory.array.slice())
  let refused = false
  try {
    call.run(engine.kernels, memories)
  } catch (error) {
    if (!(error instanceof EngineError)) return `${call.name}: ${error}`
    refused = true
  }
  try {
    if (canaries.some(memory => memory.array.some(value => value !== Math.fround(CANARY))))
      return `${call.name}: memory beside its own was written`
    for (const [i, memory] of memories.entries())
      if ((refused || !call.written.includes(i)) && !call.name.includes('its gradient'))
        if (memory.array.some((value, j) => !Object.is(value, before[i][j]))) return `${call.name}: memory ${i} changed`
    if (refused) return 'refused'
    if (tooLarge) return `${call.name}: memories that are too short were taken`
    const { memories: expected } = make({ heap: plainHeap }, lengths, values())
    call.run(jsKernels, expected)
    for (const i of call.written) {
      const [got, wanted] = [memories[i].array, expected[i].array]
      const size = wanted.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1)
      const at = wanted.findIndex((v, j) => !(Math.abs(got[j] - v) <= 6e-6 * size || Object.is(got[j], v)))
      if (at >= 0) return `${call.name}: value ${at} of memory ${i} is ${got[at]}, plain loops give ${wanted[at]}`
    }
    return 'computed'
  } finally {
    for (const memory of [...canaries, ...memories]) memory.dispose()
  }
}

export function fuzzWindows(engine: HostEngine, seed: number, from: number, cases: number): WindowReport {
  const report: WindowReport = { computed: 0, refused: 0, skipped: 0, failures: [] }
  for (let number = from; number < from + cases; number++) {
    const random = Object.assign(new RandomStream(seed, 'windows'), { iteration: number })
    const call = oneOf(random, [convolutionCall, convolutionCall, poolingCall, poolingCall, placesCall])(random)
    const outcome = failureOf(engine, call, seed, number)
    if (outcome === 'computed' || outcome === 'refused' || outcome === 'skipped') report[outcome]++
    else report.failures.push(`case ${number} on ${engine.name}: ${outcome}`)
  }
  return report
}
