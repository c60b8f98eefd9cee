/** Sums over all places of a channel: what gradients of coefficients per channel are made of. */
import { CHUNK } from './elementwise'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, demote, high, larger, low, smaller, storeLanes } from './vector'

/** Which x count: all bits of a lane, or none. */
export const ALL: i32 = -1
export const NEGATIVE: i32 = 0

@unmanaged
class ChannelSums {
  outer: i32
  channels: i32
  inner: i32
  /** A channel's values are cut into so many parts; if that is one, a chunk is a block of channels. */
  parts: i32
  block: i32
  part: i32
  x: usize
  dy: usize
  sums: usize
}

/**
 * sums[c] ← sums[c] + Σ x·dy over outer and inner, in double, with a `part` of NEGATIVE only over x ≤ 0.
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
    s.block = ceilDiv(larger(1, CHUNK / outer), 4) * 4
    s.sums = sums
    run(columnsChunk, ceilDiv(channels, s.block))
    return
  }
  const count = outer * inner
  s.parts = ceilDiv(count, CHUNK)
  s.block = larger(1, CHUNK / count)
  s.sums = sharedWorkspace(<usize>(channels * s.parts) << 3)
  run(partsChunk, s.parts == 1 ? ceilDiv(channels, s.block) : channels * s.parts)
  for (let c = 0; c < channels; c++) {
    let sum: f64 = 0
    for (let i = c * s.parts; i < (c + 1) * s.parts; i++) sum += load<f64>(s.sums + ((<usize>i) << 3))
    store<f32>(sums + bytes(c), <f32>(<f64>load<f32>(sums + bytes(c)) + sum))
  }
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
  const parts = s.parts
  const first = parts == 1 ? chunk * s.block : chunk
  const last = parts == 1 ? smaller(s.channels, first + s.block) : first + 1
  for (let i = first; i < last; i++) store<f64>(s.sums + ((<usize>i) << 3), partOf(i / parts, (i % parts) * CHUNK))
}

/** The sum over values k … k + CHUNK − 1 of a channel, counted through all its rows. */
function partOf(c: i32, first: i32): f64 {
  const s = changetype<ChannelSums>(job)
  const all = i32x4.splat(s.part)
  // four sums that do not wait for each other
  let a = f64x2.splat(0)
  let b = a
  let d = a
  let e = a
  const end = smaller(s.outer * s.inner, first + CHUNK)
  for (let k = first; k < end; ) {
    const n = k / s.inner
    const i = k - n * s.inner
    const width = smaller(s.inner - i, end - k)
    const offset = bytes((n * s.channels + c) * s.inner + i)
    let x = s.x + offset
    let dy = s.dy + offset
    let j = 0
    for (; j + 8 <= width; j += 8, x += 32, dy += 32) {
      const m = counted(v128.load(x), all)
      const u = v128.and(v128.load(x), m)
      const v = v128.and(v128.load(dy), m)
      const o = counted(v128.load(x, 16), all)
      const w = v128.and(v128.load(x, 16), o)
      const z = v128.and(v128.load(dy, 16), o)
      a = f64x2.add(a, f64x2.mul(low(u), low(v)))
      b = f64x2.add(b, f64x2.mul(high(u), high(v)))
      d = f64x2.add(d, f64x2.mul(low(w), low(z)))
      e = f64x2.add(e, f64x2.mul(high(w), high(z)))
    }
    for (; j < width; j += 4, x += 16, dy += 16) {
      // lanes past the end belong to the next channel
      const m = v128.and(counted(v128.load(x), all), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(width - j)))
      const u = v128.and(v128.load(x), m)
      const v = v128.and(v128.load(dy), m)
      a = f64x2.add(a, f64x2.mul(low(u), low(v)))
      b = f64x2.add(b, f64x2.mul(high(u), high(v)))
    }
    k += width
  }
  const sums = f64x2.add(f64x2.add(a, b), f64x2.add(d, e))
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
}
