import type {
  ClassLossShape,
  ConvolutionShape,
  Engine,
  Kernels,
  LRNShape,
  PoolingShape,
  UpdateRule,
} from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { type Heap, Memory, plainHeap } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

/** What a case makes its memories from. */
export interface Kit {
  /** n values, uniform in ±1. */
  random(n: number): Memory
  /** n values, uniform in 0.1 … 1.1. */
  positive(n: number): Memory
  /** n whole numbers 0 … below − 1. */
  integers(n: number, below: number): Memory
  values(...values: number[]): Memory
  /** Marks a memory as written: compared afterwards. */
  out(memory: number | Memory): Memory
}

/**
 * Calls of one kernel at odd sizes: at least one for every kernel of the gpu engine. They run in Node and, bundled, in
 * a browser.
 */
export type KernelCases = { readonly [K in keyof Kernels]?: readonly ((kernels: Kernels, kit: Kit) => void)[] }

const shape = (
  [batch, channels, outputs, group]: number[],
  input: number[],
  kernel: number[],
  stride: number[],
  pad: number[],
  dilation: number[],
): ConvolutionShape => {
  const output = input.map((n, a) => Math.floor((n + 2 * pad[a] - (dilation[a] * (kernel[a] - 1) + 1)) / stride[a]) + 1)
  return { batch, channels, outputs, group, input, output, kernel, stride, pad, dilation }
}
const shapes = [
  shape([1, 1, 1, 1], [1, 1], [1, 1], [1, 1], [0, 0], [1, 1]),
  shape([3, 2, 5, 1], [7, 9], [3, 3], [1, 1], [0, 0], [1, 1]),
  shape([2, 4, 6, 2], [8, 7], [3, 2], [2, 3], [1, 1], [1, 1]),
  shape([2, 3, 4, 1], [9, 11], [3, 3], [1, 2], [2, 1], [2, 3]),
  shape([2, 2, 3, 1], [13, 14], [8, 7], [3, 2], [3, 3], [1, 1]),
  shape([5, 3, 3, 3], [6], [3], [1], [1], [1]),
  // rows of several fours, written out in pieces; many channels; kernels of one
  shape([2, 5, 7, 1], [11, 38], [5, 5], [1, 1], [2, 2], [1, 1]),
  shape([1, 3, 4, 1], [19, 67], [7, 11], [4, 4], [0, 0], [1, 1]),
  shape([3, 10, 9, 1], [9, 10], [1, 1], [1, 1], [0, 0], [1, 1]),
  shape([2, 12, 20, 2], [6, 7], [1, 1], [2, 2], [0, 0], [1, 1]),
  shape([2, 16, 24, 2], [12, 12], [3, 3], [1, 1], [1, 1], [1, 1]),
  shape([4, 8, 18, 1], [12, 9], [3, 3], [2, 2], [1, 1], [1, 1]),
  // too wide to be written out
  shape([2, 2, 3, 1], [3, 24], [2, 17], [1, 1], [0, 1], [1, 1]),
  shape([2, 2, 3, 1], [4, 5, 3], [2, 3, 2], [1, 2, 1], [1, 0, 1], [1, 1, 1]),
]
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
const inputSize = (s: ConvolutionShape) => s.batch * s.channels * product(s.input)
const outputSize = (s: ConvolutionShape) => s.batch * s.outputs * product(s.output)
const weightSize = (s: ConvolutionShape) => (s.channels / s.group) * s.outputs * product(s.kernel)

const pools: PoolingShape[] = [
  { planes: 6, input: [7, 9], output: [4, 5], kernel: [3, 3], stride: [2, 2], pad: [1, 1] },
  { planes: 3, input: [6, 6], output: [3, 3], kernel: [2, 2], stride: [2, 2], pad: [0, 0] },
  { planes: 2, input: [5, 8], output: [3, 3], kernel: [3, 4], stride: [1, 2], pad: [0, 0] },
]
const poolIn = (s: PoolingShape) => s.planes * product(s.input)
const poolOut = (s: PoolingShape) => s.planes * product(s.output)

