import type { Memory } from '../memory.js'

/** A part of planes of `input` sizes, `size` from `offset` on, brought to `output` sizes: each pair is [height, width]. */
export interface InterpShape {
  readonly planes: number
  readonly input: readonly [number, number]
  readonly offset: readonly [number, number]
  readonly size: readonly [number, number]
  readonly output: readonly [number, number]
}

/**
 * x: (outer, size, inner) becomes (outer, out, inner). Each of the `out` places takes `taps` places of x at most;
 * `nothing` stands where there is none.
 */
export interface TapsShape {
  readonly outer: number
  readonly size: number
  readonly out: number
  readonly inner: number
  readonly taps: number
  readonly nothing: number
}

/** Planes of `places` values, each of which belongs to one of `size` places of a larger plane. */
export interface UnpoolShape {
  readonly planes: number
  readonly places: number
  readonly size: number
}

/** Planes and axes in other sizes. */
export interface ResizeKernels {
  /**
   * y[i, j] ← x between the places around i·(h − 1)/(H′ − 1), j·(w − 1)/(W′ − 1) of the part of x: corners stay
   * corners, without smoothing; the first place where an output is 1.
   */
  interp(s: InterpShape, x: Memory, y: Memory): void
  /** dx ← the adjoint of interp applied to dy; 0 outside the part. */
  interpGradient(s: InterpShape, dy: Memory, dx: Memory): void
  /** y ← 0, then y[mask] ← x in each plane, the last of equal places; masks beyond the plane are left out. */
  unpool(s: UnpoolShape, x: Memory, mask: Memory, y: Memory): void
  /** dx ← dy[mask] in each plane, 0 for masks beyond it. */
  unpoolGradient(s: UnpoolShape, dy: Memory, mask: Memory, dx: Memory): void
  /** y[p, i, j] ← x[p, ⌊i/factor⌋, ⌊j/factor⌋].  x: (planes, H, W), y: (planes, H·factor, W·factor). */
  enlarge(planes: number, height: number, width: number, factor: number, x: Memory, y: Memory): void
  /** dx ← the sum of each factor × factor block of dy. */
  enlargeGradient(planes: number, height: number, width: number, factor: number, dy: Memory, dx: Memory): void
  /**
   * y[o,j,i] ← Σₖ weight[j,k]·x[o,from[j,k],i] over the k whose place there is, `nothing` where there is none.  from,
   * weight: (out, taps), places below 2²⁴. Padding, slices and other sizes, axis by axis, and their adjoints.
   */
  mixAxis(s: TapsShape, from: Memory, weight: Memory, x: Memory, y: Memory): void
}
