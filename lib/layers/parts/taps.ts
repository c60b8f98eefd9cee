import type { FilledResizeLayerParameter } from '../../generated/caffe.js'
import type { MixedAxis, Taps } from './axis_mix.js'

type Resizing = Pick<
  FilledResizeLayerParameter,
  'method' | 'coordinates' | 'rounding' | 'cubic_coeff' | 'exclude_outside'
>

/** What each of `out` places takes of `size` places along an axis, with the factor that is between them. */
export function resizedAxis(axis: number, size: number, out: number, scale: number, p: Resizing): MixedAxis {
  const taps = (i: number): Taps => {
    const at = placeOf(i, size, out, scale, p)
    if (p.method === 'NEAREST') return [{ from: within(nearest(at, p.rounding), size), weight: 1 }]
    const low = Math.floor(at)
    const near = p.method === 'LINEAR' ? [0, 1] : [-1, 0, 1, 2]
    const weights = near.map(k => weightOf(at - low - k, p))
    const inside = near.map(k => !p.exclude_outside || within(low + k, size) === low + k)
    const total = weights.reduce((sum, weight, k) => sum + (inside[k] ? weight : 0), 0)
    return near
      .map((k, j) => ({ from: within(low + k, size), weight: inside[j] ? weights[j] / total : 0 }))
      .filter(({ weight }) => weight !== 0)
  }
  return { axis, out, most: { NEAREST: 1, LINEAR: 2, CUBIC: 4 }[p.method], taps }
}

/**
 * Where place i lies. NEAREST takes one place or another, so it computes as onnxruntime does, in float32: in float64 a
 * factor of 0.6 as a file has it leaves 3 / 0.6 just below 5. What weighs places is exact.
 */
function placeOf(i: number, size: number, out: number, factor: number, { method, coordinates }: Resizing): number {
  const rounded = method === 'NEAREST' ? Math.fround : (x: number) => x
  const scale = rounded(factor)
  switch (coordinates) {
    case 'ALIGN_CORNERS':
      return out === 1 ? 0 : rounded(rounded(i * (size - 1)) / (out - 1))
    case 'ASYMMETRIC':
      return rounded(i / scale)
    case 'TF_HALF_PIXEL_FOR_NN':
      return rounded((i + 0.5) / scale)
    case 'PYTORCH_HALF_PIXEL':
      return out === 1 ? 0 : rounded(rounded((i + 0.5) / scale) - 0.5)
    default:
      return rounded(rounded((i + 0.5) / scale) - 0.5)
  }
}

const within = (place: number, size: number): number => Math.min(size - 1, Math.max(0, place))

function nearest(at: number, rounding: Resizing['rounding']): number {
  if (rounding === 'FLOOR') return Math.floor(at)
  if (rounding === 'CEIL') return Math.ceil(at)
  return rounding === 'ROUND_PREFER_CEIL' ? Math.floor(at + 0.5) : Math.ceil(at - 0.5)
}

/** The weight of a place at a distance. */
function weightOf(distance: number, { method, cubic_coeff: a }: Resizing): number {
  const d = Math.abs(distance)
  if (method === 'LINEAR') return Math.max(0, 1 - d)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? a * (((d - 5) * d + 8) * d - 4) : 0
}