const lrns: LRNShape[] = [
  { batch: 2, channels: 7, height: 3, width: 5, size: 5, alpha: 0.5, beta: 0.75, k: 1 },
  { batch: 3, channels: 2, height: 4, width: 3, size: 3, alpha: 1, beta: 0.5, k: 2 },
]
const lrnSize = (s: LRNShape) => s.batch * s.channels * s.height * s.width

const losses: ClassLossShape[] = [
  { outer: 5, classes: 7, inner: 1, ignoreLabel: undefined, normalization: 'VALID' },
  { outer: 3, classes: 4, inner: 35, ignoreLabel: 2, normalization: 'VALID' },
  { outer: 3, classes: 4, inner: 5, ignoreLabel: 1, normalization: 'BATCH_SIZE' },
  { outer: 3, classes: 4, inner: 5, ignoreLabel: undefined, normalization: 'FULL' },
  { outer: 2, classes: 3, inner: 5, ignoreLabel: 0, normalization: 'NONE' },
]

const rules: UpdateRule[] = [
  { rate: 0.1, scale: 0.5, decay: 0.01, regularization: 'L2' },
  { rate: 0.05, scale: 1, decay: 0.02, regularization: 'L1' },
]
const N = 157

const stream = () => new RandomStream(9, 'case')

