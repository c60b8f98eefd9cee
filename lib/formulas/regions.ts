import type { Memory } from '../memory.js'

/**
 * Sizes of a pooling of regions. rois: (regions, 5), each picture, x1, y1, x2, y2, in pixels of the picture; times
 * `scale` they are pixels of x.
 */
export interface RegionShape {
  readonly regions: number
  readonly batch: number
  /** Of y. */
  readonly channels: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  readonly scale: number
}

/** With so many samples along each axis of a bin; 0: one a pixel, rounded up, at most ⌈(size + 1) / bins⌉. */
export interface RegionAlignShape extends RegionShape {
  readonly samples: number
}

/** Pooling of regions: a region of a picture that there is not is 0, and no gradient leaves it. */
export interface RegionKernels {
  /**
   * y ← largest x of each bin of the region, whose corners are rounded; mask ← its index in the H×W plane, the first on
   * a tie; 0 and −1 where a bin is empty.  x: (batch, channels, H, W), y, mask: (regions, channels, PH, PW).
   * On a host engine the mask may be null: it is for the gradient.
   */
  roiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void
  /** dx ← 0, then dx[mask] += dy where the mask lies within the rounded corners. */
  roiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void
  /** y[r,c,p,q] ← mean of x[n, (c·PH + p)·PW + q] over bin (p, q) of the region; 0 where it is empty. */
  positionRoiPool(s: RegionShape, x: Memory, rois: Memory, y: Memory): void
  /** dx ← the adjoint of positionRoiPool applied to dy. */
  positionRoiPoolGradient(s: RegionShape, dy: Memory, rois: Memory, dx: Memory): void
  /** y ← mean of x between pixels at the samples of each bin, 0 for those more than a pixel outside. */
  roiAlign(s: RegionAlignShape, x: Memory, rois: Memory, y: Memory): void
  /** dx ← the adjoint of roiAlign applied to dy. */
  roiAlignGradient(s: RegionAlignShape, dy: Memory, rois: Memory, dx: Memory): void
  /**
   * y ← largest Σ weight·x of four samples, mask ← which (−1: none is above an empty bin's 0); a sample, at ±½ of the
   * region from −1 to 1, weighs the first four grid points in the bin.
   */
  roiAlignMax(s: RegionShape, x: Memory, rois: Memory, y: Memory, mask: Memory | null): void
  /** dx ← the adjoint of the samples that the mask names applied to dy. */
  roiAlignMaxGradient(s: RegionShape, dy: Memory, rois: Memory, mask: Memory, dx: Memory): void
}
