import type {
  AxisReduction,
  BroadcastOperation,
  BroadcastShape,
  NamedKernels,
  UnaryOperation,
} from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, each, need, product, refuse } from '../../bounds.js'
import { isSize } from '../../kernel_limits.js'

/** In the order of kernels/wasm/unary.ts, which ends with GELU_TANH: those of angles are plain loops. */
const functions: readonly UnaryOperation[] = [
  ...(['ERF', 'FLOOR', 'CEIL', 'ROUND', 'SIGN', 'SOFTSIGN', 'GELU', 'GELU_TANH', 'SIN', 'COS', 'TAN'] as const),
  ...(['ASIN', 'ACOS', 'ATAN', 'SINH', 'COSH', 'ASINH', 'ACOSH', 'ATANH'] as const),
]
const LAST_IN_LANES = functions.indexOf('GELU_TANH')
/** In the order of kernels/wasm/broadcast.ts. */
const operations: readonly BroadcastOperation[] = [
  ...(['ADD', 'SUB', 'MUL', 'DIV', 'MAX', 'MIN', 'POW', 'WHERE'] as const),
  ...(['EQUAL', 'GREATER', 'GREATER_EQUAL', 'LESS', 'LESS_EQUAL'] as const),
]
/** In the order of kernels/wasm/reduce_axis.ts. */
const reductions: readonly AxisReduction[] = [
  ...(['SUM', 'ASUM', 'SUMSQ', 'MEAN', 'L2', 'LOG_SUM_EXP', 'PROD', 'MAX', 'MIN', 'ARGMAX', 'ARGMIN'] as const),
]

/** What the module exports for them. */
export interface NamedExports {
  unary(operation: number, n: number, x: number, y: number): void
  unaryGradient(operation: number, n: number, x: number, dy: number, dx: number): void
  /** Axis d, below 16, of the next broadcast: its size, and how far apart values of the operands are along it. */
  broadcastAxis(d: number, size: number, a: number, b: number, c: number): void
  /** Of at least 2 axes; the value where `index` is −1, else the derivative by that operand. */
  broadcast(
    operation: number,
    index: number,
    axes: number,
    a: number,
    b: number,
    c: number,
    dy: number,
    y: number,
  ): void
  reduceAxis(operation: number, outer: number, size: number, inner: number, isLast: boolean, x: number, y: number): void
  reduceAxisGradient(
    operation: number,
    outer: number,
    size: number,
    inner: number,
    x: number,
    y: number,
    dy: number,
    dx: number,
  ): void
}

/** Axes that kernels/wasm/broadcast.ts has room for. */
const MOST_AXES = 16

/** The module counts places of best values as they are written, in float32. */
const MOST_PLACES = 2 ** 24

/** These kernels of the contract as calls of the module. */
export function bindNamed(wasm: NamedExports, plain: NamedKernels) {
  const broadcast = (
    operation: BroadcastOperation,
    { sizes, steps }: BroadcastShape,
    index: number,
    [a, b, c = b]: readonly Memory[],
    dy: Memory | null,
    y: Memory,
  ): void => {
    const axes = Math.max(2, sizes.length)
    const missing = axes - sizes.length
    const third = steps[2] ?? steps[1]
    for (let d = 0; d < axes; d++) {
      const from = d - missing
      if (from < 0) wasm.broadcastAxis(d, 1, 0, 0, 0)
      else wasm.broadcastAxis(d, sizes[from], steps[0][from], steps[1][from], third[from])
    }
    const place = operations.indexOf(operation)
    wasm.broadcast(place, index, axes, a.pointer, b.pointer, c.pointer, dy ? dy.pointer : 0, y.pointer)
  }
  return {
    unary(operation, n, x, y) {
      const place = functions.indexOf(operation)
      if (place > LAST_IN_LANES) return plain.unary(operation, n, x, y)
      wasm.unary(place, n, x.pointer, y.pointer)
    },
    unaryGradient(operation, n, x, dy, dx) {
      const place = functions.indexOf(operation)
      if (place > LAST_IN_LANES) return plain.unaryGradient(operation, n, x, dy, dx)
      wasm.unaryGradient(place, n, x.pointer, dy.pointer, dx.pointer)
    },
    broadcast(operation, s, xs, y) {
      if (s.sizes.length > MOST_AXES) return plain.broadcast(operation, s, xs, y)
      broadcast(operation, s, -1, xs, null, y)
    },
    broadcastGradient(operation, s, index, xs, dy, slope) {
      if (s.sizes.length > MOST_AXES) return plain.broadcastGradient(operation, s, index, xs, dy, slope)
      broadcast(operation, s, index, xs, dy, slope)
    },
    reduceAxis(s, x, y) {
      const { operation, outer, size, inner, last } = s
      if (size >= MOST_PLACES) return plain.reduceAxis(s, x, y)
      wasm.reduceAxis(reductions.indexOf(operation), outer, size, inner, last, x.pointer, y.pointer)
    },
    reduceAxisGradient({ operation, outer, size, inner }, x, y, dy, dx) {
      const place = reductions.indexOf(operation)
      wasm.reduceAxisGradient(place, outer, size, inner, x.pointer, y.pointer, dy.pointer, dx.pointer)
    },
  } satisfies NamedKernels
}

