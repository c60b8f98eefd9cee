import type { Memory } from '../memory.js'

/** Sizes and constants of a local response normalization over (N, C, H, W); `size` is odd. */
export interface LRNShape {
  readonly batch: number
  readonly channels: number
  readonly height: number
  readonly width: number
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number
}

/** Local response normalization. */
export interface LRNKernels {
  /** scale ← k + α/size·Σ x² over the size channels around c; y ← x·scale^−β.  All (N, C, H·W). y may be x. */
  lrnAcross(s: LRNShape, x: Memory, scale: Memory, y: Memory): void
  /**
   * dx ← dy·scale^−β − 2αβ/size·x·Σ ratio over the size channels around c, ratio ← dy·x·scale^(−β − 1) (workspace). dx
   * may be dy.
   */
  lrnAcrossGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void
  /**
   * scale ← 1 + α/size²·Σ x² over the size×size window around a position; y ← x·scale^−β.  All (N·C, H, W). y may be x.
   */
  lrnWithin(s: LRNShape, x: Memory, scale: Memory, y: Memory): void
  /**
   * dx ← dy·scale^−β − 2αβ/size²·x·Σ ratio over the size×size window, ratio ← dy·x·scale^(−β − 1) (workspace). dx may
   * be dy.
   */
  lrnWithinGradient(s: LRNShape, x: Memory, scale: Memory, dy: Memory, ratio: Memory, dx: Memory): void
}
