import type { Memory } from '../memory.js'

/**
 * Sizes of a comparison of two pictures: patches of the first with those of the second that are displaced. Pairs are rows
 * and columns, in pixels; outside the pictures are zeros.
 */
export interface CostVolumeShape {
  readonly batch: number
  readonly channels: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  /** Side of a patch. */
  readonly kernel: number
  /** From one patch to the next. */
  readonly stride: number
  /** Where the first patch begins, below 0 in what is outside. */
  readonly start: readonly [number, number]
  /** The first displacement. */
  readonly shift: readonly [number, number]
  /** How many displacements there are. */
  readonly shifts: readonly [number, number]
  /** From one displacement to the next. */
  readonly step: number
  /** |a − b| in place of a·b. */
  readonly subtract: boolean
}

/** Sizes of pictures that a flow moves, and what stands where it leads out of them. */
export interface FlowWarpShape {
  readonly batch: number
  readonly channels: number
  readonly height: number
  readonly width: number
  /** 0 or NaN. */
  readonly outside: number
}

/** Two pictures beside each other. */
export interface FlowKernels {
  /**
   * y[n,d,i,j] ← the mean, over channels and the patch at (i, j), of a·b, or |a − b|, b displaced by d.  a, b: (N, C, H,
   * W), y: (N, displacements, h, w).
   */
  costVolume(s: CostVolumeShape, a: Memory, b: Memory, y: Memory): void
  /** dx ← the adjoint of costVolume applied to dy, by x, which is b where it is the `second`, and `other` a. */
  costVolumeGradient(s: CostVolumeShape, second: boolean, x: Memory, other: Memory, dy: Memory, dx: Memory): void
  /**
   * y[n,c,i,j] ← x[n,c] between the pixels around (i + flow[n,1], j + flow[n,0]), each in [i,j]; `outside` where that is not
   * in the picture.  x, y: (N, C, H, W), flow: (N, 2, H, W).
   */
  flowWarp(s: FlowWarpShape, x: Memory, flow: Memory, y: Memory): void
  /** dx ← the adjoint of flowWarp applied to dy. */
  flowWarpGradient(s: FlowWarpShape, flow: Memory, dy: Memory, dx: Memory): void
  /** dflow ← Σ over channels dy·∂y/∂flow, the slope to the right and below; 0 where the flow leads out. */
  flowWarpFlowGradient(s: FlowWarpShape, x: Memory, flow: Memory, dy: Memory, dflow: Memory): void
}
