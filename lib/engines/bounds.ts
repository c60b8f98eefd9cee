/**
 * What stands between a call and a kernel that computes with addresses: every size is a 32-bit count, every memory as
 * long as the sizes say, every window within what kernels can count. Layers of anybody call kernels through it. The
 * table has an entry for every kernel of the contract: the compiler misses one that is forgotten.
 */
import type {
  ClassLossShape,
  ConvolutionShape,
  CropShape,
  Kernels,
  PoolingShape,
  PreparedConvolutions,
} from '../engine.js'
import { EngineError } from '../errors.js'
import { convolutionProblem, isSize, lrnProblem, MOST_KEPT, poolingProblem } from '../kernel_limits.js'
import { Memory } from '../memory.js'

/** The kernel whose arguments are looked at. */
let kernel = ''

const refuse = (why: string): never => {
  throw new EngineError(`kernel ${kernel}: ${why}`)
}

/** The product of sizes, each of which is one. */
function count(a: number, b = 1, c = 1, d = 1): number {
  if (!(isSize(a) && isSize(b) && isSize(c) && isSize(d)))
    refuse(`sizes ${a}, ${b}, ${c}, ${d} must be whole numbers from 0 to 2147483647`)
  return a * b * c * d
}

/** The memory must hold so many values. */
function need(memory: Memory | null | undefined, values: number): void {
  if (memory && !(memory.length >= values))
    refuse(
      `its sizes ask for ${values} values of a memory${memory.label ? ` (${memory.label})` : ''} that holds ${memory.length}`,
    )
}

const within = (values: number, what: string): void => {
  if (values > MOST_KEPT) refuse(`${what} would take ${values} values, kernels keep ${MOST_KEPT} at most`)
}

type Checks = { [K in keyof Kernels]: (...args: Parameters<Kernels[K]>) => void }

/** (n, …): all memories hold n values. */
const each = (n: number, ...rest: unknown[]): void => {
  const values = count(n)
  for (const argument of rest) if (argument instanceof Memory) need(argument, values)
}

/** (outer, channels, inner, …): memories hold a value for each place, those named for each channel. */
const channelwise =
  (...perChannel: number[]) =>
  (outer: number, channels: number, inner: number, ...rest: unknown[]): void => {
    const all = count(outer, channels, inner)
    // a sum in double precision for each part of a row
    if (inner > 1) within(2 * outer * channels * Math.ceil(inner / 16384), 'sums')
    for (let i = 0; i < rest.length; i++) {
      const argument = rest[i]
      if (argument instanceof Memory) need(argument, perChannel.includes(i) ? channels : all)
    }
  }

const product = (sizes: readonly number[]): number => {
  let n = 1
  for (const size of sizes) n *= size
  return n
}

/** Values of input, weights and output of a convolution. */
function convolved(s: ConvolutionShape, x: Memory, w: Memory | undefined, y: Memory, bias?: Memory | null): void {
  const problem = convolutionProblem(s)
  if (problem !== undefined) refuse(problem)
  need(x, s.batch * s.channels * product(s.input))
  need(w, s.outputs * (s.channels / s.group) * product(s.kernel))
  need(y, s.batch * s.outputs * product(s.output))
  need(bias, s.outputs)
}

function lowered(s: ConvolutionShape, x: Memory, y: Memory): void {
  const problem = convolutionProblem({ ...s, outputs: 1, group: 1 })
  if (problem !== undefined) refuse(problem)
  need(x, s.batch * s.channels * product(s.input))
  need(y, s.batch * s.channels * product(s.kernel) * product(s.output))
}

function pooled(s: PoolingShape, inside: readonly Memory[], outside: readonly (Memory | null)[]): void {
  const problem = poolingProblem(s)
  if (problem !== undefined) refuse(problem)
  for (const memory of inside) need(memory, s.planes * product(s.input))
  for (const memory of outside) need(memory, s.planes * product(s.output))
}

/** Scores and gradients hold (outer, classes, inner) values, labels (outer, inner). */
function scored(
  s: Pick<ClassLossShape, 'outer' | 'classes' | 'inner'>,
  scores: readonly Memory[],
  labels: readonly Memory[],
  single?: Memory,
): void {
  const places = count(s.outer, s.inner)
  const all = count(s.outer, s.classes, s.inner)
  within(places + 2 * s.classes + 4, 'sums')
  for (const memory of scores) need(memory, all)
  for (const memory of labels) need(memory, places)
  need(single, 1)
}