/** Operands that the operation has, each as long as its steps lead. */
function operands(operation: BroadcastOperation, { sizes, steps }: BroadcastShape, xs: readonly Memory[]): void {
  const many = operation === 'WHERE' ? 3 : 2
  if (!operations.includes(operation) || xs.length !== many || steps.length !== many)
    refuse(`${operation} of ${xs.length} operands with ${steps.length} lists of steps is none of its operations`)
  if (!sizes.every(isSize)) refuse(`sizes ${sizes.join(', ')} must be whole numbers from 0 to 2147483647`)
  if (sizes.includes(0)) return
  for (const [k, step] of steps.entries()) {
    const last = step[step.length - 1] ?? 0
    if (step.length !== sizes.length || !step.every(isSize) || last > 1)
      refuse(`steps ${step.join(', ')} of operand ${k} are none of sizes ${sizes.join(', ')}`)
    need(xs[k], 1 + sizes.reduce((sum, size, axis) => sum + (size - 1) * step[axis], 0))
  }
}

const known = (names: readonly string[], operation: string): void => {
  if (!names.includes(operation)) refuse(`${operation} is none of its operations: ${names.join(', ')}`)
}

/** What stands before these kernels. */
export const namedBounds = {
  unary(operation, n, x, y) {
    known(functions, operation)
    each(n, x, y)
  },
  unaryGradient(operation, n, x, dy, dx) {
    known(functions, operation)
    each(n, x, dy, dx)
  },
  broadcast(operation, s, xs, y) {
    operands(operation, s, xs)
    need(y, count(product(s.sizes)))
  },
  broadcastGradient(operation, s, index, xs, dy, slope) {
    operands(operation, s, xs)
    const isThere = operation === 'WHERE' ? index === 1 || index === 2 : index === 0 || index === 1
    if (!isThere || operations.indexOf(operation) > operations.indexOf('WHERE'))
      refuse(`${operation} has no gradient by operand ${index}`)
    need(dy, count(product(s.sizes)))
    need(slope, count(product(s.sizes)))
  },
  reduceAxis({ operation, outer, size, inner }, x, y) {
    known(reductions, operation)
    if (size === 0 && operation.startsWith('ARG')) refuse(`${operation} of no value is none`)
    need(x, count(outer, size, inner))
    need(y, count(outer, inner))
  },
  reduceAxisGradient({ operation, outer, size, inner }, x, y, dy, dx) {
    known(reductions, operation)
    if (operation.startsWith('ARG')) refuse(`${operation} has no gradient`)
    need(x, count(outer, size, inner))
    need(y, count(outer, inner))
    need(dy, count(outer, inner))
    need(dx, count(outer, size, inner))
  },
} satisfies Partial<Bounds>
