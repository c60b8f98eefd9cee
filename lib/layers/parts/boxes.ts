/**
 * Boxes of SSD: xmin, ymin, xmax, ymax in shares of the picture, four values each, one after the other in a
 * Float32Array; an index counts boxes.
 */
import type { PriorBoxParameter_CodeType } from '../../generated/caffe.js'

/** What codes are relative to. */
export interface BoxCoding {
  readonly code: PriorBoxParameter_CodeType
  readonly priors: Float32Array
  /** Four for each prior, by which codes are multiplied; null: they have been already. */
  readonly variances: Float32Array | null
}

/** Width × height; 0 for a box whose sides are the wrong way round. */
export function boxArea(boxes: Float32Array, i: number): number {
  const k = 4 * i
  const width = boxes[k + 2] - boxes[k]
  const height = boxes[k + 3] - boxes[k + 1]
  return width < 0 || height < 0 ? 0 : width * height
}

/** Intersection over union, 0 to 1. */
export function boxOverlap(a: Float32Array, i: number, b: Float32Array, j: number): number {
  const k = 4 * i
  const l = 4 * j
  const width = Math.min(a[k + 2], b[l + 2]) - Math.max(a[k], b[l])
  const height = Math.min(a[k + 3], b[l + 3]) - Math.max(a[k + 1], b[l + 1])
  if (!(width > 0 && height > 0)) return 0
  const both = width * height
  return both / (boxArea(a, i) + boxArea(b, j) - both)
}

/** Whether a side is outside of the picture. */
export function crossesBorder(boxes: Float32Array, i: number): boolean {
  for (let k = 4 * i; k < 4 * i + 4; k++) if (boxes[k] < 0 || boxes[k] > 1) return true
  return false
}

/** out ← the boxes of the codes first, first + step, … of `codes`, one for each prior. */
export function decodeBoxes(
  coding: BoxCoding,
  codes: Float32Array,
  first: number,
  step: number,
  out: Float32Array,
): void {
  for (let p = 0; 4 * p < coding.priors.length; p++) decodeBox(coding, p, codes, first + p * step, out, p)
}

/** Box `o` of `out` ← the box of code `c` of `codes`, which is relative to prior `p`. */
export function decodeBox(
  { code, priors, variances }: BoxCoding,
  p: number,
  codes: Float32Array,
  c: number,
  out: Float32Array,
  o: number,
): void {
  const k = 4 * p
  const l = 4 * c
  const to = 4 * o
  let across = codes[l]
  let down = codes[l + 1]
  let wide = codes[l + 2]
  let high = codes[l + 3]
  if (variances) {
    across *= variances[k]
    down *= variances[k + 1]
    wide *= variances[k + 2]
    high *= variances[k + 3]
  }
  const width = priors[k + 2] - priors[k]
  const height = priors[k + 3] - priors[k + 1]
  if (code === 'CENTER_SIZE') {
    const x = across * width + (priors[k] + priors[k + 2]) / 2
    const y = down * height + (priors[k + 1] + priors[k + 3]) / 2
    const halfWidth = (Math.exp(wide) * width) / 2
    const halfHeight = (Math.exp(high) * height) / 2
    out[to] = x - halfWidth
    out[to + 1] = y - halfHeight
    out[to + 2] = x + halfWidth
    out[to + 3] = y + halfHeight
  } else {
    const scaled = code === 'CORNER_SIZE'
    out[to] = priors[k] + across * (scaled ? width : 1)
    out[to + 1] = priors[k + 1] + down * (scaled ? height : 1)
    out[to + 2] = priors[k + 2] + wide * (scaled ? width : 1)
    out[to + 3] = priors[k + 3] + high * (scaled ? height : 1)
  }
}