export const kernelCases: KernelCases = {
  gemm: [
    [1, 1, 1],
    [3, 5, 7],
    [13, 17, 33],
    [1, 37, 130],
    [50, 1, 6],
    [2, 3, 0],
    [66, 67, 9],
  ].flatMap(([M, n, K]) =>
    [0, 1, 2, 3].map(t => (kernels: Kernels, kit: Kit) => {
      const c = kit.out(kit.random(M * n))
      kernels.gemm(t % 2 === 1, t > 1, M, n, K, 0.7, kit.random(M * K), kit.random(K * n), [0, 1, 0.5, -1][t], c)
    }),
  ),
  convolution: shapes.flatMap(s => [
    (k: Kernels, kit: Kit) =>
      k.convolution(
        s,
        kit.random(inputSize(s)),
        kit.random(weightSize(s)),
        kit.random(s.outputs),
        kit.out(outputSize(s)),
      ),
    (k: Kernels, kit: Kit) =>
      k.convolution(s, kit.random(inputSize(s)), kit.random(weightSize(s)), null, kit.out(outputSize(s))),
  ]),
  convolutionInputGradient: shapes.map(
    s => (k, kit) =>
      k.convolutionInputGradient(s, kit.random(outputSize(s)), kit.random(weightSize(s)), kit.out(inputSize(s))),
  ),
  convolutionWeightGradient: shapes.map(
    s => (k, kit) =>
      k.convolutionWeightGradient(
        s,
        kit.random(inputSize(s)),
        kit.random(outputSize(s)),
        kit.out(kit.random(weightSize(s))),
      ),
  ),
  addBias: [
    (k, kit) => k.addBias(3, 5, 7, kit.random(5), kit.out(kit.random(105))),
    (k, kit) => k.addBias(4, 37, 1, kit.random(37), kit.out(kit.random(148))),
  ],
  biasGradient: [
    (k, kit) => k.biasGradient(3, 5, 7, kit.random(105), kit.out(kit.random(5))),
    (k, kit) => k.biasGradient(9, 37, 1, kit.random(333), kit.out(37)),
  ],
  im2col: shapes.map(
    s => (k, kit) =>
      k.im2col(s, kit.random(inputSize(s)), kit.out(s.batch * s.channels * product(s.kernel) * product(s.output))),
  ),
  im2colGradient: shapes.map(
    s => (k, kit) =>
      k.im2colGradient(
        s,
        kit.random(s.batch * s.channels * product(s.kernel) * product(s.output)),
        kit.out(inputSize(s)),
      ),
  ),
  maxPool: pools.map(s => (k, kit) => k.maxPool(s, kit.random(poolIn(s)), kit.out(poolOut(s)), kit.out(poolOut(s)))),
  maxPoolGradient: pools.map(s => (k, kit) => {
    const mask = kit.random(poolOut(s))
    k.maxPool(s, kit.random(poolIn(s)), kit.random(poolOut(s)), mask)
    k.maxPoolGradient(s, kit.random(poolOut(s)), mask, kit.out(poolIn(s)))
  }),
  averagePool: pools.map(s => (k, kit) => k.averagePool(s, kit.random(poolIn(s)), kit.out(poolOut(s)))),
  averagePoolGradient: pools.map(s => (k, kit) => k.averagePoolGradient(s, kit.random(poolOut(s)), kit.out(poolIn(s)))),
  stochasticPool: pools.map(
    s => (k, kit) => k.stochasticPool(s, kit.random(poolIn(s)), stream(), kit.out(poolOut(s)), kit.out(poolOut(s))),
  ),
  stochasticMean: pools.map(s => (k, kit) => k.stochasticMean(s, kit.positive(poolIn(s)), kit.out(poolOut(s)))),
  stochasticMeanGradient: pools.map(
    s => (k, kit) =>
      k.stochasticMeanGradient(
        s,
        kit.positive(poolIn(s)),
        kit.random(poolOut(s)),
        kit.random(poolOut(s)),
        kit.out(poolIn(s)),
      ),
  ),
  relu: [0, 0.1].map(slope => (k, kit) => k.relu(N, slope, kit.random(N), kit.out(N))),
  reluGradient: [0, 0.1].map(slope => (k, kit) => k.reluGradient(N, slope, kit.random(N), kit.random(N), kit.out(N))),
  sigmoid: [
    (k, kit) => k.sigmoid(N, kit.random(N), kit.out(N)),
    (k, kit) => k.sigmoid(3, kit.values(-200, 200, 0), kit.out(3)),
  ],
  sigmoidGradient: [(k, kit) => k.sigmoidGradient(N, kit.random(N), kit.random(N), kit.out(N))],
  tanh: [
    (k, kit) => k.tanh(N, kit.random(N), kit.out(N)),
    (k, kit) => k.tanh(5, kit.values(-100, 100, 0, 1e-4, -0.11), kit.out(5)),
  ],
  tanhGradient: [(k, kit) => k.tanhGradient(N, kit.random(N), kit.random(N), kit.out(N))],
  dropoutMask: [(k, kit) => k.dropoutMask(N, 0.4, stream(), kit.out(N))],
  fill: [(k, kit) => k.fill(N, 1.5, kit.out(N))],
  copy: [(k, kit) => k.copy(N, kit.random(N), kit.out(N))],
  axpby: [
    [2, 0],
    [1, 0],
    [0.5, -1.5],
  ].map(
    ([alpha, beta]) =>
      (k: Kernels, kit: Kit) =>
        k.axpby(N, alpha, kit.random(N), beta, kit.out(kit.random(N))),
  ),
  multiply: [(k, kit) => k.multiply(N, kit.random(N), kit.random(N), kit.out(N))],
  copyRows: [
    (k, kit) => k.copyRows(3, 5, kit.random(15), 0, 5, kit.out(kit.random(36)), 4, 12),
    (k, kit) => k.copyRows(3, 5, kit.random(36), 4, 12, kit.out(15), 0, 5),
    (k, kit) => k.copyRows(1, 6, kit.random(24), 12, 6, kit.out(6), 0, 6),
    (k, kit) => k.copyRows(1, 6, kit.random(6), 0, 6, kit.out(kit.random(24)), 18, 6),
    (k, kit) => k.copyRows(2, 3, kit.random(13), 1, 4, kit.out(kit.random(17)), 6, 5),
  ],
  eltwiseSum: [1, 2, 4].map(n => (k, kit) => {
    const xs = Array.from({ length: n }, () => kit.random(N))
    k.eltwiseSum(N, xs, [0.5, -1, 2, 0.25].slice(0, n), kit.out(N))
  }),
  eltwiseProduct: [2, 3].map(
    n => (k, kit) =>
      k.eltwiseProduct(
        N,
        Array.from({ length: n }, () => kit.random(N)),
        kit.out(N),
      ),
  ),
  eltwiseMax: [2, 3].map(n => (k, kit) => {
    const xs = Array.from({ length: n }, () => kit.integers(N, 4))
    k.eltwiseMax(N, xs, kit.out(N), kit.out(N))
  }),
  eltwiseMaxGradient: [(k, kit) => k.eltwiseMaxGradient(N, 1, kit.integers(N, 3), kit.random(N), kit.out(N))],
  eltwiseProductGradient: [0, 2].map(i => (k, kit) => {
    const xs = [kit.random(N), kit.random(N), kit.random(N)]
    k.eltwiseProductGradient(N, i, xs, kit.random(N), kit.out(N))
  }),
  softmax: [
    (k, kit) => k.softmax(3, 11, 5, kit.random(165), kit.out(165)),
    (k, kit) => k.softmax(1, 3, 1, kit.values(500, -500, 499), kit.out(3)),
  ],
  softmaxGradient: [(k, kit) => k.softmaxGradient(3, 11, 5, kit.random(165), kit.random(165), kit.out(165))],
  softmaxLoss: losses.map(
    s => (k, kit) =>
      k.softmaxLoss(
        s,
        kit.positive(s.outer * s.classes * s.inner),
        kit.integers(s.outer * s.inner, s.classes),
        kit.out(1),
      ),
  ),
  softmaxLossGradient: losses.map(s => (k, kit) => {
    const n = s.outer * s.classes * s.inner
    k.softmaxLossGradient(s, kit.positive(n), kit.integers(s.outer * s.inner, s.classes), kit.values(1.5), kit.out(n))
  }),
  euclideanLoss: [(k, kit) => k.euclideanLoss(N, 3, kit.random(N), kit.random(N), kit.out(N), kit.out(1))],
  euclideanLossGradient: [(k, kit) => k.euclideanLossGradient(N, -0.25, kit.random(N), kit.values(2), kit.out(N))],
  accuracy: [
    { outer: 9, classes: 6, inner: 1, topK: 1, ignoreLabel: undefined },
    { outer: 3, classes: 5, inner: 7, topK: 2, ignoreLabel: 3 },
  ].flatMap(s => [
    (k: Kernels, kit: Kit) =>
      k.accuracy(
        s,
        kit.random(s.outer * s.classes * s.inner),
        kit.integers(s.outer * s.inner, s.classes),
        kit.out(1),
        kit.out(s.classes),
      ),
    (k: Kernels, kit: Kit) =>
      k.accuracy(
        s,
        kit.integers(s.outer * s.classes * s.inner, 3),
        kit.integers(s.outer * s.inner, s.classes),
        kit.out(1),
        null,
      ),
  ]),
  sumOfSquares: [3, 157, 5001].map(n => (k, kit) => k.sumOfSquares(n, kit.random(n), kit.out(kit.random(3)), 1)),
  sgdUpdate: rules.map(
    rule => (k, kit) =>
      k.sgdUpdate(N, rule, 0.9, kit.out(kit.random(N)), kit.out(kit.random(N)), kit.out(kit.random(N))),
  ),
  nesterovUpdate: rules.map(
    rule => (k, kit) =>
      k.nesterovUpdate(N, rule, 0.9, kit.out(kit.random(N)), kit.out(kit.random(N)), kit.out(kit.random(N))),
  ),
  adagradUpdate: rules.map(
    rule => (k, kit) =>
      k.adagradUpdate(N, rule, 1e-4, kit.out(kit.random(N)), kit.out(kit.random(N)), kit.out(kit.positive(N))),
  ),
  rmspropUpdate: rules.map(
    rule => (k, kit) =>
      k.rmspropUpdate(N, rule, 0.98, 1e-4, kit.out(kit.random(N)), kit.out(kit.random(N)), kit.out(kit.positive(N))),
  ),
  adadeltaUpdate: rules.map(
    rule => (k, kit) =>
      k.adadeltaUpdate(
        N,
        rule,
        0.95,
        1e-4,
        kit.out(kit.random(N)),
        kit.out(kit.random(N)),
        kit.out(kit.positive(N)),
        kit.out(kit.positive(N)),
      ),
  ),
  adamUpdate: rules.map(
    rule => (k, kit) =>
      k.adamUpdate(
        ...([N, rule, 0.9, 0.999, 1e-6, 0.3] as const),
        ...([
          kit.out(kit.random(N)),
          kit.out(kit.random(N)),
          kit.out(kit.random(N)),
          kit.out(kit.positive(N)),
        ] as const),
      ),
  ),
  absolute: [(k, kit) => k.absolute(N, kit.random(N), kit.out(N))],
  absoluteGradient: [(k, kit) => k.absoluteGradient(3, kit.values(-2, 0, 3), kit.random(3), kit.out(3))],
  bnll: [
    (k, kit) => k.bnll(N, kit.random(N), kit.out(N)),
    (k, kit) => k.bnll(4, kit.values(-12, 12, 90, -90), kit.out(4)),
  ],
  bnllGradient: [(k, kit) => k.bnllGradient(N, kit.random(N), kit.random(N), kit.out(N))],
  clip: [(k, kit) => k.clip(N, -0.3, 0.6, kit.random(N), kit.out(N))],
  clipGradient: [(k, kit) => k.clipGradient(N, -0.3, 0.6, kit.random(N), kit.random(N), kit.out(N))],
  elu: [
    (k, kit) => k.elu(N, 0.7, kit.random(N), kit.out(N)),
    (k, kit) => k.elu(3, 1, kit.values(-1e-5, -80, 80), kit.out(3)),
  ],
  eluGradient: [(k, kit) => k.eluGradient(N, 0.7, kit.random(N), kit.random(N), kit.out(N))],
  exponential: [(k, kit) => k.exponential(N, 1.5, 0.5, kit.random(N), kit.out(N))],
  exponentialGradient: [(k, kit) => k.exponentialGradient(N, 1.5, 0.5, kit.random(N), kit.random(N), kit.out(N))],
  logarithm: [(k, kit) => k.logarithm(N, 1.5, 0.5, 2, kit.positive(N), kit.out(N))],
  logarithmGradient: [(k, kit) => k.logarithmGradient(N, 1.5, 0.5, 2, kit.positive(N), kit.random(N), kit.out(N))],
  power: [0, 1, 2, 3, 4, -1, 0.37].map(
    e => (k, kit) => k.power(N, e, 0.9, 1.1, Number.isInteger(e) ? kit.random(N) : kit.positive(N), kit.out(N)),
  ),
  powerGradient: [0, 1, 2, 3, 4, -1, 0.37].map(
    e => (k, kit) =>
      k.powerGradient(N, e, 0.9, 1.1, Number.isInteger(e) ? kit.random(N) : kit.positive(N), kit.random(N), kit.out(N)),
  ),
  swish: [(k, kit) => k.swish(N, 1.5, kit.random(N), kit.out(N))],
  swishGradient: [(k, kit) => k.swishGradient(N, 1.5, kit.random(N), kit.random(N), kit.out(N))],
  threshold: [(k, kit) => k.threshold(N, 0.2, kit.random(N), kit.out(N))],
  prelu: [(k, kit) => k.prelu(3, 5, 7, kit.random(105), kit.random(5), kit.out(105))],
  preluGradient: [(k, kit) => k.preluGradient(3, 5, 7, kit.random(105), kit.random(5), kit.random(105), kit.out(105))],
  preluSlopeGradient: [
    (k, kit) => k.preluSlopeGradient(3, 5, 7, kit.random(105), kit.random(105), kit.out(kit.random(5))),
  ],
  scaleChannels: [
    (k, kit) => k.scaleChannels(3, 5, 7, kit.random(105), kit.random(5), kit.random(5), kit.out(105)),
    (k, kit) => k.scaleChannels(3, 35, 1, kit.random(105), kit.random(35), null, kit.out(105)),
  ],
  scaleGradient: [(k, kit) => k.scaleGradient(3, 5, 7, kit.random(105), kit.random(105), kit.out(kit.random(5)))],
  lrnAcross: lrns.map(
    s => (k, kit) => k.lrnAcross(s, kit.random(lrnSize(s)), kit.out(lrnSize(s)), kit.out(lrnSize(s))),
  ),
  lrnAcrossGradient: lrns.map(s => (k, kit) => {
    const n = lrnSize(s)
    k.lrnAcrossGradient(s, kit.random(n), kit.positive(n), kit.random(n), kit.out(n), kit.out(n))
  }),
  lrnWithin: lrns.map(
    s => (k, kit) => k.lrnWithin(s, kit.random(lrnSize(s)), kit.out(lrnSize(s)), kit.out(lrnSize(s))),
  ),
  lrnWithinGradient: lrns.map(s => (k, kit) => {
    const n = lrnSize(s)
    k.lrnWithinGradient(s, kit.random(n), kit.positive(n), kit.random(n), kit.out(n), kit.out(n))
  }),
  channelStatistics: [(k, kit) => k.channelStatistics(3, 5, 7, kit.random(105), kit.out(5), kit.out(5))],
  movingStatistics: [
    (k, kit) => k.movingStatistics(5, kit.random(5), kit.positive(5), kit.values(2.5), kit.out(5), kit.out(5)),
    (k, kit) => k.movingStatistics(5, kit.random(5), kit.positive(5), kit.values(0), kit.out(5), kit.out(5)),
  ],
  deviations: [(k, kit) => k.deviations(5, 1e-5, 0.1, kit.positive(5), kit.out(5))],
  normalizeChannels: [
    (k, kit) => k.normalizeChannels(3, 5, 7, kit.random(105), kit.random(5), kit.positive(5), kit.out(105)),
  ],
  normalizeChannelsGradient: [
    (k, kit) =>
      k.normalizeChannelsGradient(
        3,
        5,
        7,
        kit.random(105),
        kit.random(5),
        kit.positive(5),
        kit.random(105),
        kit.out(105),
      ),
  ],
  scatterRows: [(k, kit) => k.scatterRows(9, 5, 4, kit.integers(9, 5), kit.random(45), kit.out(kit.random(20)))],
  argMax: (['index', 'value', 'both'] as const).flatMap(output =>
    [1, 3].map(topK => (k: Kernels, kit: Kit) => {
      const s = { outer: 2, size: 7, inner: 3, topK, output }
      k.argMax(s, kit.integers(42, 5), kit.out(2 * 3 * topK * (output === 'both' ? 2 : 1)))
    }),
  ),
  reduce: (['SUM', 'ASUM', 'SUMSQ'] as const).map(
    op => (k, kit) => k.reduce(op, 5, 7, 0.5, kit.random(35), kit.out(5)),
  ),
  reduceGradient: (['SUM', 'ASUM', 'SUMSQ'] as const).map(
    op => (k, kit) => k.reduceGradient(op, 5, 7, 0.5, kit.random(35), kit.random(5), kit.out(35)),
  ),
  sumMiddle: [(k, kit) => k.sumMiddle(3, 5, 7, kit.random(105), kit.out(21))],
  crop: [
    (k, kit) => k.crop({ input: [3, 5, 7], output: [2, 3, 4], offset: [1, 2, 1] }, kit.random(105), kit.out(24)),
    (k, kit) => k.crop({ input: [9], output: [4], offset: [3] }, kit.random(9), kit.out(4)),
  ],
  cropGradient: [
    (k, kit) =>
      k.cropGradient({ input: [3, 5, 7], output: [2, 3, 4], offset: [1, 2, 1] }, kit.random(24), kit.out(105)),
    (k, kit) => k.cropGradient({ input: [9], output: [4], offset: [3] }, kit.random(4), kit.out(9)),
  ],
  lstm: [1, 2, 5].map(steps => (k, kit) => {
    const [cont, wh, h0] = [kit.integers(steps * 3, 2), kit.random(100), kit.random(15)]
    const [gates, c] = [kit.out(kit.random(steps * 60)), kit.out(kit.random((steps + 1) * 15))]
    k.lstm(steps, 3, 5, cont, wh, h0, gates, kit.out(steps * 15), c, kit.out(steps * 15))
  }),
  lstmGradient: [1, 2, 5].map(steps => (k, kit) => {
    const [cont, wh, gates, c] = [
      kit.integers(steps * 3, 2),
      kit.random(100),
      kit.random(steps * 60),
      kit.random((steps + 1) * 15),
    ]
    k.lstmGradient(
      steps,
      3,
      5,
      cont,
      wh,
      gates,
      c,
      kit.random(steps * 15),
      kit.out(kit.random(15)),
      kit.out(steps * 60),
    )
  }),
  rnn: [1, 2, 5].map(steps => (k, kit) => {
    const [cont, wh, h0, gates] = [
      kit.integers(steps * 3, 2),
      kit.random(25),
      kit.random(15),
      kit.out(kit.random(steps * 15)),
    ]
    k.rnn(steps, 3, 5, cont, wh, h0, gates, kit.out(steps * 15), kit.out(steps * 15))
  }),
  rnnGradient: [1, 2, 5].map(steps => (k, kit) => {
    const [cont, wh, h] = [kit.integers(steps * 3, 2), kit.random(25), kit.random(steps * 15)]
    k.rnnGradient(steps, 3, 5, cont, wh, h, kit.random(steps * 15), kit.out(steps * 15))
  }),
  lstmUnit: [
    (k, kit) => k.lstmUnit(3, 5, kit.random(15), kit.random(60), kit.integers(3, 2), kit.out(15), kit.out(15)),
  ],
  lstmUnitGradient: [
    (k, kit) => {
      const [c0, gates, cont] = [kit.random(15), kit.random(60), kit.integers(3, 2)]
      k.lstmUnitGradient(
        3,
        5,
        c0,
        gates,
        cont,
        kit.random(15),
        kit.random(15),
        kit.random(15),
        kit.out(15),
        kit.out(60),
      )
    },
  ],
  hingeLoss: [true, false].map(sq => (k, kit) => k.hingeLoss(5, 4, sq, kit.random(20), kit.integers(5, 4), kit.out(1))),
  hingeLossGradient: [true, false].map(
    sq => (k, kit) => k.hingeLossGradient(5, 4, sq, kit.random(20), kit.integers(5, 4), kit.values(0.5), kit.out(20)),
  ),
  multinomialLogisticLoss: [
    (k, kit) => k.multinomialLogisticLoss(5, 4, kit.positive(20), kit.integers(5, 4), kit.out(1)),
  ],
  multinomialLogisticLossGradient: [
    (k, kit) =>
      k.multinomialLogisticLossGradient(5, 4, kit.positive(20), kit.integers(5, 4), kit.values(0.5), kit.out(20)),
  ],
  infogainLoss: losses.map(s => (k, kit) => {
    const { outer, classes, inner } = s
    k.infogainLoss(
      s,
      kit.positive(outer * classes * inner),
      kit.integers(outer * inner, classes),
      kit.random(classes * classes),
      kit.out(1),
    )
  }),
  infogainLossGradient: losses.map(s => (k, kit) => {
    const { outer, classes, inner } = s
    const n = outer * classes * inner
    k.infogainLossGradient(
      s,
      kit.positive(n),
      kit.integers(outer * inner, classes),
      kit.random(classes * classes),
      kit.values(2),
      kit.out(n),
    )
  }),
  sigmoidCrossEntropyLoss: losses.map(
    s => (k, kit) =>
      k.sigmoidCrossEntropyLoss(s, kit.random(s.outer * s.inner), kit.integers(s.outer * s.inner, 3), kit.out(1)),
  ),
  sigmoidCrossEntropyLossGradient: losses.map(s => (k, kit) => {
    const n = s.outer * s.inner
    k.sigmoidCrossEntropyLossGradient(s, kit.random(n), kit.integers(n, 3), kit.values(2), kit.out(n))
  }),
  contrastiveLoss: [true, false].map(legacy => (k, kit) => {
    const s = { batch: 5, size: 3, margin: 1.5, legacy }
    k.contrastiveLoss(s, kit.random(15), kit.random(15), kit.integers(5, 2), kit.out(15), kit.out(5), kit.out(1))
  }),
  contrastiveLossGradient: [true, false].map(legacy => (k, kit) => {
    const s = { batch: 5, size: 3, margin: 1.5, legacy }
    k.contrastiveLossGradient(s, -1, kit.random(15), kit.positive(5), kit.integers(5, 2), kit.values(2), kit.out(15))
  }),
}