function normalized(s: Parameters<Kernels['lrnAcross']>[0], ...memories: Memory[]): void {
  const problem = lrnProblem(s)
  if (problem !== undefined) refuse(problem)
  const all = count(s.batch, s.channels, s.height, s.width)
  for (const memory of memories) need(memory, all)
}

function cropped({ input, output, offset }: CropShape, whole: Memory, part: Memory): void {
  for (let i = 0; i < input.length; i++) {
    if (!(isSize(offset[i]) && isSize(output[i]) && offset[i] + output[i] <= input[i]))
      refuse(`${output[i]} values from ${offset[i]} on are not within the ${input[i]} of axis ${i}`)
  }
  need(whole, product(input))
  need(part, product(output))
}

/** Memories of a sequence: weights of the state, and (steps, batch, hidden) values times something, or those given. */
function recurrent(
  [steps, batch, hidden, gates]: readonly [number, number, number, number],
  cont: Memory,
  Wh: Memory,
  sequences: readonly (readonly [Memory, number])[],
): void {
  const weights = count(gates, hidden, hidden)
  within(gates * (hidden + 128) * hidden, 'weights in order')
  need(cont, count(steps, batch))
  need(Wh, weights)
  for (const [memory, values] of sequences) need(memory, values)
  count(steps, batch, hidden)
}