/** out[0…3] ← the code of box `i` relative to prior `p`: the inverse of decodeBoxes. */
export function encodeBox(
  { code, priors, variances }: BoxCoding,
  p: number,
  boxes: Float32Array,
  i: number,
  out: Float32Array,
): void {
  const k = 4 * p
  const l = 4 * i
  const width = priors[k + 2] - priors[k]
  const height = priors[k + 3] - priors[k + 1]
  if (code === 'CENTER_SIZE') {
    out[0] = (boxes[l] + boxes[l + 2] - priors[k] - priors[k + 2]) / 2 / width
    out[1] = (boxes[l + 1] + boxes[l + 3] - priors[k + 1] - priors[k + 3]) / 2 / height
    out[2] = Math.log((boxes[l + 2] - boxes[l]) / width)
    out[3] = Math.log((boxes[l + 3] - boxes[l + 1]) / height)
  } else {
    const scaled = code === 'CORNER_SIZE'
    for (let s = 0; s < 4; s++) out[s] = (boxes[l + s] - priors[k + s]) / (scaled ? (s % 2 ? height : width) : 1)
  }
  if (variances) for (let s = 0; s < 4; s++) out[s] /= variances[k + s]
}

/** What differs between the forks' suppressions. */
export interface Suppression {
  /** After each kept box the threshold shrinks by this while it is above 0.5; 1 unless given. */
  readonly eta?: number
  /** By how much a side is longer than the difference of its ends: 1 where they are pixels, else 0. */
  readonly pixel?: 0 | 1
  /** Boxes that are kept at most; all unless given. */
  readonly most?: number
}

/** Boxes that do not overlap each other by more than a threshold, in the order in which they came. */
export class KeptBoxes {
  /** left, top, right, bottom and area of each. */
  private values = new Float64Array(5 * 8)
  private end = 0
  private threshold: number
  private readonly eta: number
  private readonly pixel: number

  constructor(threshold: number, { eta = 1, pixel = 0 }: Suppression = {}) {
    this.threshold = threshold
    this.eta = eta
    this.pixel = pixel
  }

  /** Takes box `i` and returns true, unless it overlaps one that is here by more than the threshold. */
  take(boxes: Float32Array | Float64Array, i: number): boolean {
    const { pixel, threshold, end, values: kept } = this
    const k = 4 * i
    const left = boxes[k]
    const top = boxes[k + 1]
    const right = boxes[k + 2]
    const bottom = boxes[k + 3]
    const area = Math.max(0, right - left + pixel) * Math.max(0, bottom - top + pixel)
    for (let j = 0; j < end; j += 5) {
      const width = Math.min(right, kept[j + 2]) - Math.max(left, kept[j]) + pixel
      if (!(width > 0)) continue
      const height = Math.min(bottom, kept[j + 3]) - Math.max(top, kept[j + 1]) + pixel
      if (!(height > 0)) continue
      const both = width * height
      if (both / (area + kept[j + 4] - both) > threshold) return false
    }
    this.keep(left, top, right, bottom, area)
    return true
  }

  private keep(left: number, top: number, right: number, bottom: number, area: number): void {
    const { end } = this
    if (end === this.values.length) {
      const larger = new Float64Array(2 * end)
      larger.set(this.values)
      this.values = larger
    }
    const { values } = this
    values[end] = left
    values[end + 1] = top
    values[end + 2] = right
    values[end + 3] = bottom
    values[end + 4] = area
    this.end = end + 5
    if (this.eta < 1 && this.threshold > 0.5) this.threshold *= this.eta
  }
}

/**
 * Non-maximum suppression: of items[0 … count), best first, those stay at the front that overlap none of the kept by
 * more than `threshold`. Returns how many.
 */
export function suppress(
  boxes: Float32Array | Float64Array,
  items: Int32Array,
  count: number,
  threshold: number,
  how: Suppression = {},
): number {
  const { most = count } = how
  const kept = new KeptBoxes(threshold, how)
  let n = 0
  for (let i = 0; i < count && n < most; i++) if (kept.take(boxes, items[i])) items[n++] = items[i]
  return n
}