export interface KernelResult {
  readonly kernel: string
  /** Largest |got − expected| / (largest |expected| of that output + 10⁻³⁰), and where. */
  readonly worst: number
  readonly at: string
  readonly error?: string
}

/**
 * Runs every case of a kernel on a table and an engine and compares what they wrote, relative to the largest value of
 * each output.
 */
export async function compareKernel(name: keyof Kernels, reference: Kernels, engine: Engine): Promise<KernelResult> {
  let worst = 0
  let at = ''
  try {
    for (const [c, call] of (kernelCases[name] ?? []).entries()) {
      const [expected, got] = [record(`${name} ${c}`, plainHeap), record(`${name} ${c}`, engine.heap)]
      call(reference, expected.kit)
      call(kernelsOf(engine), got.kit)
      for (const [i, memory] of got.outputs.entries()) {
        await memory.pull()
        const wanted = expected.outputs[i].array
        const size = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-30)
        memory.array.forEach((value, j) => {
          const difference = Object.is(value, wanted[j]) ? 0 : Math.abs(value - wanted[j]) / size
          if (!(difference <= worst)) {
            worst = difference
            at = `case ${c}, output ${i}, value ${j}: ${value}, expected ${wanted[j]}`
          }
        })
      }
      for (const memory of got.made) memory.dispose()
    }
  } catch (error) {
    return { kernel: name, worst, at, error: (error as Error).message }
  }
  return { kernel: name, worst, at }
}