const checks: Checks = {
  gemm(_transA, _transB, M, N, K, _alpha, A, B, _beta, C) {
    need(A, count(M, K))
    need(B, count(K, N))
    need(C, count(M, N))
  },
  convolution: (s, x, w, bias, y) => convolved(s, x, w, y, bias),
  convolutionInputGradient: (s, dy, w, dx) => convolved(s, dx, w, dy),
  convolutionWeightGradient: (s, x, dy, dw) => convolved(s, x, dw, dy),
  addBias: channelwise(0),
  biasGradient: channelwise(1),
  im2col: lowered,
  im2colGradient: (s, dy, dx) => lowered(s, dx, dy),
  maxPool: (s, x, y, mask) => pooled(s, [x], [y, mask]),
  maxPoolGradient: (s, dy, mask, dx) => pooled(s, [dx], [dy, mask]),
  averagePool: (s, x, y) => pooled(s, [x], [y]),
  averagePoolGradient: (s, dy, dx) => pooled(s, [dx], [dy]),
  stochasticPool: (s, x, _stream, y, mask) => pooled(s, [x], [y, mask]),
  stochasticMean: (s, x, y) => pooled(s, [x], [y]),
  stochasticMeanGradient: (s, x, y, dy, dx) => pooled(s, [x, dx], [y, dy]),
  relu: each,
  reluGradient: each,
  sigmoid: each,
  sigmoidGradient: each,
  tanh: each,
  tanhGradient: each,
  dropoutMask: each,
  fill: each,
  copy: each,
  axpby: each,
  multiply: each,
  copyRows(rows, width, x, xOffset, xStride, y, yOffset, yStride) {
    if (count(rows, width) === 0) return
    count(xOffset, xStride, yOffset, yStride)
    need(x, xOffset + (rows - 1) * xStride + width)
    need(y, yOffset + (rows - 1) * yStride + width)
  },
  eltwiseSum(n, xs, coefficients, y) {
    if (coefficients.length < xs.length) refuse(`${xs.length} inputs have ${coefficients.length} coefficients`)
    for (const x of xs) need(x, count(n))
    need(y, count(n))
  },
  eltwiseProduct(n, xs, y) {
    for (const x of xs) need(x, count(n))
    need(y, count(n))
  },
  eltwiseMax(n, xs, y, mask) {
    for (const x of xs) need(x, count(n))
    need(y, count(n))
    need(mask, n)
  },
  eltwiseMaxGradient: each,
  eltwiseProductGradient(n, _index, xs, dy, dx) {
    for (const x of xs) need(x, count(n))
    need(dy, count(n))
    need(dx, n)
  },
  softmax: channelwise(),
  softmaxGradient: channelwise(),
  softmaxLoss: (s, p, label, loss) => scored(s, [p], [label], loss),
  softmaxLossGradient: (s, p, label, dloss, dx) => scored(s, [p, dx], [label], dloss),
  euclideanLoss(n, _batch, a, b, difference, loss) {
    need(a, count(n))
    need(b, n)
    need(difference, n)
    need(loss, 1)
  },
  euclideanLossGradient(n, _factor, difference, dloss, dx) {
    need(difference, count(n))
    need(dloss, 1)
    need(dx, n)
  },
  accuracy(s, x, label, accuracy, perClass) {
    if (!(s.classes >= 1)) refuse('it needs at least one class')
    scored(s, [x], [label], accuracy)
    need(perClass, s.classes)
  },
  sumOfSquares(n, x, sum, index) {
    need(x, count(n))
    need(sum, count(index) + 1)
  },
  sgdUpdate: each,
  nesterovUpdate: each,
  adagradUpdate: each,
  rmspropUpdate: each,
  adadeltaUpdate: each,
  adamUpdate(n, _rule, _beta1, _beta2, _delta, _correction, w, dw, m, v) {
    need(w, count(n))
    need(dw, n)
    need(m, n)
    need(v, n)
  },
  absolute: each,
  absoluteGradient: each,
  bnll: each,
  bnllGradient: each,
  clip: each,
  clipGradient: each,
  elu: each,
  eluGradient: each,
  exponential: each,
  exponentialGradient: each,
  logarithm: each,
  logarithmGradient: each,
  power: each,
  powerGradient: each,
  swish: each,
  swishGradient: each,
  threshold: each,
  prelu: channelwise(1),
  preluGradient: channelwise(1),
  preluSlopeGradient: channelwise(2),
  scaleChannels: channelwise(1, 2),
  scaleGradient: channelwise(2),
  lrnAcross: normalized,
  lrnAcrossGradient: normalized,
  lrnWithin: normalized,
  lrnWithinGradient: normalized,
  channelStatistics: channelwise(1, 2),
  movingStatistics(channels, meanSum, varianceSum, factor, mean, variance) {
    need(meanSum, count(channels))
    need(varianceSum, channels)
    need(factor, 1)
    need(mean, channels)
    need(variance, channels)
  },
  deviations: each,
  normalizeChannels: channelwise(1, 2),
  normalizeChannelsGradient: channelwise(1, 2),
  gatherRows(rows, width, table, index, from, y) {
    need(index, count(rows))
    need(from, count(table, width))
    need(y, count(rows, width))
  },
  scatterRows(rows, width, table, index, dy, dtable) {
    need(index, count(rows))
    need(dy, count(rows, width))
    need(dtable, count(table, width))
  },
  argMax({ outer, size, inner, topK, output }, x, y) {
    if (!(topK >= 1 && topK <= size)) refuse(`the ${topK} largest of ${size} values are not there`)
    need(x, count(outer, size, inner))
    need(y, count(outer, topK, inner, output === 'both' ? 2 : 1))
  },
  reduce(_operation, outer, inner, _coefficient, x, y) {
    need(x, count(outer, inner))
    need(y, outer)
  },
  reduceGradient(operation, outer, inner, _coefficient, x, dy, dx) {
    if (operation !== 'SUM') need(x, count(outer, inner))
    need(dy, outer)
    need(dx, count(outer, inner))
  },
  sumMiddle(outer, middle, inner, x, y) {
    need(x, count(outer, middle, inner))
    need(y, count(outer, inner))
  },
  crop: cropped,
  cropGradient: (s, dy, dx) => cropped(s, dx, dy),
  lstmUnit(batch, hidden, cPrevious, gates, cont, c, h) {
    const all = count(batch, hidden)
    need(cPrevious, all)
    need(gates, 4 * all)
    need(cont, batch)
    need(c, all)
    need(h, all)
  },
  lstmUnitGradient(batch, hidden, cPrevious, gates, cont, c, dc, dh, dcPrevious, dgates) {
    const all = count(batch, hidden)
    need(cPrevious, all)
    need(gates, 4 * all)
    need(cont, batch)
    need(c, all)
    need(dc, all)
    need(dh, all)
    need(dcPrevious, all)
    need(dgates, 4 * all)
  },
  lstm(steps, batch, hidden, cont, Wh, h0, gates, conted, c, h) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 4], cont, Wh, [
      [h0, state],
      [gates, 4 * steps * state],
      [conted, steps * state],
      [c, (steps + 1) * state],
      [h, steps * state],
    ])
  },
  lstmGradient(steps, batch, hidden, cont, Wh, gates, c, dh, dc, dgates) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 4], cont, Wh, [
      [gates, 4 * steps * state],
      [c, (steps + 1) * state],
      [dh, steps * state],
      [dc, state],
      [dgates, 4 * steps * state],
    ])
  },
  rnn(steps, batch, hidden, cont, Wh, h0, gates, conted, h) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 1], cont, Wh, [
      [h0, state],
      [gates, steps * state],
      [conted, steps * state],
      [h, steps * state],
    ])
  },
  rnnGradient(steps, batch, hidden, cont, Wh, h, dh, dgates) {
    const state = batch * hidden
    recurrent([steps, batch, hidden, 1], cont, Wh, [
      [h, steps * state],
      [dh, steps * state],
      [dgates, steps * state],
    ])
  },
  hingeLoss: (batch, classes, _squared, x, label, loss) =>
    scored({ outer: batch, classes, inner: 1 }, [x], [label], loss),
  hingeLossGradient: (batch, classes, _squared, x, label, dloss, dx) =>
    scored({ outer: batch, classes, inner: 1 }, [x, dx], [label], dloss),
  multinomialLogisticLoss: (batch, classes, p, label, loss) =>
    scored({ outer: batch, classes, inner: 1 }, [p], [label], loss),
  multinomialLogisticLossGradient: (batch, classes, p, label, dloss, dp) =>
    scored({ outer: batch, classes, inner: 1 }, [p, dp], [label], dloss),
  infogainLoss(s, p, label, H, loss) {
    scored(s, [p], [label], loss)
    need(H, count(s.classes, s.classes))
  },
  infogainLossGradient(s, p, label, H, dloss, dx) {
    scored(s, [p, dx], [label], dloss)
    need(H, count(s.classes, s.classes))
  },
  sigmoidCrossEntropyLoss: (s, x, target, loss) => scored({ ...s, classes: 1 }, [x], [target], loss),
  sigmoidCrossEntropyLossGradient: (s, x, target, dloss, dx) => scored({ ...s, classes: 1 }, [x, dx], [target], dloss),
  contrastiveLoss({ batch, size }, a, b, similar, difference, distance, loss) {
    const all = count(batch, size)
    need(a, all)
    need(b, all)
    need(similar, batch)
    need(difference, all)
    need(distance, batch)
    need(loss, 1)
  },
  contrastiveLossGradient({ batch, size }, _sign, difference, distance, similar, dloss, dx) {
    const all = count(batch, size)
    need(difference, all)
    need(distance, batch)
    need(similar, batch)
    need(dloss, 1)
    need(dx, all)
  },
}

