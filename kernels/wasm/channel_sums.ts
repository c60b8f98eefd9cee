/** Sums over all places of a channel: what gradients of coefficients per channel are made of. */
import { CHUNK_VALUES } from './elementwise'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, demote, high, larger, low, madd, smaller, storeLanes } from './vector'

/** Which x count: all bits of a lane, or none. */
export const ALL: i32 = -1
export const NEGATIVE: i32 = 0

/** Values that are added up in float32 lanes; the runs of them are added up in double. */
const RUN: i32 = 64

@unmanaged
class ChannelSums {
  outer: i32
  channels: i32
  inner: i32
  /** A row, the values of one channel of one item, is cut into so many parts; a chunk is a block of parts. */
  parts: i32
  block: i32
  part: i32
  x: usize
  dy: usize
  sums: usize
}

/**
 * sums[c] ← sums[c] + Σ x·dy over outer and inner, with a `part` of NEGATIVE only over x ≤ 0.
 * x, dy: (outer, channels, inner), sums: (channels).
 */
export function addChannelSums(outer: i32, channels: i32, inner: i32, part: i32, x: usize, dy: usize, sums: usize): void {
  if (outer <= 0 || channels <= 0 || inner <= 0) return
  const s = changetype<ChannelSums>(job)
  // one channel lies in one piece
  s.outer = channels == 1 ? 1 : outer
  s.channels = channels
  s.inner = channels == 1 ? outer * inner : inner
  s.part = part
  s.x = x
  s.dy = dy
  if (s.inner == 1) {
    s.block = ceilDiv(larger(1, CHUNK_VALUES / outer), 4) * 4
    s.sums = sums
    run(columnsChunk, ceilDiv(channels, s.block))
    return
  }
  // memory is read in its own order: the rows of one channel are far from each other
  s.parts = ceilDiv(s.inner, CHUNK_VALUES)
  s.block = larger(1, CHUNK_VALUES / s.inner)
  const pieces = s.outer * channels * s.parts
  s.sums = sharedWorkspace(<usize>pieces << 3)
  run(partsChunk, ceilDiv(pieces, s.block))
  for (let c = 0; c < channels; c++) store<f32>(sums + bytes(c), <f32>(<f64>load<f32>(sums + bytes(c)) + totalOf(s, c)))
}

/** The sum of all parts of a channel. */
function totalOf(s: ChannelSums, c: i32): f64 {
  let sum: f64 = 0
  for (let n = 0; n < s.outer; n++) {
    const first = s.sums + ((<usize>((n * s.channels + c) * s.parts)) << 3)
    for (let i = 0; i < s.parts; i++) sum += load<f64>(first + ((<usize>i) << 3))
  }
  return sum
}

/** All bits of the lanes whose x counts. Both factors are cleared elsewhere: what is not finite there must not show. */
@inline
function counted(x: v128, all: v128): v128 {
  return v128.or(all, f32x4.le(x, f32x4.splat(0)))
}

/** Four channels at a time where nothing follows the channels. */
function columnsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ChannelSums>(job)
  const all = i32x4.splat(s.part)
  const last = smaller(s.channels, (chunk + 1) * s.block)
  const row = bytes(s.channels)
  for (let c = chunk * s.block; c < last; c += 4) {
    let a = f64x2.splat(0)
    let b = a
    let at = bytes(c)
    for (let n = 0; n < s.outer; n++, at += row) {
      const x = v128.load(s.x + at)
      const m = counted(x, all)
      const u = v128.and(x, m)
      const v = v128.and(v128.load(s.dy + at), m)
      a = f64x2.add(a, f64x2.mul(low(u), low(v)))
      b = f64x2.add(b, f64x2.mul(high(u), high(v)))
    }
    const p = s.sums + bytes(c)
    const before = v128.load(p)
    const result = demote(f64x2.add(low(before), a), f64x2.add(high(before), b))
    if (c + 4 <= last) v128.store(p, result)
    else storeLanes(p, result, last - c)
  }
}

function partsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ChannelSums>(job)
  const last = smaller(s.outer * s.channels * s.parts, (chunk + 1) * s.block)
  for (let i = chunk * s.block; i < last; i++) {
    const first = (i % s.parts) * CHUNK_VALUES
    const at = bytes((i / s.parts) * s.inner + first)
    const width = smaller(CHUNK_VALUES, s.inner - first)
    const sum = s.part == ALL ? sumOf(s.x + at, s.dy + at, width, ALL) : sumOf(s.x + at, s.dy + at, width, NEGATIVE)
    store<f64>(s.sums + ((<usize>i) << 3), sum)
  }
}

/** Σ x·dy of values that lie in a row. */
@inline
function sumOf(x: usize, dy: usize, width: i32, part: i32): f64 {
  const whole = i32x4.splat(-1)
  let sum = f64x2.splat(0)
  let j = 0
  while (j < width) {
    const end = smaller(width, j + RUN)
    let a = f32x4.splat(0)
    let b = a
    for (; j + 8 <= end; j += 8) {
      a = added(a, v128.load(x + bytes(j)), v128.load(dy + bytes(j)), whole, part)
      b = added(b, v128.load(x + bytes(j), 16), v128.load(dy + bytes(j), 16), whole, part)
    }
    // lanes past the end belong to the next row
    for (; j < end; j += 4) {
      const inside = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(end - j))
      a = added(a, v128.load(x + bytes(j)), v128.load(dy + bytes(j)), inside, part)
    }
    a = f32x4.add(a, b)
    sum = f64x2.add(sum, f64x2.add(low(a), high(a)))
  }
  const total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
  return isFinite(total) ? total : sumInDouble(x, dy, width, part)
}

/** The same, value by value in double: where float32 cannot hold a product or a run of them, the sum need not be. */
function sumInDouble(x: usize, dy: usize, width: i32, part: i32): f64 {
  let sum: f64 = 0
  for (const end = x + bytes(width); x < end; x += 4, dy += 4) {
    const value = load<f32>(x)
    if (part == ALL || value <= 0) sum += <f64>value * <f64>load<f32>(dy)
  }
  return sum
}

@inline
function added(sum: v128, x: v128, dy: v128, inside: v128, part: i32): v128 {
  const m = part == ALL ? inside : v128.and(inside, counted(x, i32x4.splat(part)))
  return madd(v128.and(x, m), v128.and(dy, m), sum)
}