/** A kit with the same values whenever it has the same name. */
function record(name: string, heap: Heap): { kit: Kit; outputs: Memory[]; made: Memory[] } {
  const values = new RandomStream(7, name)
  const outputs: Memory[] = []
  const made: Memory[] = []
  const make = (n: number, value: () => number) => {
    const memory = new Memory(n, heap)
    const { array } = memory
    for (let i = 0; i < n; i++) array[i] = value()
    made.push(memory)
    return memory
  }
  const kit: Kit = {
    random: n => make(n, () => 2 * values.uniform() - 1),
    positive: n => make(n, () => values.uniform() + 0.1),
    integers: (n, below) => make(n, () => values.integer(below)),
    values: (...given) => {
      let i = 0
      return make(given.length, () => given[i++])
    },
    out(memory) {
      // what is not written shows: no kernel computes this
      const given = typeof memory === 'number' ? make(memory, () => 12345) : memory
      outputs.push(given)
      return given
    },
  }
  return { kit, outputs, made }
}

/** Losses of four items, one of whose labels is no class. */
export async function lossesOfNoClass(engine: Engine): Promise<Record<string, number>> {
  const result: Record<string, number> = {}
  const s: ClassLossShape = { outer: 4, classes: 3, inner: 1, ignoreLabel: undefined, normalization: 'VALID' }
  for (const wrong of [3, -1, 1000]) {
    const { kit, outputs, made } = record('no class', engine.heap)
    const label = () => kit.values(0, wrong, 2, 1)
    const k = kernelsOf(engine)
    k.softmaxLoss(s, kit.positive(12), label(), kit.out(1))
    k.infogainLoss(s, kit.positive(12), label(), kit.random(9), kit.out(1))
    k.multinomialLogisticLoss(4, 3, kit.positive(12), label(), kit.out(1))
    k.hingeLoss(4, 3, false, kit.random(12), label(), kit.out(1))
    for (const [i, memory] of outputs.entries()) {
      await memory.pull()
      result[`${['softmaxLoss', 'infogainLoss', 'multinomialLogisticLoss', 'hingeLoss'][i]}, label ${wrong}`] =
        memory.array[0]
    }
    for (const memory of made) memory.dispose()
  }
  return result
}
