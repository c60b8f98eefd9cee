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
  { code, priors, variances }: BoxCoding,
  codes: Float32Array,
  first: number,
  step: number,
  out: Float32Array,
): void {
  for (let k = 0, l = 4 * first; k < priors.length; k += 4, l += 4 * step) {
    let a = codes[l]
    let b = codes[l + 1]
    let c = codes[l + 2]
    let d = codes[l + 3]
    if (variances) {
      a *= variances[k]
      b *= variances[k + 1]
      c *= variances[k + 2]
      d *= variances[k + 3]
    }
    const width = priors[k + 2] - priors[k]
    const height = priors[k + 3] - priors[k + 1]
    if (code === 'CENTER_SIZE') {
      const x = a * width + (priors[k] + priors[k + 2]) / 2
      const y = b * height + (priors[k + 1] + priors[k + 3]) / 2
      const halfWidth = (Math.exp(c) * width) / 2
      const halfHeight = (Math.exp(d) * height) / 2
      out[k] = x - halfWidth
      out[k + 1] = y - halfHeight
      out[k + 2] = x + halfWidth
      out[k + 3] = y + halfHeight
    } else {
      const scaled = code === 'CORNER_SIZE'
      out[k] = priors[k] + a * (scaled ? width : 1)
      out[k + 1] = priors[k + 1] + b * (scaled ? height : 1)
      out[k + 2] = priors[k + 2] + c * (scaled ? width : 1)
      out[k + 3] = priors[k + 3] + d * (scaled ? height : 1)
    }
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

/** Candidates that a key has room for, beside the 32 bits of a score. */
const KEY_ROOM = 2 ** 21

const score = new Float32Array(1)
const scoreBits = new Uint32Array(score.buffer)

/** A whole number that grows as a score falls. */
function falling(value: number): number {
  // + 0 makes one zero of the two
  score[0] = value + 0
  const bits = scoreBits[0]
  return bits & 0x80000000 ? bits : 0x7fffffff - bits
}

/** Put items[0 … count) in the order of falling scores[item·step + first]; equal ones stay as they are. */
export function sortByScore(items: Int32Array, count: number, scores: Float32Array, first = 0, step = 1): void {
  const given = items.slice(0, count)
  if (count > KEY_ROOM) {
    items.set(given.sort((a, b) => scores[b * step + first] - scores[a * step + first]))
    return
  }
  // a list of plain numbers is sorted without a call for every pair
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) keys[i] = falling(scores[given[i] * step + first]) * KEY_ROOM + i
  keys.sort()
  for (let i = 0; i < count; i++) items[i] = given[keys[i] % KEY_ROOM]
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

/**
 * Non-maximum suppression: of items[0 … count), best first, those stay at the front that overlap none of the kept by
 * more than `threshold`. Returns how many.
 */
export function suppress(
  boxes: Float32Array | Float64Array,
  items: Int32Array,
  count: number,
  threshold: number,
  { eta = 1, pixel = 0, most = count }: Suppression = {},
): number {
  const kept = new Float64Array(5 * Math.min(count, most))
  let end = 0
  let n = 0
  for (let i = 0; i < count && n < most; i++) {
    const k = 4 * items[i]
    const left = boxes[k]
    const top = boxes[k + 1]
    const right = boxes[k + 2]
    const bottom = boxes[k + 3]
    const area = Math.max(0, right - left + pixel) * Math.max(0, bottom - top + pixel)
    let free = true
    for (let j = 0; j < end; j += 5) {
      const width = Math.min(right, kept[j + 2]) - Math.max(left, kept[j]) + pixel
      if (!(width > 0)) continue
      const height = Math.min(bottom, kept[j + 3]) - Math.max(top, kept[j + 1]) + pixel
      if (!(height > 0)) continue
      const both = width * height
      if (both / (area + kept[j + 4] - both) > threshold) {
        free = false
        break
      }
    }
    if (!free) continue
    items[n++] = items[i]
    kept[end] = left
    kept[end + 1] = top
    kept[end + 2] = right
    kept[end + 3] = bottom
    kept[end + 4] = area
    end += 5
    if (eta < 1 && threshold > 0.5) threshold *= eta
  }
  return n
}
