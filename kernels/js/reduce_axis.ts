import type { AxisReductionShape } from '../../lib/engine.js'
import type { Memory } from '../../lib/memory.js'

export function reduceAxis(s: AxisReductionShape, x: Memory, y: Memory): void {
  const { operation, outer, size, inner } = s
  const xs = x.array
  const ys = y.array
  const column = columns[operation] ?? placeOf(operation === 'ARGMIN' ? -1 : 1, s.last)
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) ys[o * inner + i] = column(xs, o * size * inner + i, inner, size)
}

/** What becomes of n values from `first` on, `step` apart. */
type Column = (xs: Float32Array, first: number, step: number, n: number) => number

const best =
  (sign: 1 | -1): Column =>
  (xs, first, step, n) => {
    let value = -sign * Number.POSITIVE_INFINITY
    for (let j = 0, k = first; j < n; j++, k += step)
      if (sign * xs[k] > sign * value || Number.isNaN(xs[k])) value = xs[k]
    return value
  }

const placeOf =
  (sign: 1 | -1, last: boolean): Column =>
  (xs, first, step, n) => {
    let place = 0
    let value = xs[first]
    for (let j = 1, k = first + step; j < n; j++, k += step) {
      if (!(sign * xs[k] > sign * value || (last && xs[k] === value))) continue
      place = j
      value = xs[k]
    }
    return place
  }

const sum: Column = (xs, first, step, n) => {
  let total = 0
  for (let j = 0, k = first; j < n; j++, k += step) total += xs[k]
  return total
}
const squares: Column = (xs, first, step, n) => {
  let total = 0
  for (let j = 0, k = first; j < n; j++, k += step) total += xs[k] * xs[k]
  return total
}

const columns: Readonly<Partial<Record<AxisReductionShape['operation'], Column>>> = {
  SUM: sum,
  MEAN: (xs, first, step, n) => sum(xs, first, step, n) / n,
  ASUM(xs, first, step, n) {
    let total = 0
    for (let j = 0, k = first; j < n; j++, k += step) total += Math.abs(xs[k])
    return total
  },
  SUMSQ: squares,
  L2: (xs, first, step, n) => Math.sqrt(squares(xs, first, step, n)),
  LOG_SUM_EXP(xs, first, step, n) {
    const largest = best(1)(xs, first, step, n)
    let total = 0
    for (let j = 0, k = first; j < n; j++, k += step) total += xs[k] === largest ? 1 : Math.exp(xs[k] - largest)
    return largest + Math.log(total)
  },
  PROD(xs, first, step, n) {
    let product = 1
    for (let j = 0, k = first; j < n; j++, k += step) product *= xs[k]
    return product
  },
  MAX: best(1),
  MIN: best(-1),
}

export function reduceAxisGradient(s: AxisReductionShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void {
  const { operation, outer, size, inner } = s
  const xs = x.array
  const ys = y.array
  const dys = dy.array
  const dxs = dx.array
  const slope = slopes[operation] ?? (() => 1 / size)
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const [to, first] = [o * inner + i, o * size * inner + i]
      if (operation === 'PROD') productGradient(xs, dxs, first, inner, size, dys[to])
      else if (operation === 'MAX' || operation === 'MIN') bestGradient(xs, dxs, first, inner, size, ys[to], dys[to])
      else for (let j = 0, k = first; j < size; j++, k += inner) dxs[k] = dys[to] * slope(xs[k], ys[to])
    }
  }
}

const slopes: Readonly<Partial<Record<AxisReductionShape['operation'], (x: number, y: number) => number>>> = {
  SUM: () => 1,
  ASUM: Math.sign,
  SUMSQ: x => 2 * x,
  L2: (x, y) => (y === 0 ? 0 : x / y),
  LOG_SUM_EXP: (x, y) => Math.exp(x - y),
}

function bestGradient(
  xs: Float32Array,
  dxs: Float32Array,
  first: number,
  step: number,
  n: number,
  value: number,
  slope: number,
): void {
  let isTaken = false
  for (let j = 0, k = first; j < n; j++, k += step) {
    const isFirst: boolean = !isTaken && xs[k] === value
    dxs[k] = isFirst ? slope : 0
    isTaken ||= isFirst
  }
}

/** The product of all others: of those that are not 0, unless another one is. */
function productGradient(
  xs: Float32Array,
  dxs: Float32Array,
  first: number,
  step: number,
  n: number,
  slope: number,
): void {
  let product = slope
  let zeros = 0
  for (let j = 0, k = first; j < n; j++, k += step) {
    if (xs[k] === 0) zeros++
    else product *= xs[k]
  }
  for (let j = 0, k = first; j < n; j++, k += step) {
    const others = zeros - (xs[k] === 0 ? 1 : 0)
    dxs[k] = others > 0 ? 0 : product / (xs[k] === 0 ? 1 : xs[k])
  }
}
