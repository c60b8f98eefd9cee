import type { Memory } from '../memory.js'

/**
 * A function of one value. ROUND rounds halves to the even number, SOFTSIGN is x / (1 + |x|), GELU x·Φ(x) with the normal
 * distribution Φ, GELU_TANH ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).
 */
export type UnaryOperation =
  | ('ERF' | 'FLOOR' | 'CEIL' | 'ROUND' | 'SIGN' | 'SOFTSIGN' | 'GELU' | 'GELU_TANH')
  | ('SIN' | 'COS' | 'TAN' | 'ASIN' | 'ACOS' | 'ATAN' | 'SINH' | 'COSH' | 'ASINH' | 'ACOSH' | 'ATANH')

/** A function of two values, comparisons being 1 or 0; WHERE is one of three: the second where the first is not 0, else the third. */
export type BroadcastOperation =
  | ('ADD' | 'SUB' | 'MUL' | 'DIV' | 'MAX' | 'MIN' | 'POW' | 'WHERE')
  | ('EQUAL' | 'GREATER' | 'GREATER_EQUAL' | 'LESS' | 'LESS_EQUAL')

/** Sizes of y, the last axis last, and how far apart values of each operand are along them: 0 where it is repeated. */
export interface BroadcastShape {
  readonly sizes: readonly number[]
  /** Along the last axis 0 or 1. */
  readonly steps: readonly (readonly number[])[]
}

/** What becomes of the values along an axis: a sum and the like, or the place of the best one. */
export type AxisReduction =
  | ('SUM' | 'MEAN' | 'ASUM' | 'SUMSQ' | 'L2' | 'LOG_SUM_EXP' | 'PROD' | 'MAX' | 'MIN')
  | ('ARGMAX' | 'ARGMIN')

/** What is made of the middle axis of (outer, size, inner). */
export interface AxisReductionShape {
  readonly operation: AxisReduction
  readonly outer: number
  readonly size: number
  readonly inner: number
  /** Of equal best ones the last, not the first; of places alone. */
  readonly last: boolean
}

/** Formulas by name: of one value, of several that repeat, along an axis. y is another memory than x. */
export interface NamedKernels {
  /** y[o,i] ← what the operation makes of x[o,·,i].  x: (outer, size, inner), y: (outer, inner). */
  reduceAxis(s: AxisReductionShape, x: Memory, y: Memory): void
  /** dx[o,j,i] ← dy[o,i]·∂y[o,i]/∂x[o,j,i]: of equal largest or smallest ones the first's alone; 0 where L2 is 0. */
  reduceAxisGradient(s: AxisReductionShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void

  /** y ← operation(x), value by value. */
  unary(operation: UnaryOperation, n: number, x: Memory, y: Memory): void
  /** dx ← dy·operation′(x), 0 where it goes in steps. */
  unaryGradient(operation: UnaryOperation, n: number, x: Memory, dy: Memory, dx: Memory): void
  /** y ← operation(xs[0], xs[1], …), each operand where the steps lead. */
  broadcast(operation: BroadcastOperation, s: BroadcastShape, xs: readonly Memory[], y: Memory): void
  /**
   * slope ← dy·∂y/∂xs[index], as large as y: what a repeated value gets is a sum over it. MAX and MIN of equal values are
   * the second, 0⁰ and logarithms of what is not above 0 have the slope 0.
   */
  broadcastGradient(
    operation: BroadcastOperation,
    s: BroadcastShape,
    index: number,
    xs: readonly Memory[],
    dy: Memory,
    slope: Memory,
  ): void
}