/** No kernel of the contract takes more arguments. A rest array would be garbage in every call. */
type Call = (
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
  e: unknown,
  f: unknown,
  g: unknown,
  h: unknown,
  i: unknown,
  j: unknown,
) => void

function guarded(name: string, check: Call, call: Call): Call {
  return (a, b, c, d, e, f, g, h, i, j) => {
    kernel = name
    check(a, b, c, d, e, f, g, h, i, j)
    call(a, b, c, d, e, f, g, h, i, j)
  }
}

/** The same kernels, each of which looks at its arguments first and throws an EngineError for what it cannot count. */
export function withBounds(kernels: Kernels): Kernels {
  const names = Object.keys(checks) as (keyof Kernels)[]
  return Object.fromEntries(
    names.map(name => [name, guarded(name, checks[name] as Call, kernels[name] as Call)]),
  ) as unknown as Kernels
}

/** The same for convolutions with kept weights. */
export function withPreparedBounds(prepared: PreparedConvolutions): PreparedConvolutions {
  return {
    length: s => (convolutionProblem(s) === undefined ? prepared.length(s) : 0),
    prepare(s, w, to) {
      kernel = 'prepare'
      need(w, s.outputs * (s.channels / s.group) * product(s.kernel))
      need(to, prepared.length(s))
      prepared.prepare(s, w, to)
    },
    convolution(s, x, weights, bias, y, after) {
      kernel = 'preparedConvolution'
      convolved(s, x, undefined, y, bias)
      prepared.convolution(s, x, weights, bias, y, after)
    },
  }
}
