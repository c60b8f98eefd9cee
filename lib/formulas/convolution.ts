import type { Memory } from '../memory.js'
import type { After } from './after.js'

/** Sizes of a convolution. Spatial arrays run over the spatial axes, outermost first (two of them for images). */
export interface ConvolutionShape {
  readonly batch: number
  /** C, input channels over all groups. */
  readonly channels: number
  /** M, output channels over all groups. */
  readonly outputs: number
  readonly group: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly pad: readonly number[]
  readonly dilation: readonly number[]
}

/** Windows of every size over any number of axes. */
export interface ConvolutionKernels {
  /** y ← after(w ∗ x + bias).  x: (N, C, in…), w: (M, C/group, kernel…), bias: (M) or null, y: (N, M, out…). */
  convolution(s: ConvolutionShape, x: Memory, w: Memory, bias: Memory | null, y: Memory, after?: After): void
  /** dx ← ∂E/∂x.  dy: (N, M, out…), w: (M, C/group, kernel…), dx: (N, C, in…). */
  convolutionInputGradient(s: ConvolutionShape, dy: Memory, w: Memory, dx: Memory): void
  /** dw ← dw + ∂E/∂w.  x: (N, C, in…), dy: (N, M, out…), dw: (M, C/group, kernel…). */
  convolutionWeightGradient(s: ConvolutionShape, x: Memory, dy: Memory, dw: Memory): void
  /**
   * y ← x under every kernel position, 0 in the padding.  x: (N, C, in…), y: (N, C·kernel…, out…). M and group are not
   * used.
   */
  im2col(s: ConvolutionShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of im2col applied to dy. */
  im2colGradient(s: ConvolutionShape, dy: Memory, dx: Memory): void
}
