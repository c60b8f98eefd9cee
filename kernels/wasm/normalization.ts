/** Statistics of channels and their gradient. x, y, dx, dy: (N, C, inner). A chunk is a block of channels. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, demote, high, larger, low, madd, put, smaller } from './vector'

@unmanaged
class Channels {
  batch: i32
  channels: i32
  inner: i32
  block: i32
  x: usize
  mean: usize
  deviation: usize
  dy: usize
  y: usize
}

/** Values that are added up in float32 lanes; the runs of them are added up in double. */
const RUN: i32 = 64

@inline
function describe(batch: i32, channels: i32, inner: i32, x: usize, mean: usize, deviation: usize, dy: usize, y: usize): i32 {
  const s = changetype<Channels>(job)
  s.batch = batch
  s.channels = channels
  s.inner = inner
  s.block = larger(1, CHUNK_VALUES / 2 / larger(1, batch * inner))
  // channels that lie side by side are taken by four
  if (inner == 1) s.block = ceilDiv(s.block, 4) * 4
  s.x = x
  s.mean = mean
  s.deviation = deviation
  s.dy = dy
  s.y = y
  return ceilDiv(channels, s.block)
}

@inline
function lastOf(s: Channels, chunk: i32): i32 {
  return smaller(s.channels, (chunk + 1) * s.block)
}

/** Byte offset of a channel of an image. */
@inline
function planeOf(s: Channels, n: i32, c: i32): usize {
  return <usize>(n * s.channels + c) * bytes(s.inner)
}

/** The sum of a as the first of two doubles, that of b as the second. */
@inline
function pairOfSums(a: v128, b: v128): v128 {
  // a0 + a2, b0 + b2, a1 + a3, b1 + b3
  const halves = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  return f64x2.add(low(halves), high(halves))
}

/** The first `count` lanes, 0 in the others. */
@inline
function lanes(v: v128, count: i32): v128 {
  return v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)))
}

/** Over one channel, d = x − centre: (Σ d, Σ d²), or (Σ dy, Σ dy·d) where dy is given. */
@inline
function moments(s: Channels, centre: f32, dy: usize, c: i32): v128 {
  const middle = f32x4.splat(centre)
  let sums = f64x2.splat(0)
  for (let n = 0; n < s.batch; n++) {
    const at = planeOf(s, n, c)
    const x = s.x + at
    const q = dy + at
    for (let i = 0; i < s.inner; ) {
      const end = smaller(s.inner, i + RUN)
      let a0 = f32x4.splat(0)
      let a1 = a0
      let b0 = a0
      let b1 = a0
      for (; i + 8 <= end; i += 8) {
        const d0 = f32x4.sub(v128.load(x + bytes(i)), middle)
        const d1 = f32x4.sub(v128.load(x + bytes(i), 16), middle)
        const v0 = dy ? v128.load(q + bytes(i)) : d0
        const v1 = dy ? v128.load(q + bytes(i), 16) : d1
        a0 = f32x4.add(a0, v0)
        a1 = f32x4.add(a1, v1)
        b0 = madd(v0, d0, b0)
        b1 = madd(v1, d1, b1)
      }
      for (; i < end; i += 4) {
        const d = lanes(f32x4.sub(v128.load(x + bytes(i)), middle), end - i)
        const v = dy ? lanes(v128.load(q + bytes(i)), end - i) : d
        a0 = f32x4.add(a0, v)
        b0 = madd(v, d, b0)
      }
      sums = f64x2.add(sums, pairOfSums(f32x4.add(a0, a1), f32x4.add(b0, b1)))
      i = end
    }
  }
  const both = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
  return isFinite(both) ? sums : momentsInDouble(s, centre, dy, c)
}

/** The same, value by value in double: where a run of values passes what float32 can hold, the sum need not. */
function momentsInDouble(s: Channels, centre: f32, dy: usize, c: i32): v128 {
  let a: f64 = 0
  let b: f64 = 0
  for (let n = 0; n < s.batch; n++) {
    const at = planeOf(s, n, c)
    for (let o = at; o < at + bytes(s.inner); o += 4) {
      const d = <f64>load<f32>(s.x + o) - <f64>centre
      const v = dy ? <f64>load<f32>(dy + o) : d
      a += v
      b += v * d
    }
  }
  return f64x2.replace_lane(f64x2.splat(a), 1, b)
}

/** (Σ d, Σ d²) */
function squares(s: Channels, centre: f32, c: i32): v128 {
  return moments(s, centre, 0, c)
}

export function channelStatistics(batch: i32, channels: i32, inner: i32, x: usize, mean: usize, variance: usize): void {
  run(inner == 1 ? statisticsColumnsChunk : statisticsChunk, describe(batch, channels, inner, x, mean, variance, 0, 0))
}

function statisticsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = <f64>s.batch * <f64>s.inner
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c++) {
    // seen from near the mean, the two sums have their full precision, whatever the mean is
    const near = <f32>(f64x2.extract_lane(squares(s, 0, c), 0) / count)
    const sums = squares(s, near, c)
    const rest = f64x2.extract_lane(sums, 0) / count
    // beside an infinite mean every distance is infinite or no number
    store<f32>(s.mean + bytes(c), isFinite(near) ? <f32>(<f64>near + rest) : near)
    store<f32>(s.deviation + bytes(c), <f32>Math.max(0, f64x2.extract_lane(sums, 1) / count - rest * rest))
  }
}

/** The same where nothing follows the channels: four channels at a time, in double. */
function statisticsColumnsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = f64x2.splat(<f64>s.batch)
  const row = bytes(s.channels)
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c += 4) {
    let a = f64x2.splat(0)
    let b = a
    let x = s.x + bytes(c)
    for (let n = 0; n < s.batch; n++, x += row) {
      const v = v128.load(x)
      a = f64x2.add(a, low(v))
      b = f64x2.add(b, high(v))
    }
    a = f64x2.div(a, count)
    b = f64x2.div(b, count)
    let u = f64x2.splat(0)
    let w = u
    x = s.x + bytes(c)
    for (let n = 0; n < s.batch; n++, x += row) {
      const v = v128.load(x)
      const d = f64x2.sub(low(v), a)
      const e = f64x2.sub(high(v), b)
      u = f64x2.add(u, f64x2.mul(d, d))
      w = f64x2.add(w, f64x2.mul(e, e))
    }
    put(s.mean + bytes(c), demote(a, b), last - c)
    put(s.deviation + bytes(c), demote(f64x2.div(u, count), f64x2.div(w, count)), last - c)
  }
}

export function normalizeChannelsGradient(
  batch: i32,
  channels: i32,
  inner: i32,
  x: usize,
  mean: usize,
  deviation: usize,
  dy: usize,
  dx: usize,
): void {
  run(inner == 1 ? gradientColumnsChunk : gradientChunk, describe(batch, channels, inner, x, mean, deviation, dy, dx))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = <f64>s.batch * <f64>s.inner
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c++) {
    const centre = load<f32>(s.mean + bytes(c))
    const width = load<f32>(s.deviation + bytes(c))
    const sums = moments(s, centre, s.dy, c)
    const offset = f32x4.splat(<f32>(f64x2.extract_lane(sums, 0) / count))
    const steep = <f32>(-f64x2.extract_lane(sums, 1) / count / (<f64>width * <f64>width))
    const slope = f32x4.splat(steep)
    const factor = f32x4.splat(1 / width)
    // 0 times a distance that float32 cannot hold is 0
    const mean = f32x4.splat(steep == 0 ? 0 : centre)
    for (let n = 0; n < s.batch; n++) {
      const at = planeOf(s, n, c)
      for (let i = 0; i < s.inner; i += 4) {
        const o = at + bytes(i)
        const v = madd(slope, f32x4.sub(v128.load(s.x + o), mean), f32x4.sub(v128.load(s.dy + o), offset))
        put(s.y + o, f32x4.mul(factor, v), s.inner - i)
      }
    }
  }
}

/** The same where nothing follows the channels. */
function gradientColumnsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = f64x2.splat(<f64>s.batch)
  const row = bytes(s.channels)
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c += 4) {
    const mean = v128.load(s.mean + bytes(c))
    const width = v128.load(s.deviation + bytes(c))
    const factor = f32x4.div(f32x4.splat(1), width)
    let a = f64x2.splat(0)
    let b = a
    let u = a
    let w = a
    let at = bytes(c)
    for (let n = 0; n < s.batch; n++, at += row) {
      const dy = v128.load(s.dy + at)
      const x = v128.load(s.x + at)
      a = f64x2.add(a, low(dy))
      b = f64x2.add(b, high(dy))
      u = f64x2.add(u, f64x2.mul(low(dy), f64x2.sub(low(x), low(mean))))
      w = f64x2.add(w, f64x2.mul(high(dy), f64x2.sub(high(x), high(mean))))
    }
    const offset = demote(f64x2.div(a, count), f64x2.div(b, count))
    u = f64x2.div(f64x2.div(u, count), f64x2.mul(low(width), low(width)))
    w = f64x2.div(f64x2.div(w, count), f64x2.mul(high(width), high(width)))
    const slope = f32x4.neg(demote(u, w))
    // 0 times a distance that float32 cannot hold is 0
    const middle = v128.and(mean, f32x4.ne(slope, f32x4.splat(0)))
    at = bytes(c)
    for (let n = 0; n < s.batch; n++, at += row) {
      const v = madd(slope, f32x4.sub(v128.load(s.x + at), middle), f32x4.sub(v128.load(s.dy + at), offset))
      put(s.y + at, f32x4.mul(factor, v), last - c)
    }
  }
}
