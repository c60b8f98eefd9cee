import type { ConvolutionShape, Kernels, LRNShape, PoolingShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

/** One kernel call to time. */
export interface BenchCase {
  name: string
  /** Floating-point operations of a call, or bytes it must read and write. */
  amount: number
  unit: 'GFLOP/s' | 'GB/s'
  /** Makes the memories and returns the call. */
  build(memory: (length: number) => Memory): (kernels: Kernels) => void
  /** A plain product of square matrices, which the peers can do as well. */
  square?: number
}

function gemm(M: number, N: number, K: number, trans: 'NN' | 'NT' | 'TN' = 'NN'): BenchCase {
  return {
    name: `gemm ${M}×${N}×${K} ${trans}`,
    amount: 2 * M * N * K,
    unit: 'GFLOP/s',
    square: M === N && N === K && trans === 'NN' ? M : undefined,
    build(memory) {
      const [A, B, C] = [memory(M * K), memory(K * N), memory(M * N)]
      return kernels => kernels.gemm(trans[0] === 'T', trans[1] === 'T', M, N, K, 1, A, B, 0, C)
    },
  }
}

/** The three passes of a convolution of square images, or of cubes. */
function convolution(
  name: string,
  batch: number,
  channels: number,
  outputs: number,
  size: number,
  k: number,
  step = 1,
  pad = 0,
  group = 1,
  axes = 2,
): BenchCase[] {
  const out = Math.floor((size + 2 * pad - k) / step) + 1
  const each = (n: number) => new Array<number>(axes).fill(n)
  const s: ConvolutionShape = {
    batch,
    channels,
    outputs,
    group,
    input: each(size),
    output: each(out),
    kernel: each(k),
    stride: each(step),
    pad: each(pad),
    dilation: each(1),
  }
  const amount = (2 * batch * outputs * channels * (out * k) ** axes) / group
  const memories = (memory: (length: number) => Memory) =>
    [
      memory(batch * channels * size ** axes),
      memory((outputs * channels * k ** axes) / group),
      memory(outputs),
      memory(batch * outputs * out ** axes),
    ] as const
  return [
    {
      name: `${name} forward`,
      amount,
      unit: 'GFLOP/s',
      build(memory) {
        const [x, w, bias, y] = memories(memory)
        return kernels => kernels.convolution(s, x, w, bias, y)
      },
    },
    {
      name: `${name} weight gradient`,
      amount,
      unit: 'GFLOP/s',
      build(memory) {
        const [x, w, , y] = memories(memory)
        return kernels => kernels.convolutionWeightGradient(s, x, y, w)
      },
    },
    {
      name: `${name} input gradient`,
      amount,
      unit: 'GFLOP/s',
      build(memory) {
        const [x, w, , y] = memories(memory)
        return kernels => kernels.convolutionInputGradient(s, y, w, x)
      },
    },
  ]
}

/** Both poolings and their gradients; y, and the mask of the maximum, count as traffic too. */
function pooling(planes: number, size: number, k: number, step: number, pad = 0): BenchCase[] {
  const out = Math.ceil((size + 2 * pad - k) / step) + 1
  const s: PoolingShape = {
    planes,
    input: [size, size],
    output: [out, out],
    kernel: [k, k],
    stride: [step, step],
    pad: [pad, pad],
  }
  const [xs, ys] = [planes * size * size, planes * out * out]
  const name = `${planes}×${size}×${size}, ${k}×${k} stride ${step}${pad ? ` pad ${pad}` : ''}`
  return [
    {
      name: `maxPool ${name}`,
      amount: 4 * (xs + 2 * ys),
      unit: 'GB/s',
      build(memory) {
        const [x, y, mask] = [memory(xs), memory(ys), memory(ys)]
        return kernels => kernels.maxPool(s, x, y, mask)
      },
    },
    {
      name: `maxPool without a mask ${name}`,
      amount: 4 * (xs + ys),
      unit: 'GB/s',
      build(memory) {
        const [x, y] = [memory(xs), memory(ys)]
        return kernels => kernels.maxPool(s, x, y, null)
      },
    },
    {
      name: `maxPoolGradient ${name}`,
      amount: 4 * (xs + 2 * ys),
      unit: 'GB/s',
      build(memory) {
        const [x, dy, mask] = [memory(xs), memory(ys), memory(ys)]
        let ready = false
        return kernels => {
          if (!ready) kernels.maxPool(s, x, dy, mask)
          ready = true
          kernels.maxPoolGradient(s, dy, mask, x)
        }
      },
    },
    {
      name: `averagePool ${name}`,
      amount: 4 * (xs + ys),
      unit: 'GB/s',
      build(memory) {
        const [x, y] = [memory(xs), memory(ys)]
        return kernels => kernels.averagePool(s, x, y)
      },
    },
    {
      name: `averagePoolGradient ${name}`,
      amount: 4 * (xs + ys),
      unit: 'GB/s',
      build(memory) {
        const [dx, dy] = [memory(xs), memory(ys)]
        return kernels => kernels.averagePoolGradient(s, dy, dx)
      },
    },
  ]
}

/** A call on arrays of n values that touches `arrays` of them. */
function streaming(
  name: string,
  n: number,
  arrays: number,
  call: (k: Kernels, a: Memory, b: Memory, c: Memory) => void,
): BenchCase {
  return {
    name: `${name} ${n}`,
    amount: 4 * n * arrays,
    unit: 'GB/s',
    build(memory) {
      const [a, b, c] = [memory(n), memory(n), memory(n)]
      return kernels => call(kernels, a, b, c)
    },
  }
}

/** Slopes, factors, shifts and statistics per channel: the passes of PReLU, Scale, Bias and BatchNorm. */
function perChannel(outer: number, channels: number, inner: number): BenchCase[] {
  const n = outer * channels * inner
  const name = `${outer}×${channels}×${inner}:`
  return [
    streaming(`prelu ${name}`, n, 2, (k, a, b, c) => k.prelu(outer, channels, inner, a, b, c)),
    streaming(`preluGradient ${name}`, n, 3, (k, a, b, c) => k.preluGradient(outer, channels, inner, a, b, c, c)),
    streaming(`preluSlopeGradient ${name}`, n, 2, (k, a, b, c) =>
      k.preluSlopeGradient(outer, channels, inner, a, b, c),
    ),
    streaming(`scaleGradient ${name}`, n, 2, (k, a, b, c) => k.scaleGradient(outer, channels, inner, a, b, c)),
    streaming(`scaleChannels ${name}`, n, 2, (k, a, b, c) => k.scaleChannels(outer, channels, inner, a, c, c, b)),
    streaming(`biasGradient ${name}`, n, 1, (k, a, b) => k.biasGradient(outer, channels, inner, a, b)),
    streaming(`channelStatistics ${name}`, n, 1, (k, a, b, c) => k.channelStatistics(outer, channels, inner, a, b, c)),
    streaming(`normalizeChannels ${name}`, n, 2, (k, a, b, c) =>
      k.normalizeChannels(outer, channels, inner, a, c, c, b),
    ),
    streaming(`normalizeChannelsGradient ${name}`, n, 3, (k, a, b, c) =>
      k.normalizeChannelsGradient(outer, channels, inner, a, c, c, b, b),
    ),
  ]
}

/** AlexNet's first normalization at batch 4, with its own or another exponent, across and within channels. */
function lrn(beta: number): BenchCase[] {
  const s: LRNShape = { batch: 4, channels: 96, height: 55, width: 55, size: 5, alpha: 1e-4, beta, k: 1 }
  const n = 4 * 96 * 55 * 55
  const build = (
    call: (k: Kernels, x: Memory, scale: Memory, y: Memory, ratio: Memory) => void,
  ): BenchCase['build'] => {
    return memory => {
      const [x, scale, y, ratio] = [memory(n), memory(n), memory(n), memory(n)]
      scale.array.fill(1.5)
      return kernels => call(kernels, x, scale, y, ratio)
    }
  }
  const at = `β = ${beta} 4×96×55×55, size 5`
  return [
    {
      name: `lrnAcross ${at}`,
      amount: 12 * n,
      unit: 'GB/s',
      build: build((k, x, scale, y) => k.lrnAcross(s, x, scale, y)),
    },
    {
      name: `lrnAcrossGradient ${at}`,
      amount: 20 * n,
      unit: 'GB/s',
      build: build((k, x, c, y, r) => k.lrnAcrossGradient(s, x, c, y, r, y)),
    },
    {
      name: `lrnWithin ${at}`,
      amount: 12 * n,
      unit: 'GB/s',
      build: build((k, x, scale, y) => k.lrnWithin(s, x, scale, y)),
    },
    {
      name: `lrnWithinGradient ${at}`,
      amount: 20 * n,
      unit: 'GB/s',
      build: build((k, x, c, y, r) => k.lrnWithinGradient(s, x, c, y, r, y)),
    },
  ]
}

/** Rows of 512 values of a vocabulary of 8,801 (the captioning example's), 20 steps of 50 streams. */
function embed(name: 'gatherRows' | 'scatterRows'): BenchCase {
  const [rows, width, count] = [1000, 512, 8801]
  return {
    name: `${name} 1000×512 of 8801`,
    amount: 4 * rows * width * (name === 'gatherRows' ? 2 : 3),
    unit: 'GB/s',
    build(memory) {
      const [index, table, y] = [memory(rows), memory(count * width), memory(rows * width)]
      const choice = new RandomStream(3, 'words')
      for (let i = 0; i < rows; i++) index.array[i] = choice.integer(count)
      return name === 'gatherRows'
        ? kernels => kernels.gatherRows(rows, width, count, index, table, y)
        : kernels => kernels.scatterRows(rows, width, count, index, y, table)
    },
  }
}

const stream = new RandomStream(1, 'bench')
const rule = { rate: 0.01, scale: 1, decay: 0.0005, regularization: 'L2' } as const

export const benchCases: readonly BenchCase[] = [
  gemm(512, 512, 512),
  gemm(1024, 1024, 1024),
  gemm(50, 64, 500),
  gemm(384, 169, 2304),
  gemm(64, 500, 800, 'NT'),
  gemm(500, 800, 64, 'TN'),
  gemm(64, 800, 500),
  gemm(1, 4096, 4096, 'NT'),
  gemm(1, 4096, 4096),
  ...convolution('LeNet conv1 ×64', 64, 1, 20, 28, 5),
  ...convolution('LeNet conv2 ×64', 64, 20, 50, 12, 5),
  ...convolution('AlexNet conv1 ×4', 4, 3, 96, 227, 11, 4),
  ...convolution('AlexNet conv2 ×4, one group', 4, 48, 128, 27, 5, 1, 2),
  ...convolution('AlexNet conv3 ×4', 4, 256, 384, 13, 3, 1, 1),
  ...convolution('SqueezeNet 1×1 ×4', 4, 128, 32, 55, 1),
  // a Deconvolution runs the convolution whose weights it has backward: its forward pass is the input gradient
  ...convolution('FCN upscore 64×64 stride 32', 1, 21, 21, 544, 64, 32),
  ...convolution('FCN upscore2 4×4 stride 2', 1, 21, 21, 34, 4, 2),
  ...convolution('bilinear ×2 of 21 channels', 1, 21, 21, 70, 4, 2, 1, 21),
  ...convolution('DCGAN 512 to 256, 8² to 16² ×16', 16, 256, 512, 16, 4, 2, 1),
  ...convolution('DCGAN 128 to 3, 32² to 64² ×16', 16, 3, 128, 64, 4, 2, 1),
  ...convolution('C3D 32 to 64, 14³', 1, 32, 64, 14, 3, 1, 1, 1, 3),
  ...convolution('C3D 3 to 32, 28³, stride 2', 1, 3, 32, 28, 3, 2, 1, 1, 3),
  ...pooling(1280, 24, 2, 2),
  ...pooling(3200, 8, 2, 2),
  ...pooling(960, 55, 3, 2),
  ...pooling(64, 112, 3, 2),
  ...pooling(512, 14, 3, 1, 1),
  ...pooling(6400, 8, 3, 2),
  ...pooling(1000, 13, 13, 1),
  ...[32_000, 1 << 20].flatMap(n => [
    streaming('relu', n, 2, (k, a, b) => k.relu(n, 0, a, b)),
    streaming('reluGradient', n, 3, (k, a, b, c) => k.reluGradient(n, 0, a, b, c)),
    streaming('sigmoid', n, 2, (k, a, b) => k.sigmoid(n, a, b)),
    streaming('tanh', n, 2, (k, a, b) => k.tanh(n, a, b)),
    streaming('axpby', n, 3, (k, a, b) => k.axpby(n, 0.5, a, 0.5, b)),
    streaming('copy', n, 2, (k, a, b) => k.copy(n, a, b)),
    streaming('sumOfSquares', n, 1, (k, a, b) => k.sumOfSquares(n, a, b, 0)),
    streaming('dropoutMask', n, 1, (k, a) => k.dropoutMask(n, 0.5, stream, a)),
    streaming('sgdUpdate', n, 6, (k, a, b, c) => k.sgdUpdate(n, rule, 0.9, a, b, c)),
    streaming('adamUpdate', n, 8, (k, a, b, c) => k.adamUpdate(n, rule, 0.9, 0.999, 1e-8, 1, a, b, c, c)),
    streaming('nesterovUpdate', n, 6, (k, a, b, c) => k.nesterovUpdate(n, rule, 0.9, a, b, c)),
    streaming('adagradUpdate', n, 6, (k, a, b, c) => k.adagradUpdate(n, rule, 1e-8, a, b, c)),
    streaming('rmspropUpdate', n, 6, (k, a, b, c) => k.rmspropUpdate(n, rule, 0.98, 1e-8, a, b, c)),
    streaming('adadeltaUpdate', n, 8, (k, a, b, c) => k.adadeltaUpdate(n, rule, 0.95, 1e-6, a, b, c, c)),
    streaming('absolute', n, 2, (k, a, b) => k.absolute(n, a, b)),
    streaming('absoluteGradient', n, 3, (k, a, b, c) => k.absoluteGradient(n, a, b, c)),
    streaming('bnll', n, 2, (k, a, b) => k.bnll(n, a, b)),
    streaming('clip', n, 2, (k, a, b) => k.clip(n, -0.2, 0.3, a, b)),
    streaming('elu', n, 2, (k, a, b) => k.elu(n, 1, a, b)),
    streaming('eluGradient', n, 3, (k, a, b, c) => k.eluGradient(n, 1, a, b, c)),
    streaming('exponential', n, 2, (k, a, b) => k.exponential(n, 1, 1, a, b)),
    streaming('logarithm', n, 2, (k, a, b) => k.logarithm(n, 1, 1, 1, a, b)),
    streaming('power 2', n, 2, (k, a, b) => k.power(n, 2, 1, 1, a, b)),
    streaming('power 0.3', n, 2, (k, a, b) => k.power(n, 0.3, 1, 1, a, b)),
    streaming('swish', n, 2, (k, a, b) => k.swish(n, 1, a, b)),
    streaming('swishGradient', n, 3, (k, a, b, c) => k.swishGradient(n, 1, a, b, c)),
    streaming('threshold', n, 2, (k, a, b) => k.threshold(n, 0, a, b)),
  ]),
  ...perChannel(64, 96, 784),
  ...perChannel(4, 64, 3136),
  ...perChannel(4, 512, 49),
  ...perChannel(128, 4096, 1),
  ...perChannel(1, 1, 1 << 20),
  ...lrn(0.75),
  ...lrn(0.6),
  ...(['SUM', 'SUMSQ'] as const).flatMap(operation => [
    streaming(`reduce ${operation}`, 1 << 20, 1, (k, a, b) => k.reduce(operation, 1, 1 << 20, 1, a, b)),
    streaming(`reduceGradient ${operation}`, 1 << 20, operation === 'SUM' ? 1 : 2, (k, a, b, c) =>
      k.reduceGradient(operation, 1, 1 << 20, 1, a, b, c),
    ),
  ]),
  streaming('sumMiddle 64×16×1024:', 1 << 20, 1, (k, a, b) => k.sumMiddle(64, 16, 1024, a, b)),
  ...[64, 4096].flatMap(outer => {
    const s = { outer, classes: 1, inner: 784, ignoreLabel: undefined, normalization: 'BATCH_SIZE' } as const
    return [
      streaming(`sigmoidCrossEntropyLoss ${outer}×784:`, outer * 784, 2, (k, a, b, c) =>
        k.sigmoidCrossEntropyLoss(s, a, b, c),
      ),
      streaming(`sigmoidCrossEntropyLossGradient ${outer}×784:`, outer * 784, 3, (k, a, b, c) =>
        k.sigmoidCrossEntropyLossGradient(s, a, b, b, c),
      ),
    ]
  }),
  streaming('crop 21×500×500 to 480×480 of', 21 * 500 * 500, 2, (k, a, b) =>
    k.crop({ input: [21, 500, 500], output: [21, 480, 480], offset: [0, 12, 12] }, a, b),
  ),
  embed('gatherRows'),
  embed('scatterRows'),
  streaming('softmax 64 rows of 10:', 640, 2, (k, a, b) => k.softmax(64, 10, 1, a, b)),
  streaming('softmax 128 rows of 1000:', 128_000, 2, (k, a, b) => k.softmax(128, 1000, 1, a, b)),
]
