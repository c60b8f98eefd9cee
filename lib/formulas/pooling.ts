import type { Memory } from '../memory.js'
import type { RandomStream } from '../rng.js'

/** Sizes of a 2-D pooling: each pair is [height, width]. `planes` is N·C. */
export interface PoolingShape {
  readonly planes: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly pad: readonly [number, number]
}

/** Windows over planes. */
export interface PoolingKernels {
  /**
   * y ← largest x of each window, mask ← its index in the H×W plane (the first one, in row-major order, on a tie; −1
   * where none is above −FLT_MAX).
   * On a host engine the mask may be null: it is for the gradient.
   */
  maxPool(s: PoolingShape, x: Memory, y: Memory, mask: Memory | null): void
  /** dx ← 0, then dx[mask] += dy. */
  maxPoolGradient(s: PoolingShape, dy: Memory, mask: Memory, dx: Memory): void
  /** y ← mean x of each window, divided by the window's area clipped to size + pad. */
  averagePool(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of averagePool applied to dy. */
  averagePoolGradient(s: PoolingShape, dy: Memory, dx: Memory): void
  /**
   * y ← one x of each window, drawn with probability max(x, 0) / Σ max(x, 0) (the first if all are 0), mask ← its
   * index, so that maxPoolGradient is the gradient; window i uses uint32 number i of the stream's iteration.
   */
  stochasticPool(s: PoolingShape, x: Memory, stream: RandomStream, y: Memory, mask: Memory): void
  /** y ← Σ max(x, 0)² / Σ max(x, 0) of each window, the mean of stochasticPool; 0 if no x is positive. */
  stochasticMean(s: PoolingShape, x: Memory, y: Memory): void
  /** dx ← the sum over windows of dy·(2x − y) / Σ max(x, 0) where x > 0. */
  stochasticMeanGradient(s: PoolingShape, x: Memory, y: Memory, dy: Memory, dx: Memory): void
}
