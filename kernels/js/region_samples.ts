import type { RegionAlignShape, RegionShape } from '../../lib/engine.js'
import { cut, pictureOf } from './region_bins.js'

const f = Math.fround

/** One axis of a region's samples, `count` for each bin: the two pixels around each, and how much each of them weighs. */
export interface Samples {
  readonly count: number
  readonly low: Int32Array
  readonly high: Int32Array
  readonly ofLow: Float32Array
  readonly ofHigh: Float32Array
}

/** Samples of axis 0 (rows) or 1 (columns) of region r, evenly within its bins; more than a pixel outside weighs 0. */
export function samplesOf(s: RegionAlignShape, rois: ArrayLike<number>, r: number, axis: 0 | 1): Samples {
  const [bins, size, scale] = [s.output[axis], s.input[axis], f(s.scale)]
  const first = f(rois[5 * r + 2 - axis] * scale)
  const length = Math.max(f(f(rois[5 * r + 4 - axis] * scale) - first), 1)
  const bin = f(length / bins)
  const count = s.samples > 0 ? s.samples : Math.max(1, cut(Math.ceil(bin), Math.ceil((size + 1) / bins)))
  const all = bins * count
  const [low, high] = [new Int32Array(all), new Int32Array(all)]
  const [ofLow, ofHigh] = [new Float32Array(all), new Float32Array(all)]
  for (let i = 0; i < all; i++) {
    const p = Math.floor(i / count)
    const at = f(f(first + f(p * bin)) + f(f((i - p * count + 0.5) * bin) / count))
    if (!(at >= -1 && at <= size)) continue
    const inside = Math.max(at, 0)
    low[i] = Math.min(Math.floor(inside), size - 1)
    high[i] = Math.min(low[i] + 1, size - 1)
    ofHigh[i] = high[i] > low[i] ? f(inside - low[i]) : 0
    ofLow[i] = f(1 - ofHigh[i])
  }
  return { count, low, high, ofLow, ofHigh }
}

/** What a grid point weighs along one axis for a sample at ±½ of the region from −1 to 1: ½ where that is one point. */
function oddWeight(sample: number, point: number, first: number, last: number): number {
  const at = first === last ? 0 : f(f(f(2 * f(point - first)) / f(last - first)) - 1)
  return Math.max(f(1 - Math.abs(f(sample - Math.min(Math.max(at, -1), 1)))), 0)
}

/**
 * Calls visit for every bin: the plane of x (−1 if there is none), whether the bin is empty, and, the same arrays each
 * time, the first four grid points in it (−1: none) with what each weighs in each of the four samples.
 */
export function eachOddSample(
  s: RegionShape,
  rois: ArrayLike<number>,
  visit: (o: number, plane: number, empty: boolean, places: Int32Array, weights: Float32Array) => void,
): void {
  const [[H, W], [PH, PW]] = [s.input, s.output]
  const scale = f(s.scale)
  const [places, weights] = [new Int32Array(4), new Float32Array(16)]
  for (let r = 0, o = 0; r < s.regions; r++) {
    const n = pictureOf(s, rois, r)
    const [x1, y1, x2, y2] = [1, 2, 3, 4].map(i => f(rois[5 * r + i] * scale))
    const [binH, binW] = [f(Math.max(f(f(y2 - y1) + 1), 1) / PH), f(Math.max(f(f(x2 - x1) + 1), 1) / PW)]
    for (let c = 0; c < s.channels; c++)
      for (let p = 0; p < PH; p++)
        for (let q = 0; q < PW; q++, o++) {
          const [top, bottom] = [cut(f(f(p * binH) + y1), H), cut(f(f((p + 1) * binH) + y1), H)]
          const [left, right] = [cut(f(f(q * binW) + x1), W), cut(f(f((q + 1) * binW) + x1), W)]
          places.fill(-1)
          weights.fill(0)
          let k = 0
          for (let h = Math.ceil(top); h <= Math.floor(bottom) && h < H && k < 4; h++)
            for (let w = Math.ceil(left); w <= Math.floor(right) && w < W && k < 4; w++, k++) {
              places[k] = h * W + w
              for (let sample = 0; sample < 4; sample++) {
                const across = oddWeight(sample < 2 ? -0.5 : 0.5, w, x1, x2)
                weights[4 * sample + k] = f(across * oddWeight(sample % 2 ? 0.5 : -0.5, h, y1, y2))
              }
            }
          visit(o, n < 0 ? -1 : n * s.channels + c, bottom <= top || right <= left, places, weights)
        }
  }
}
