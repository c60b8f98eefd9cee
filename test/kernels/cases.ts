import type { After, ClassLossShape, ConvolutionShape, Kernels, LRNShape, PoolingShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'

/** What a case makes its memories from, so that every engine gets the same ones on its own heap. */
export interface Kit {
  /** n values, uniform in ±scale. */
  random(n: number, scale?: number): Memory
  /** n whole numbers from 0 to below − 1. */
  integers(n: number, below: number): Memory
  values(values: ArrayLike<number>): Memory
  /** n values to be written, or a memory that is also written: what is compared afterwards. */
  output(memory: number | Memory): Memory
}

/** Builds the memories of one call and returns the call. */
export type Case = (kit: Kit) => (kernels: Kernels) => void

export const cases: Record<string, Case> = {}

/** What may follow in the same kernel; a clip leaves one end open, so that the largest value stays what errors are measured by. */
const afters: readonly (readonly [string, After])[] = [
  ['relu', { relu: 0.1 }],
  ['clip from below', { clip: [-0.2, 1e6] }],
  ['clip from above', { clip: [-1e6, 0.3] }],
]

// ---- matrices: odd sizes, all transposes, in pieces along every axis
// -----------------------------------------------------------
for (const [M, N, K] of [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [13, 17, 33],
  [2, 100, 9],
  [64, 100, 401],
  [129, 70, 900],
  [7, 1100, 20],
  [50, 64, 500],
  [300, 30, 50],
  [200, 600, 64],
  [7, 602, 1301],
  [3, 67, 2050],
  [130, 1101, 10],
  [256, 41, 39],
  [11, 70, 1030],
]) {
  for (const transA of [false, true]) {
    for (const transB of [false, true]) {
      for (const beta of [0, 1, 0.5]) {
        cases[`gemm ${transA ? 'T' : 'N'}${transB ? 'T' : 'N'} ${M}×${N}×${K}, β = ${beta}`] = kit => {
          const A = kit.random(M * K)
          const B = kit.random(K * N)
          const C = kit.output(beta === 0 ? M * N : kit.random(M * N))
          return kernels => kernels.gemm(transA, transB, M, N, K, 0.7, A, B, beta, C)
        }
      }
    }
  }
}
for (const [M, N, K] of [
  [1, 1000, 333],
  [1, 5, 40000],
  [1000, 1, 333],
  [3, 1, 70001],
  [1, 37, 2],
]) {
  for (const trans of [false, true]) {
    for (const beta of [0, 2]) {
      cases[`gemm as matrix times vector, ${trans ? 'T' : 'N'} ${M}×${N}×${K}, β = ${beta}`] = kit => {
        const A = kit.random(M * K)
        const B = kit.random(K * N)
        const C = kit.output(beta === 0 ? M * N : kit.random(M * N))
        return kernels => kernels.gemm(N === 1 && trans, M === 1 && trans, M, N, K, -1.5, A, B, beta, C)
      }
    }
  }
}
cases['gemm with K = 0 scales C'] = kit => {
  const [A, B, C] = [kit.random(1), kit.random(1), kit.output(kit.random(15))]
  return kernels => kernels.gemm(false, false, 3, 5, 0, 1, A, B, 0.5, C)
}
for (const [batch, channels, inner] of [
  [1, 1, 1],
  [3, 5, 7],
  [64, 20, 576],
  [5, 37, 1],
  [200, 501, 1],
  [2, 3, 20001],
]) {
  cases[`addBias ${batch}×${channels}×${inner}`] = kit => {
    const bias = kit.random(channels)
    const y = kit.output(kit.random(batch * channels * inner))
    return kernels => kernels.addBias(batch, channels, inner, bias, y)
  }
  for (const [what, after] of afters)
    cases[`addBias and ${what} ${batch}×${channels}×${inner}`] = kit => {
      const bias = kit.random(channels)
      const y = kit.output(kit.random(batch * channels * inner))
      return kernels => kernels.addBias(batch, channels, inner, bias, y, after)
    }
  cases[`biasGradient ${batch}×${channels}×${inner}`] = kit => {
    const dy = kit.random(batch * channels * inner)
    const db = kit.output(kit.random(channels))
    return kernels => kernels.biasGradient(batch, channels, inner, dy, db)
  }
}

// ---- convolution: kernels, strides, pads, dilations and groups that meet every path
// -----------------------------------------------
/** [N, C, M, group], [H, W], kernel, stride, pad, dilation */
type Sizes = [number[], number[], number[], number[], number[], number[]]
const convolutions: Sizes[] = [
  [
    [1, 1, 1, 1],
    [1, 1],
    [1, 1],
    [1, 1],
    [0, 0],
    [1, 1],
  ],
  [
    [3, 1, 20, 1],
    [28, 28],
    [5, 5],
    [1, 1],
    [0, 0],
    [1, 1],
  ],
  [
    [9, 20, 50, 1],
    [12, 12],
    [5, 5],
    [1, 1],
    [0, 0],
    [1, 1],
  ],
  [
    [2, 3, 7, 1],
    [15, 13],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 5, 9, 1],
    [23, 21],
    [5, 3],
    [2, 2],
    [2, 1],
    [1, 1],
  ],
  [
    [1, 3, 11, 1],
    [35, 36],
    [11, 11],
    [4, 4],
    [0, 0],
    [1, 1],
  ],
  [
    [2, 8, 12, 4],
    [9, 11],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [3, 6, 6, 6],
    [17, 9],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 6, 12, 6],
    [9, 10],
    [3, 3],
    [2, 2],
    [1, 1],
    [1, 1],
  ],
  [
    [1, 4, 12, 4],
    [13, 9],
    [5, 3],
    [3, 3],
    [2, 1],
    [1, 1],
  ],
  [
    [2, 3, 3, 3],
    [21, 18],
    [4, 4],
    [1, 1],
    [0, 0],
    [2, 2],
  ],
  [
    [2, 33, 17, 1],
    [7, 9],
    [1, 1],
    [1, 1],
    [0, 0],
    [1, 1],
  ],
  [
    [1, 9, 30, 3],
    [7, 9],
    [1, 1],
    [2, 2],
    [0, 0],
    [1, 1],
  ],
  [
    [2, 4, 6, 1],
    [19, 23],
    [3, 3],
    [1, 1],
    [2, 2],
    [2, 2],
  ],
  [
    [1, 2, 3, 1],
    [30, 40],
    [2, 7],
    [3, 1],
    [1, 4],
    [1, 2],
  ],
  [
    [1, 70, 130, 1],
    [13, 13],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [5, 3, 5, 1],
    [4, 4],
    [4, 4],
    [1, 1],
    [0, 0],
    [1, 1],
  ],
  [
    [1, 2, 4, 1],
    [90, 70],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [2, 600, 5, 1],
    [5, 4],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  [
    [1, 4, 530, 1],
    [6, 6],
    [3, 3],
    [1, 1],
    [1, 1],
    [1, 1],
  ],
  // large enough for tiles of 6 × 6: whole and cut tiles, several images in a block of tiles, groups, both kernels,
  // several rounds
  ...[
    [[2, 64, 64, 1], [30, 29], 3, 1],
    [[5, 37, 66, 1], [7, 7], 3, 1],
    [[3, 32, 24, 1], [17, 14], 3, 0],
    [[1, 128, 130, 1], [14, 13], 3, 2],
    [[9, 32, 33, 1], [16, 15], 5, 2],
    [[3, 64, 96, 2], [13, 12], 5, 2],
    [[4, 50, 20, 1], [8, 9], 5, 4],
    [[12, 96, 64, 1], [28, 28], 3, 1],
  ].map(
    ([channels, input, k, p]): Sizes => [
      channels as number[],
      input as number[],
      [k, k] as number[],
      [1, 1],
      [p, p] as number[],
      [1, 1],
    ],
  ),
  [[2, 3, 4, 1], [41], [5], [2], [2], [1]],
  [
    [2, 2, 3, 1],
    [4, 5, 6],
    [2, 3, 2],
    [1, 1, 2],
    [0, 1, 1],
    [1, 1, 1],
  ],
  // wide kernels in wide steps, whose input gradient has a pass of its own
  ...([
    [
      [2, 6, 10, 2],
      [36, 52],
      [12, 16],
      [3, 8],
      [0, 0],
      [1, 1],
    ],
    [
      [1, 3, 5, 1],
      [41, 60],
      [8, 16],
      [8, 9],
      [2, 3],
      [2, 1],
    ],
    [[1, 2, 2, 2], [130], [8], [9], [5], [1]],
  ] as Sizes[]),
  // depthwise with so many channels that the weight gradient is direct, too: one to three outputs a group, every way to
  // step
  ...([
    [
      [3, 18, 18, 18],
      [13, 37],
      [3, 3],
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    [
      [2, 17, 34, 17],
      [14, 45],
      [5, 3],
      [2, 2],
      [2, 1],
      [1, 1],
    ],
    [
      [2, 16, 48, 16],
      [17, 15],
      [3, 2],
      [1, 3],
      [0, 2],
      [2, 2],
    ],
    [[2, 20, 20, 20], [37], [4], [2], [1], [1]],
  ] as Sizes[]),
  // many small images by tiles, in blocks of two with sums of their own, the last block short; groups; odd planes
  ...([
    [
      [15, 33, 38, 1],
      [9, 11],
      [5, 5],
      [1, 1],
      [2, 2],
      [1, 1],
    ],
    [
      [17, 48, 60, 2],
      [13, 10],
      [3, 3],
      [1, 1],
      [1, 1],
      [1, 1],
    ],
  ] as Sizes[]),
  // more than two axes: groups, dilation, padding beyond the kernel, several blocks of slices
  ...([
    [
      [3, 6, 4, 2],
      [5, 1, 7, 6],
      [3, 1, 2, 3],
      [2, 1, 1, 2],
      [1, 0, 2, 1],
      [1, 1, 3, 2],
    ],
    [
      [1, 40, 9, 1],
      [3, 24, 25],
      [3, 3, 3],
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
    [
      [2, 3, 5, 1],
      [1, 1, 1, 1, 4],
      [1, 1, 1, 1, 1],
      [1, 1, 1, 1, 1],
      [0, 0, 0, 0, 3],
      [1, 1, 1, 1, 1],
    ],
  ] as Sizes[]),
]
for (const [[batch, channels, outputs, group], input, kernel, stride, pad, dilation] of convolutions) {
  const output = input.map((n, i) => Math.floor((n + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i]) + 1)
  const s: ConvolutionShape = { batch, channels, outputs, group, input, output, kernel, stride, pad, dilation }
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1)
  const xs = batch * channels * product(input)
  const ys = batch * outputs * product(output)
  const ws = (outputs * channels * product(kernel)) / group
  const name = `${batch}×${channels}×${input.join('×')} to ${outputs}, kernel ${kernel}, stride ${stride}, pad ${pad}, dilation ${dilation}, group ${group}`
  for (const biased of [true, false]) {
    cases[`convolution ${name}${biased ? ', bias' : ''}`] = kit => {
      const x = kit.random(xs)
      const w = kit.random(ws)
      const bias = biased ? kit.random(outputs) : null
      const y = kit.output(ys)
      return kernels => kernels.convolution(s, x, w, bias, y)
    }
  }
  for (const [what, after] of afters)
    cases[`convolution and ${what} ${name}`] = kit => {
      const [x, w, bias, y] = [kit.random(xs), kit.random(ws), kit.random(outputs), kit.output(ys)]
      return kernels => kernels.convolution(s, x, w, bias, y, after)
    }
  cases[`convolutionInputGradient ${name}`] = kit => {
    const dy = kit.random(ys)
    const w = kit.random(ws)
    const dx = kit.output(xs)
    return kernels => kernels.convolutionInputGradient(s, dy, w, dx)
  }
  if (xs * product(kernel) < 2 ** 19) {
    const matrix = batch * channels * product(kernel) * product(output)
    cases[`im2col ${name}`] = kit => {
      const [x, y] = [kit.random(xs), kit.output(matrix)]
      return kernels => kernels.im2col(s, x, y)
    }
    cases[`im2colGradient ${name}`] = kit => {
      const [dy, dx] = [kit.random(matrix), kit.output(xs)]
      return kernels => kernels.im2colGradient(s, dy, dx)
    }
  }
  cases[`convolutionWeightGradient ${name}`] = kit => {
    const x = kit.random(xs)
    const dy = kit.random(ys)
    const dw = kit.output(kit.random(ws))
    return kernels => kernels.convolutionWeightGradient(s, x, dy, dw)
  }
}

// ---- statistics of channels and what is made with them
// -------------------------------------------------------------------------
for (const [batch, channels, inner] of [
  [1, 1, 1],
  [3, 5, 7],
  [5, 37, 1],
  [2, 3, 5001],
  [4, 64, 49],
]) {
  const n = batch * channels * inner
  const name = `${batch}×${channels}×${inner}`
  const positive = (kit: Kit) => {
    const memory = kit.random(channels)
    for (let i = 0; i < channels; i++) memory.array[i] = 0.5 + Math.abs(memory.array[i])
    return memory
  }
  cases[`channelStatistics ${name}`] = kit => {
    const [x, mean, variance] = [kit.random(n), kit.output(channels), kit.output(channels)]
    return kernels => kernels.channelStatistics(batch, channels, inner, x, mean, variance)
  }
  cases[`channelStatistics far from 0 ${name}`] = kit => {
    const [x, mean, variance] = [kit.random(n), kit.output(channels), kit.output(channels)]
    for (let i = 0; i < n; i++) x.array[i] = 5000 + x.array[i]
    return kernels => kernels.channelStatistics(batch, channels, inner, x, mean, variance)
  }
  for (const inPlace of [false, true]) {
    cases[`normalizeChannels${inPlace ? ' in place' : ''} ${name}`] = kit => {
      const [x, mean, deviation] = [kit.random(n), kit.random(channels), positive(kit)]
      const y = kit.output(inPlace ? x : n)
      return kernels => kernels.normalizeChannels(batch, channels, inner, x, mean, deviation, y)
    }
    for (const [what, after] of afters)
      cases[`normalizeChannels and ${what}${inPlace ? ' in place' : ''} ${name}`] = kit => {
        const [x, mean, deviation] = [kit.random(n), kit.random(channels), positive(kit)]
        const y = kit.output(inPlace ? x : n)
        return kernels => kernels.normalizeChannels(batch, channels, inner, x, mean, deviation, y, after)
      }
    cases[`normalizeChannelsGradient${inPlace ? ' in place' : ''} ${name}`] = kit => {
      const [x, mean, deviation, dy] = [kit.random(n), kit.random(channels), positive(kit), kit.random(n)]
      const dx = kit.output(inPlace ? dy : n)
      return kernels => kernels.normalizeChannelsGradient(batch, channels, inner, x, mean, deviation, dy, dx)
    }
  }
  cases[`scaleGradient ${name}`] = kit => {
    const [x, dy, dfactor] = [kit.random(n), kit.random(n), kit.output(kit.random(channels))]
    return kernels => kernels.scaleGradient(batch, channels, inner, x, dy, dfactor)
  }
}

// ---- one step of an LSTM: some streams start afresh, whatever their state was
// ----------------------------------------------------
for (const [batch, hidden] of [
  [1, 1],
  [3, 7],
  [32, 256],
]) {
  const n = batch * hidden
  const inputs = (kit: Kit) => {
    const [before, gates, cont] = [kit.random(n), kit.random(4 * n, 4), kit.integers(batch, 2)]
    if (cont.array[0] === 0) before.array[0] = Number.NaN
    return [before, gates, cont] as const
  }
  cases[`lstmUnit ${batch}×${hidden}`] = kit => {
    const [before, gates, cont] = inputs(kit)
    const [c, h] = [kit.output(n), kit.output(n)]
    return kernels => kernels.lstmUnit(batch, hidden, before, gates, cont, c, h)
  }
  for (const inPlace of [false, true]) {
    cases[`lstmUnitGradient${inPlace ? ', dc in place' : ''} ${batch}×${hidden}`] = kit => {
      const [before, gates, cont] = inputs(kit)
      const [c, dc, dh] = [kit.random(n), kit.random(n), kit.random(n)]
      const [dbefore, dgates] = [kit.output(inPlace ? dc : n), kit.output(4 * n)]
      return kernels => kernels.lstmUnitGradient(batch, hidden, before, gates, cont, c, dc, dh, dbefore, dgates)
    }
  }
}

// ---- sequences: some streams start afresh in the middle, the first also where the state before is not finite
// ---------------------
for (const [steps, batch, hidden] of [
  [1, 1, 1],
  [1, 3, 40],
  [4, 1, 5],
  [5, 2, 67],
  [7, 3, 5],
  [5, 3, 130],
  [3, 4, 16],
  [6, 17, 33],
  [3, 130, 20],
  [9, 16, 64],
  [3, 32, 256],
]) {
  const n = batch * hidden
  const name = `${steps}×${batch}×${hidden}`
  const begin = (kit: Kit) => {
    const cont = kit.integers(steps * batch, 4)
    for (let i = 0; i < cont.length; i++) cont.array[i] = Math.min(1, cont.array[i])
    return cont
  }
  /** A state before, of which nothing may be seen where cont is 0. */
  const state = (kit: Kit, cont: Memory) => {
    const h0 = kit.random(n)
    for (let i = 0; i < n; i++)
      if (cont.array[Math.floor(i / hidden)] === 0 && i % 3 === 0)
        h0.array[i] = i % 2 ? Number.NaN : Number.POSITIVE_INFINITY
    return h0
  }
  const scale = 1 / Math.sqrt(hidden)
  cases[`lstm ${name}`] = kit => {
    const cont = begin(kit)
    const [wh, h0] = [kit.random(4 * hidden * hidden, scale), state(kit, cont)]
    const gates = kit.output(kit.random(4 * steps * n, 2))
    const c = kit.output((steps + 1) * n)
    c.array.set(state(kit, cont).array)
    const [conted, h] = [kit.output(steps * n), kit.output(steps * n)]
    return kernels => kernels.lstm(steps, batch, hidden, cont, wh, h0, gates, conted, c, h)
  }
  cases[`lstmGradient ${name}`] = kit => {
    const cont = begin(kit)
    const wh = kit.random(4 * hidden * hidden, scale)
    const [gates, c, dh] = [kit.random(4 * steps * n, 2), kit.random((steps + 1) * n), kit.random(steps * n)]
    const [dc, dgates] = [kit.output(kit.random(n)), kit.output(4 * steps * n)]
    return kernels => kernels.lstmGradient(steps, batch, hidden, cont, wh, gates, c, dh, dc, dgates)
  }
  cases[`rnn ${name}`] = kit => {
    const cont = begin(kit)
    const [wh, h0] = [kit.random(hidden * hidden, scale), state(kit, cont)]
    const [gates, conted, h] = [kit.output(kit.random(steps * n)), kit.output(steps * n), kit.output(steps * n)]
    return kernels => kernels.rnn(steps, batch, hidden, cont, wh, h0, gates, conted, h)
  }
  cases[`rnnGradient ${name}`] = kit => {
    const cont = begin(kit)
    const [wh, h, dh] = [kit.random(hidden * hidden, scale), kit.random(steps * n), kit.random(steps * n)]
    const dgates = kit.output(steps * n)
    return kernels => kernels.rnnGradient(steps, batch, hidden, cont, wh, h, dh, dgates)
  }
}

// ---- pooling: rounded up as Caffe does, so that windows are clipped
// -------------------------------------------------------------------
for (const [planes, H, W, KH, KW, SH, SW, PH, PW] of [
  [1, 1, 1, 1, 1, 1, 1, 0, 0],
  [50, 24, 24, 2, 2, 2, 2, 0, 0],
  [5, 8, 8, 2, 2, 2, 2, 0, 0],
  [3, 7, 9, 2, 2, 2, 2, 0, 0],
  [30, 55, 55, 3, 3, 2, 2, 0, 0],
  [4, 13, 13, 3, 3, 2, 2, 0, 0],
  [4, 14, 12, 3, 3, 1, 1, 1, 1],
  [3, 32, 31, 3, 3, 2, 2, 1, 1],
  [6, 7, 7, 7, 7, 1, 1, 0, 0],
  [2, 20, 40, 5, 4, 3, 3, 2, 1],
  [2, 5, 3, 4, 3, 1, 2, 3, 2],
  [7, 13, 11, 13, 11, 1, 1, 0, 0],
  [3, 23, 29, 2, 2, 5, 7, 0, 0],
  [1, 41, 3, 9, 2, 2, 1, 4, 1],
]) {
  const size = (n: number, k: number, s: number, p: number) => {
    const windows = Math.ceil((n + 2 * p - k) / s) + 1
    return p > 0 && (windows - 1) * s >= n + p ? windows - 1 : windows
  }
  const s: PoolingShape = {
    planes,
    input: [H, W],
    output: [size(H, KH, SH, PH), size(W, KW, SW, PW)],
    kernel: [KH, KW],
    stride: [SH, SW],
    pad: [PH, PW],
  }
  const xs = planes * H * W
  const ys = planes * s.output[0] * s.output[1]
  const name = `${planes}×${H}×${W}, kernel ${KH}×${KW}, stride ${SH}×${SW}, pad ${PH}×${PW}`
  cases[`maxPool ${name}`] = kit => {
    // few different values: ties are common
    const x = kit.integers(xs, 5)
    const y = kit.output(ys)
    const mask = kit.output(ys)
    return kernels => kernels.maxPool(s, x, y, mask)
  }
  cases[`maxPool without a mask ${name}`] = kit => {
    const x = kit.random(xs)
    for (let i = 0; i < xs; i += 5) x.array[i] = Number.NaN
    const y = kit.output(ys)
    return kernels => kernels.maxPool(s, x, y, null)
  }
  cases[`maxPool of NaN and −∞, ${name}`] = kit => {
    const x = kit.random(xs)
    for (let i = 0; i < xs; i++) if (i % 3 < 2) x.array[i] = i % 3 ? Number.NaN : -Infinity
    const y = kit.output(ys)
    const mask = kit.output(ys)
    return kernels => kernels.maxPool(s, x, y, mask)
  }
  cases[`maxPool and its gradient ${name}`] = kit => {
    const x = kit.random(xs)
    const [y, mask, dy, dx] = [kit.output(ys), kit.output(ys), kit.random(ys), kit.output(xs)]
    return kernels => {
      kernels.maxPool(s, x, y, mask)
      kernels.maxPoolGradient(s, dy, mask, dx)
    }
  }
  cases[`stochasticPool ${name}`] = kit => {
    // whole numbers: sums are exact, and one that is drawn elsewhere shows
    const x = kit.integers(xs, 9)
    for (let i = 0; i < xs; i++) x.array[i] -= 4
    const [y, mask] = [kit.output(ys), kit.output(ys)]
    const stream = new RandomStream(2 ** 40 + 5, 'pool')
    stream.iteration = 2 ** 33 + 3
    return kernels => kernels.stochasticPool(s, x, stream, y, mask)
  }
  cases[`stochasticPool of NaN and ∞, ${name}`] = kit => {
    const x = kit.random(xs)
    for (let i = 0; i < xs; i += 7) x.array[i] = i % 2 ? Number.NaN : Infinity
    const [y, mask] = [kit.output(ys), kit.output(ys)]
    const stream = new RandomStream(5, 'pool')
    return kernels => kernels.stochasticPool(s, x, stream, y, mask)
  }
  cases[`stochasticMean ${name}`] = kit => {
    const x = kit.random(xs)
    const y = kit.output(ys)
    return kernels => kernels.stochasticMean(s, x, y)
  }
  cases[`averagePool ${name}`] = kit => {
    const x = kit.random(xs)
    const y = kit.output(ys)
    return kernels => kernels.averagePool(s, x, y)
  }
  cases[`averagePoolGradient ${name}`] = kit => {
    const dy = kit.random(ys)
    const dx = kit.output(xs)
    return kernels => kernels.averagePoolGradient(s, dy, dx)
  }
}

// ---- elementwise: one value, less than a vector, odd, several chunks
// --------------------------------------------------------------
for (const n of [1, 3, 4, 31, 16384, 16387, 70001]) {
  for (const slope of [0, 0.1]) {
    cases[`relu of ${n}, slope ${slope}`] = kit => {
      const x = kit.random(n)
      const y = kit.output(n)
      return kernels => kernels.relu(n, slope, x, y)
    }
    cases[`relu of ${n} in place, slope ${slope}`] = kit => {
      const x = kit.output(kit.random(n))
      return kernels => kernels.relu(n, slope, x, x)
    }
    cases[`reluGradient of ${n}, slope ${slope}`] = kit => {
      const x = kit.random(n)
      const dx = kit.output(kit.random(n))
      return kernels => kernels.reluGradient(n, slope, x, dx, dx)
    }
  }
  for (const name of ['sigmoid', 'tanh'] as const) {
    for (const scale of [1, 10, 200]) {
      cases[`${name} of ${n} up to ±${scale}`] = kit => {
        const x = kit.random(n, scale)
        const y = kit.output(n)
        return kernels => kernels[name](n, x, y)
      }
    }
  }
  for (const name of ['sigmoidGradient', 'tanhGradient'] as const) {
    cases[`${name} of ${n}`] = kit => {
      const y = kit.random(n)
      const dx = kit.output(kit.random(n))
      return kernels => kernels[name](n, y, dx, dx)
    }
  }
  for (const ratio of [0.5, 0.1, 0.9]) {
    cases[`dropoutMask of ${n}, ratio ${ratio}`] = kit => {
      const mask = kit.output(n)
      const stream = new RandomStream(2 ** 40 + 5, 'drop')
      stream.iteration = 2 ** 33 + 3
      return kernels => kernels.dropoutMask(n, ratio, stream, mask)
    }
  }
  cases[`fill of ${n}`] = kit => {
    const y = kit.output(n)
    return kernels => kernels.fill(n, -2.5, y)
  }
  cases[`copy of ${n}`] = kit => {
    const x = kit.random(n)
    const y = kit.output(n)
    return kernels => kernels.copy(n, x, y)
  }
  for (const beta of [0, 1, -0.25]) {
    cases[`axpby of ${n}, β = ${beta}`] = kit => {
      const x = kit.random(n)
      const y = kit.output(beta === 0 ? n : kit.random(n))
      return kernels => kernels.axpby(n, 1.5, x, beta, y)
    }
  }
  cases[`multiply of ${n}`] = kit => {
    const a = kit.random(n)
    const y = kit.output(kit.random(n))
    return kernels => kernels.multiply(n, a, y, y)
  }
  cases[`sumOfSquares of ${n}`] = kit => {
    const x = kit.random(n)
    const sum = kit.output(kit.values([1, 2, 3]))
    return kernels => kernels.sumOfSquares(n, x, sum, 1)
  }
  cases[`euclideanLoss of ${n}`] = kit => {
    const a = kit.random(n)
    const b = kit.random(n)
    const difference = kit.output(n)
    const loss = kit.output(1)
    return kernels => kernels.euclideanLoss(n, 7, a, b, difference, loss)
  }
  for (const regularization of ['L1', 'L2'] as const) {
    const rule = { rate: 0.01, scale: 0.5, decay: 0.3, regularization }
    for (const name of ['adagradUpdate', 'rmspropUpdate', 'adadeltaUpdate'] as const) {
      cases[`${name} of ${n}, ${regularization}`] = kit => {
        const w = kit.output(kit.random(n))
        const [dw, h, h2] = [kit.output(kit.random(n)), kit.output(kit.random(n)), kit.output(kit.random(n))]
        for (let i = 0; i < n; i++) {
          h.array[i] = Math.abs(h.array[i])
          h2.array[i] = Math.abs(h2.array[i])
        }
        return kernels => {
          if (name === 'adagradUpdate') kernels.adagradUpdate(n, rule, 1e-3, w, dw, h)
          else if (name === 'rmspropUpdate') kernels.rmspropUpdate(n, rule, 0.98, 1e-3, w, dw, h)
          else kernels.adadeltaUpdate(n, rule, 0.95, 1e-3, w, dw, h, h2)
        }
      }
    }
    for (const name of ['sgdUpdate', 'nesterovUpdate'] as const) {
      cases[`${name} of ${n}, ${regularization}`] = kit => {
        const w = kit.output(kit.random(n))
        w.array[0] = 0
        const [dw, h] = [kit.output(kit.random(n)), kit.output(kit.random(n))]
        return kernels => kernels[name](n, rule, 0.9, w, dw, h)
      }
    }
    cases[`adamUpdate of ${n}, ${regularization}`] = kit => {
      const w = kit.output(kit.random(n))
      const [dw, m, v] = [kit.output(kit.random(n)), kit.output(kit.random(n)), kit.output(kit.random(n))]
      for (let i = 0; i < n; i++) v.array[i] = Math.abs(v.array[i])
      return kernels => kernels.adamUpdate(n, rule, 0.9, 0.999, 1e-3, 0.7, w, dw, m, v)
    }
  }
}

// ---- neurons: every formula, its gradient, both in place, and what it makes of numbers that are none
// -----------------------------
type Neuron = readonly [
  name: string,
  y: (k: Kernels, n: number, x: Memory, y: Memory) => void,
  gradient?: NeuronGradient,
]
type NeuronGradient = (k: Kernels, n: number, x: Memory, dy: Memory, dx: Memory) => void
const neurons: Neuron[] = [
  ['absolute', (k, n, x, y) => k.absolute(n, x, y), (k, n, x, dy, dx) => k.absoluteGradient(n, x, dy, dx)],
  ['bnll', (k, n, x, y) => k.bnll(n, x, y), (k, n, x, dy, dx) => k.bnllGradient(n, x, dy, dx)],
  ['clip', (k, n, x, y) => k.clip(n, -0.5, 0.7, x, y), (k, n, x, dy, dx) => k.clipGradient(n, -0.5, 0.7, x, dy, dx)],
  ['elu', (k, n, x, y) => k.elu(n, 0.3, x, y), (k, n, x, dy, dx) => k.eluGradient(n, 0.3, x, dy, dx)],
  ['relu', (k, n, x, y) => k.relu(n, 0.2, x, y), (k, n, x, dy, dx) => k.reluGradient(n, 0.2, x, dy, dx)],
  ['sigmoid', (k, n, x, y) => k.sigmoid(n, x, y)],
  ['swish', (k, n, x, y) => k.swish(n, 1.5, x, y), (k, n, x, dy, dx) => k.swishGradient(n, 1.5, x, dy, dx)],
  ['tanh', (k, n, x, y) => k.tanh(n, x, y)],
  ['threshold', (k, n, x, y) => k.threshold(n, 0.25, x, y)],
  ...[
    [1, 1],
    [0.4, -2],
  ].map(
    ([scale, factor]): Neuron => [
      `exponential, scale ${scale}, factor ${factor}`,
      (k, n, x, y) => k.exponential(n, scale, factor, x, y),
      (k, n, x, dy, dx) => k.exponentialGradient(n, scale, factor, x, dy, dx),
    ],
  ),
  ...[
    [1, 0, 1],
    [0.5, 30, -1.5],
  ].map(
    ([scale, shift, factor]): Neuron => [
      `logarithm, scale ${scale}, shift ${shift}, factor ${factor}`,
      (k, n, x, y) => k.logarithm(n, scale, shift, factor, x, y),
      (k, n, x, dy, dx) => k.logarithmGradient(n, scale, shift, factor, x, dy, dx),
    ],
  ),
  ...[1, 2, 3, -1, -3, 8, 9, 12, 0.5, -0.5, 0.75, 2.5, -1.37, 200].flatMap(exponent =>
    [
      [1, 0],
      [0.05, 1.5],
    ].map(
      ([scale, shift]): Neuron => [
        `power ${exponent}, scale ${scale}, shift ${shift}`,
        (k, n, x, y) => k.power(n, exponent, scale, shift, x, y),
        (k, n, x, dy, dx) => k.powerGradient(n, exponent, scale, shift, x, dy, dx),
      ],
    ),
  ),
]
/** x of ±scale; a power below 0 of a tiny number would be the scale that all others are measured by. */
const awayFromZero = (memory: Memory) => {
  for (let i = 0; i < memory.length; i++) memory.array[i] += Math.sign(memory.array[i]) * 0.01
  return memory
}
const oddNumbers = [0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 100, -100, 1e-40, 3e38]
for (const [name, forward, gradient] of neurons) {
  for (const [n, scale, inPlace] of [
    [31, 20, false],
    [40001, 1, false],
    [70001, 12, true],
  ] as const) {
    cases[`${name}, of ${n} up to ±${scale}${inPlace ? ', in place' : ''}`] = kit => {
      const x = awayFromZero(kit.random(n, scale))
      const y = kit.output(inPlace ? x : n)
      return kernels => forward(kernels, n, x, y)
    }
    if (gradient) {
      cases[`gradient of ${name}, of ${n} up to ±${scale}${inPlace ? ', in place' : ''}`] = kit => {
        const [x, dy] = [awayFromZero(kit.random(n, scale)), kit.random(n)]
        const dx = kit.output(inPlace ? dy : n)
        return kernels => gradient(kernels, n, x, dy, dx)
      }
    }
  }
  cases[`${name} of odd numbers`] = kit => {
    // a value a call: an infinite one would hide the others
    const calls = oddNumbers.map(odd => [kit.values([odd]), kit.values([2]), kit.output(1), kit.output(1)] as const)
    return kernels => {
      for (const [x, dy, y, dx] of calls) {
        forward(kernels, 1, x, y)
        gradient?.(kernels, 1, x, dy, dx)
      }
    }
  }
}

for (const n of [1, 7, 16387, 40001]) {
  for (const count of [1, 2, 3, 5]) {
    const inputs = (kit: Kit) => Array.from({ length: count }, () => kit.random(n))
    cases[`eltwiseSum of ${count} times ${n}`] = kit => {
      const xs = inputs(kit)
      const y = kit.output(n)
      return kernels => kernels.eltwiseSum(n, xs, [1, -0.5, 2, 0.25, 3].slice(0, count), y)
    }
    for (const [what, after] of n > 1 ? afters : [])
      cases[`eltwiseSum and ${what} of ${count} times ${n}`] = kit => {
        const xs = inputs(kit)
        const y = kit.output(n)
        return kernels => kernels.eltwiseSum(n, xs, [1, -0.5, 2, 0.25, 3].slice(0, count), y, after)
      }
    cases[`eltwiseProduct of ${count} times ${n}`] = kit => {
      const xs = inputs(kit)
      const y = kit.output(n)
      return kernels => kernels.eltwiseProduct(n, xs, y)
    }
    cases[`eltwiseProductGradient of ${count} times ${n}`] = kit => {
      const xs = inputs(kit)
      const dy = kit.random(n)
      const dx = kit.output(n)
      return kernels => kernels.eltwiseProductGradient(n, count - 1, xs, dy, dx)
    }
    cases[`eltwiseMax of ${count} times ${n}`] = kit => {
      // few different values: ties are common
      const xs = Array.from({ length: count }, () => kit.integers(n, 3))
      const [y, mask] = [kit.output(n), kit.output(n)]
      return kernels => kernels.eltwiseMax(n, xs, y, mask)
    }
    cases[`eltwiseMaxGradient ${count} of ${n}`] = kit => {
      const mask = kit.integers(n, 5)
      const dy = kit.random(n)
      const dx = kit.output(n)
      return kernels => kernels.eltwiseMaxGradient(n, count - 1, mask, dy, dx)
    }
  }
  cases[`euclideanLossGradient of ${n}`] = kit => {
    const [difference, dloss, dx] = [kit.random(n), kit.values([0.3]), kit.output(n)]
    return kernels => kernels.euclideanLossGradient(n, -0.2, difference, dloss, dx)
  }
}
cases['eltwise calls of 70 inputs'] = kit => {
  const xs = Array.from({ length: 70 }, () => kit.random(9))
  const outputs = [kit.output(9), kit.output(9), kit.output(9)]
  return kernels => {
    kernels.eltwiseSum(
      9,
      xs,
      xs.map((_, i) => i / 10),
      outputs[0],
    )
    kernels.eltwiseMax(9, xs, outputs[1], outputs[2])
  }
}
for (const [rows, width] of [
  [1, 1],
  [5, 7],
  [300, 129],
  [3, 30001],
]) {
  cases[`copyRows ${rows}×${width}`] = kit => {
    const x = kit.random(rows * (width + 3) + 5)
    const y = kit.output(kit.random(rows * (width + 2) + 9))
    return kernels => kernels.copyRows(rows, width, x, 5, width + 3, y, 9, width + 2)
  }
}

// ---- softmax
// ---------------------------------------------------------------------------------------------------------------------
for (const [outer, channels, inner] of [
  [1, 1, 1],
  [64, 10, 1],
  [3, 1000, 1],
  [300, 101, 1],
  [2, 21, 35],
  [3, 5, 10000],
]) {
  cases[`softmax ${outer}×${channels}×${inner}`] = kit => {
    const x = kit.random(outer * channels * inner, 20)
    const y = kit.output(outer * channels * inner)
    return kernels => kernels.softmax(outer, channels, inner, x, y)
  }
  cases[`softmaxGradient ${outer}×${channels}×${inner}`] = kit => {
    const y = kit.random(outer * channels * inner)
    const dy = kit.random(outer * channels * inner)
    const dx = kit.output(outer * channels * inner)
    return kernels => kernels.softmaxGradient(outer, channels, inner, y, dy, dx)
  }
}
for (const [outer, classes, inner] of [
  [1, 2, 1],
  [64, 10, 1],
  [37, 1001, 1],
  [2, 21, 350],
  [7, 3, 5],
]) {
  for (const normalization of ['FULL', 'VALID', 'BATCH_SIZE', 'NONE'] as const) {
    for (const ignoreLabel of [undefined, 1]) {
      const s: ClassLossShape = { outer, classes, inner, ignoreLabel, normalization }
      const name = `${outer}×${classes}×${inner}, ${normalization}${ignoreLabel === undefined ? '' : ', one label ignored'}`
      cases[`softmaxLoss ${name}`] = kit => {
        const p = kit.random(outer * classes * inner)
        for (let i = 0; i < p.length; i++) p.array[i] = i % 7 ? Math.abs(p.array[i]) : 0
        const label = kit.integers(outer * inner, classes)
        const loss = kit.output(1)
        return kernels => kernels.softmaxLoss(s, p, label, loss)
      }
      cases[`softmaxLossGradient ${name}`] = kit => {
        const p = kit.random(outer * classes * inner)
        const label = kit.integers(outer * inner, classes)
        const dloss = kit.values([1.5])
        const dx = kit.output(outer * classes * inner)
        return kernels => kernels.softmaxLossGradient(s, p, label, dloss, dx)
      }
    }
  }
}

// ---- normalization
// ---------------------------------------------------------------------------------------------------------------
for (const [batch, channels, height, width, size, beta] of [
  [1, 1, 1, 1, 1, 0.75],
  [2, 7, 5, 3, 5, 0.75],
  [3, 3, 27, 27, 5, 0.75],
  [2, 10, 4, 4, 3, 0.5],
  [3, 30, 27, 27, 5, 0.61],
  [5, 2, 33, 3, 7, 2],
  [2, 3, 4, 5, 3, 0],
  [2, 3, 2, 3, 9, 200],
]) {
  const s: LRNShape = { batch, channels, height, width, size, alpha: 0.4, beta, k: 1.5 }
  const n = batch * channels * height * width
  const name = `${batch}×${channels}×${height}×${width}, size ${size}, β = ${beta}`
  cases[`lrnWithin ${name}`] = kit => {
    const [x, scale, y] = [kit.random(n, 3), kit.output(n), kit.output(n)]
    return kernels => kernels.lrnWithin(s, x, scale, y)
  }
  cases[`lrnWithin in place and its gradient ${name}`] = kit => {
    const [x, scale, dx] = [kit.random(n, 3), kit.output(n), kit.output(kit.random(n))]
    const [y, ratio] = [kit.output(n), kit.random(n)]
    return kernels => {
      kernels.copy(n, x, y)
      kernels.lrnWithin(s, y, scale, y)
      kernels.lrnWithinGradient(s, x, scale, dx, ratio, dx)
    }
  }
  cases[`lrnAcross ${name}`] = kit => {
    const [x, scale, y] = [kit.random(n, 3), kit.output(n), kit.output(n)]
    return kernels => kernels.lrnAcross(s, x, scale, y)
  }
  cases[`lrnAcross in place and its gradient ${name}`] = kit => {
    const [x, scale, dx] = [kit.random(n, 3), kit.output(n), kit.output(kit.random(n))]
    const [y, ratio] = [kit.output(n), kit.random(n)]
    return kernels => {
      kernels.copy(n, x, y)
      kernels.lrnAcross(s, y, scale, y)
      kernels.lrnAcrossGradient(s, x, scale, dx, ratio, dx)
    }
  }
}
for (const [outer, channels, inner] of [
  [1, 1, 1],
  [3, 5, 7],
  [5, 37, 1],
  [2, 3, 20001],
]) {
  for (const biased of [true, false]) {
    cases[`scaleChannels ${outer}×${channels}×${inner}${biased ? ', bias' : ''}`] = kit => {
      const [factor, bias] = [kit.random(channels), biased ? kit.random(channels) : null]
      const y = kit.output(kit.random(outer * channels * inner))
      return kernels => kernels.scaleChannels(outer, channels, inner, y, factor, bias, y)
    }
    for (const [what, after] of afters)
      cases[`scaleChannels and ${what} ${outer}×${channels}×${inner}${biased ? ', bias' : ''}`] = kit => {
        const [factor, bias] = [kit.random(channels), biased ? kit.random(channels) : null]
        const y = kit.output(kit.random(outer * channels * inner))
        return kernels => kernels.scaleChannels(outer, channels, inner, y, factor, bias, y, after)
      }
  }
}

// ---- slopes per channel
// ------------------------------------------------------------------------------------------------------------
for (const [outer, channels, inner] of [
  [1, 1, 1],
  [3, 5, 7],
  [5, 37, 1],
  [700, 66, 1],
  [1, 1, 50001],
  [9, 1, 5003],
  [2, 3, 20001],
  [40, 31, 49],
  [3, 2, 16384],
]) {
  const n = outer * channels * inner
  const name = `${outer}×${channels}×${inner}`
  for (const inPlace of [false, true]) {
    cases[`prelu${inPlace ? ' in place' : ''} ${name}`] = kit => {
      const [x, slope] = [kit.random(n), kit.random(channels)]
      const y = kit.output(inPlace ? x : n)
      return kernels => kernels.prelu(outer, channels, inner, x, slope, y)
    }
    cases[`preluGradient${inPlace ? ' in place' : ''} ${name}`] = kit => {
      const [x, slope, dy] = [kit.random(n), kit.random(channels), kit.random(n)]
      const dx = kit.output(inPlace ? dy : n)
      return kernels => kernels.preluGradient(outer, channels, inner, x, slope, dy, dx)
    }
  }
  cases[`preluSlopeGradient ${name}`] = kit => {
    const [x, dy, dslope] = [kit.random(n), kit.random(n), kit.output(kit.random(channels))]
    return kernels => kernels.preluSlopeGradient(outer, channels, inner, x, dy, dslope)
  }
  cases[`preluSlopeGradient of what is not finite ${name}`] = kit => {
    const [x, dy, dslope] = [kit.random(n), kit.random(n), kit.output(kit.random(channels))]
    // where x is positive or NaN, dy does not count
    for (let i = 0; i < n; i += 3) {
      x.array[i] = i % 2 ? 1 : Number.NaN
      dy.array[i] = i % 4 < 2 ? Number.NaN : Infinity
    }
    return kernels => kernels.preluSlopeGradient(outer, channels, inner, x, dy, dslope)
  }
  cases[`scaleGradient ${name}, many shapes`] = kit => {
    const [x, dy, dfactor] = [kit.random(n), kit.random(n), kit.output(kit.random(channels))]
    return kernels => kernels.scaleGradient(outer, channels, inner, x, dy, dfactor)
  }
}

// ---- sums along axes, rows of a table
// -----------------------------------------------------------------------------------------------
for (const [outer, inner] of [
  [1, 1],
  [7, 5],
  [3001, 13],
  [2, 50003],
  [1, 16384],
]) {
  for (const operation of ['SUM', 'ASUM', 'SUMSQ'] as const) {
    cases[`reduce ${operation} ${outer}×${inner}`] = kit => {
      const [x, y] = [kit.random(outer * inner), kit.output(outer)]
      return kernels => kernels.reduce(operation, outer, inner, -0.3, x, y)
    }
    cases[`reduceGradient ${operation} ${outer}×${inner}`] = kit => {
      const [x, dy, dx] = [kit.random(outer * inner), kit.random(outer), kit.output(outer * inner)]
      x.array[0] = 0
      return kernels => kernels.reduceGradient(operation, outer, inner, -0.3, x, dy, dx)
    }
  }
}
for (const [outer, middle, inner] of [
  [1, 1, 1],
  [5, 3, 7],
  [4000, 3, 5],
  [3, 21, 1],
  [2, 4, 40001],
  [1, 30000, 6],
]) {
  cases[`sumMiddle ${outer}×${middle}×${inner}`] = kit => {
    const [x, y] = [kit.random(outer * middle * inner), kit.output(outer * inner)]
    return kernels => kernels.sumMiddle(outer, middle, inner, x, y)
  }
}
for (const [rows, width, count] of [
  [1, 1, 1],
  [7, 5, 3],
  [500, 129, 40],
  [3000, 3, 50],
  [2, 20001, 2],
]) {
  const indices = (kit: Kit) => {
    const index = kit.integers(rows, count)
    // the first three name no row
    index.array.set([-1, count, Number.NaN].slice(0, Math.min(3, rows - 1)))
    return index
  }
  cases[`gatherRows ${rows}×${width} of ${count}`] = kit => {
    const [index, table, y] = [indices(kit), kit.random(count * width), kit.output(rows * width)]
    return kernels => kernels.gatherRows(rows, width, count, index, table, y)
  }
  cases[`scatterRows ${rows}×${width} of ${count}`] = kit => {
    const [index, dy, dtable] = [indices(kit), kit.random(rows * width), kit.output(kit.random(count * width))]
    return kernels => kernels.scatterRows(rows, width, count, index, dy, dtable)
  }
}

for (const [outer, inner] of [
  [1, 1],
  [5, 3],
  [64, 784],
  [3, 16385],
]) {
  for (const normalization of ['FULL', 'VALID', 'BATCH_SIZE', 'NONE'] as const) {
    for (const ignoreLabel of [undefined, 1]) {
      const s: ClassLossShape = { outer, classes: 1, inner, ignoreLabel, normalization }
      const name = `${outer}×${inner}, ${normalization}${ignoreLabel === undefined ? '' : ', one target ignored'}`
      const inputs = (kit: Kit) => {
        const [x, target] = [kit.random(outer * inner, 30), kit.random(outer * inner, 2)]
        // 0 and 1 as well as what lies between and beyond
        for (let i = 0; i < target.length; i += 3) target.array[i] = i % 2
        return [x, target] as const
      }
      cases[`sigmoidCrossEntropyLoss ${name}`] = kit => {
        const [[x, target], loss] = [inputs(kit), kit.output(1)]
        return kernels => kernels.sigmoidCrossEntropyLoss(s, x, target, loss)
      }
      cases[`sigmoidCrossEntropyLossGradient ${name}`] = kit => {
        const [[x, target], dloss, dx] = [inputs(kit), kit.values([1.5]), kit.output(outer * inner)]
        return kernels => kernels.sigmoidCrossEntropyLossGradient(s, x, target, dloss, dx)
      }
    }
  }
}
for (const s of [
  { input: [9], output: [4], offset: [3] },
  { input: [5, 7], output: [2, 7], offset: [3, 0] },
  { input: [3, 4, 60, 70], output: [2, 4, 41, 33], offset: [1, 0, 12, 37] },
  { input: [2, 3, 4, 5, 6], output: [1, 2, 3, 4, 5], offset: [1, 1, 0, 1, 1] },
]) {
  const [whole, part] = [s.input, s.output].map(sizes => sizes.reduce((a, b) => a * b, 1))
  cases[`crop ${s.input} to ${s.output}`] = kit => {
    const [x, y] = [kit.random(whole), kit.output(part)]
    return kernels => kernels.crop(s, x, y)
  }
  cases[`cropGradient ${s.input} to ${s.output}`] = kit => {
    const [dy, dx] = [kit.random(part), kit.output(whole)]
    return kernels => kernels.cropGradient(s, dy, dx)
  }
}

// ---- largest scores: ties, values that are not numbers, labels that do not count
// ---------------------------------------------------------
for (const [outer, size, inner] of [
  [1, 1, 1],
  [5, 7, 1],
  [3, 10, 1],
  [40, 1003, 1],
  [2, 5, 3],
  [2, 21, 1001],
  [0, 3, 2],
]) {
  const n = outer * size * inner
  const inputs: [string, (kit: Kit) => Memory][] = [
    ['different', kit => kit.random(n)],
    ['equal', kit => kit.integers(n, 4)],
    [
      'NaN and ∞',
      kit => {
        const x = kit.random(n)
        for (let i = 0; i < n; i++) if (i % 3) x.array[i] = [Number.NaN, -Infinity, Infinity, Number.NaN][i % 4]
        return x
      },
    ],
  ]
  for (const [kind, make] of inputs)
    for (const topK of [1, 3, size]) {
      if (topK > Math.min(size, 10)) continue
      for (const output of ['index', 'value', 'both'] as const)
        cases[`argMax ${outer}×${size}×${inner}, ${kind}, top ${topK}, ${output}`] = kit => {
          const x = make(kit)
          const y = kit.output(outer * topK * inner * (output === 'both' ? 2 : 1))
          return kernels => kernels.argMax({ outer, size, inner, topK, output }, x, y)
        }
      for (const ignoreLabel of [undefined, 0])
        cases[`accuracy ${outer}×${size}×${inner}, ${kind}, top ${topK}, without ${ignoreLabel}`] = kit => {
          const [x, label] = [make(kit), kit.integers(outer * inner, size)]
          const [share, perClass] = [kit.output(1), kit.output(size)]
          return kernels => {
            kernels.accuracy({ outer, classes: size, inner, topK, ignoreLabel }, x, label, share, null)
            kernels.accuracy({ outer, classes: size, inner, topK, ignoreLabel }, x, label, share, perClass)
          }
        }
    }
}
