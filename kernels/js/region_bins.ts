import type { RegionShape } from '../../lib/engine.js'

/** The picture that region r names, −1 if there is none: its values are 0 then, and no gradient leaves it. */
export function pictureOf(s: RegionShape, rois: ArrayLike<number>, r: number): number {
  const n = Math.trunc(rois[5 * r])
  return n >= 0 && n < s.batch ? n : -1
}

/** Half away from zero, as C rounds. */
export const rounded = (v: number): number => (v < 0 ? -Math.floor(0.5 - v) : Math.floor(v + 0.5))

/** v cut to 0 … n; 0 for what is no number. */
export const cut = (v: number, n: number): number => (v > 0 ? Math.min(v, n) : 0)

/** One axis of a region in pixels, both ends inside. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** Axis 0 (rows) or 1 (columns) of region r, scaled and then rounded, in single precision as Caffe has it. */
export function spanOf(s: RegionShape, rois: ArrayLike<number>, r: number, axis: 0 | 1): Span {
  const scale = Math.fround(s.scale)
  return {
    first: rounded(Math.fround(rois[5 * r + 2 - axis] * scale)),
    last: rounded(Math.fround(rois[5 * r + 4 - axis] * scale)),
  }
}

/**
 * ends ← where each bin of a span begins and ends within the plane, 2·bins numbers. Single precision decides: of 57
 * pixels in 7 bins the last one ends a pixel behind the span.
 */
export function wholeBins({ first, last }: Span, bins: number, size: number, ends: Int32Array): void {
  const bin = Math.fround(Math.max(last - first + 1, 1) / bins)
  for (let p = 0; p < bins; p++) {
    ends[2 * p] = cut(Math.floor(Math.fround(p * bin)) + first, size)
    ends[2 * p + 1] = cut(Math.ceil(Math.fround((p + 1) * bin)) + first, size)
  }
}

/** The same for a span whose ends are rounded before they are scaled, the last one reaching a whole pixel further. */
export function fractionBins(s: RegionShape, rois: ArrayLike<number>, r: number, axis: 0 | 1, ends: Int32Array): void {
  const f = Math.fround
  const [bins, scale] = [s.output[axis], f(s.scale)]
  const first = f(rounded(rois[5 * r + 2 - axis]) * scale)
  const last = f((rounded(rois[5 * r + 4 - axis]) + 1) * scale)
  const bin = f(Math.max(f(last - first), f(0.1)) / bins)
  for (let p = 0; p < bins; p++) {
    ends[2 * p] = cut(Math.floor(f(f(p * bin) + first)), s.input[axis])
    ends[2 * p + 1] = cut(Math.ceil(f(f((p + 1) * bin) + first)), s.input[axis])
  }
}
