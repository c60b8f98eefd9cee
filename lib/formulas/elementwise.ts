import type { Memory } from '../memory.js'
import type { After } from './after.js'

/** Elementwise arithmetic over (n), and copies. */
export interface ElementwiseKernels {
  /** y ← value. */
  fill(n: number, value: number, y: Memory): void
  /** y ← x. */
  copy(n: number, x: Memory, y: Memory): void
  /** y ← α·x + β·y. With β = 0 the old y is not read. */
  axpby(n: number, alpha: number, x: Memory, beta: number, y: Memory): void
  /** y ← a·b. */
  multiply(n: number, a: Memory, b: Memory, y: Memory): void
  /**
   * y[yOffset + r·yStride + i] ← x[xOffset + r·xStride + i] for r < rows, i < width. Concat, Slice, Crop and Tile are
   * made of it.
   */
  copyRows(
    rows: number,
    width: number,
    x: Memory,
    xOffset: number,
    xStride: number,
    y: Memory,
    yOffset: number,
    yStride: number,
  ): void
  /** y ← after(Σᵢ coefficient[i]·xs[i]). */
  eltwiseSum(n: number, xs: readonly Memory[], coefficients: readonly number[], y: Memory, after?: After): void
  /** y ← Πᵢ xs[i]. */
  eltwiseProduct(n: number, xs: readonly Memory[], y: Memory): void
  /** y ← maxᵢ xs[i], mask ← the i it came from (the second of the first two on a tie, the earlier one after that). */
  eltwiseMax(n: number, xs: readonly Memory[], y: Memory, mask: Memory): void
  /** dx ← dy where mask = index, else 0. */
  eltwiseMaxGradient(n: number, index: number, mask: Memory, dy: Memory, dx: Memory): void
  /** dx ← dy·Πⱼ≠ᵢ xs[j], i = `index`. */
  eltwiseProductGradient(n: number, index: number, xs: readonly Memory[], dy: Memory, dx: Memory): void
}
