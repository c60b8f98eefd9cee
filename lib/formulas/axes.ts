import type { Memory } from '../memory.js'

/** What argMax looks for along the middle axis of (outer, size, inner), and what it puts out. */
export interface ArgMaxShape {
  readonly outer: number
  readonly size: number
  readonly inner: number
  readonly topK: number
  readonly output: 'index' | 'value' | 'both'
}

/** A block of `output` sizes that starts `offset` into an array of `input` sizes, one number an axis. */
export interface CropShape {
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly offset: readonly number[]
}

/** Σx, Σ|x| or Σx². */
export type Reduction = 'SUM' | 'ASUM' | 'SUMSQ'

/** Rows, axes and blocks. */
export interface AxisKernels {
  /**
   * y[r] ← table[index[r]] for r < rows; NaN where there is no such row.  table: (count, width), index: (rows), y:
   * (rows, width).
   */
  gatherRows(rows: number, width: number, count: number, index: Memory, table: Memory, y: Memory): void
  /**
   * dtable[index[r]] ← dtable[index[r]] + dy[r] for r < rows, where there is such a row: the adjoint of gatherRows,
   * added.
   */
  scatterRows(rows: number, width: number, count: number, index: Memory, dy: Memory, dtable: Memory): void
  /**
   * y ← the topK largest along the middle axis, largest first, the larger index first on a tie: indices, values, or all
   * indices before all values.  x: (outer, size, inner), y: (outer, topK or 2·topK, inner).
   */
  argMax(s: ArgMaxShape, x: Memory, y: Memory): void
  /** y[o] ← coefficient·Σᵢ f(x[o,i]), f the value, its magnitude or its square.  x: (outer, inner), y: (outer). */
  reduce(operation: Reduction, outer: number, inner: number, coefficient: number, x: Memory, y: Memory): void
  /** dx[o,i] ← dy[o]·coefficient·f′(x[o,i]), f′ being 1, sign(x) or 2x. */
  reduceGradient(
    operation: Reduction,
    outer: number,
    inner: number,
    coefficient: number,
    x: Memory,
    dy: Memory,
    dx: Memory,
  ): void
  /** y[o,i] ← Σₘ x[o,m,i].  x: (outer, middle, inner), y: (outer, inner). */
  sumMiddle(outer: number, middle: number, inner: number, x: Memory, y: Memory): void
  /** y ← x with its axes in another order: axis i of y is axis order[i] of x.  x: shape; y is another memory. */
  permute(shape: readonly number[], order: readonly number[], x: Memory, y: Memory): void
  /** y ← the block of x of y's size that starts at the offsets. */
  crop(s: CropShape, x: Memory, y: Memory): void
  /** dx ← 0, then the block of dx that crop takes ← dy. */
  cropGradient(s: CropShape, dy: Memory, dx: Memory): void
}
