/** Statistics of channels and what is made with them. x, y, dx, dy: (N, C, inner). A chunk is a block of channels; sums are double. */
import { CHUNK } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, high, larger, low, madd, smaller, storeLanes } from './vector'

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

@inline
function describe(batch: i32, channels: i32, inner: i32, x: usize, mean: usize, deviation: usize, dy: usize, y: usize): i32 {
  const s = changetype<Channels>(job)
  s.batch = batch
  s.channels = channels
  s.inner = inner
  s.block = larger(1, CHUNK / 2 / larger(1, batch * inner))
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

@inline
function total(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)
}

/** Σ x over one channel. */
function sum(s: Channels, x: usize, c: i32): f64 {
  let a = f64x2.splat(0)
  let b = a
  let rest: f64 = 0
  for (let n = 0; n < s.batch; n++) {
    let p = x + planeOf(s, n, c)
    for (const end = p + bytes(s.inner & ~3); p < end; p += 16) {
      const v = v128.load(p)
      a = f64x2.add(a, low(v))
      b = f64x2.add(b, high(v))
    }
    for (let i = s.inner & 3; i > 0; i--, p += 4) rest += <f64>load<f32>(p)
  }
  return total(f64x2.add(a, b)) + rest
}

/** Σ a·(b − centre) over one channel; a may be 0: Σ (b − centre)². */
function products(s: Channels, from: usize, b: usize, centre: f64, c: i32): f64 {
  const middle = f64x2.splat(centre)
  let u = f64x2.splat(0)
  let w = u
  let rest: f64 = 0
  for (let n = 0; n < s.batch; n++) {
    const at = planeOf(s, n, c)
    let p = b + at
    let q = from ? from + at : 0
    for (const end = p + bytes(s.inner & ~3); p < end; p += 16) {
      const v = v128.load(p)
      const first = f64x2.sub(low(v), middle)
      const second = f64x2.sub(high(v), middle)
      if (from) {
        const d = v128.load(q)
        u = f64x2.add(u, f64x2.mul(low(d), first))
        w = f64x2.add(w, f64x2.mul(high(d), second))
        q += 16
      } else {
        u = f64x2.add(u, f64x2.mul(first, first))
        w = f64x2.add(w, f64x2.mul(second, second))
      }
    }
    for (let i = s.inner & 3; i > 0; i--, p += 4, q += 4) {
      const v = <f64>load<f32>(p) - centre
      rest += from ? <f64>load<f32>(q) * v : v * v
    }
  }
  return total(f64x2.add(u, w)) + rest
}

/** mean[c] ← mean of x over N and inner, variance[c] ← mean of (x − mean[c])². */
export function channelStatistics(batch: i32, channels: i32, inner: i32, x: usize, mean: usize, variance: usize): void {
  run(statisticsChunk, describe(batch, channels, inner, x, mean, variance, 0, 0))
}

function statisticsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = <f64>s.batch * <f64>s.inner
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c++) {
    const centre = sum(s, s.x, c) / count
    store<f32>(s.mean + bytes(c), <f32>centre)
    store<f32>(s.deviation + bytes(c), <f32>(products(s, 0, s.x, centre, c) / count))
  }
}

/** y ← (x − mean[c]) / deviation[c]; y may be x. */
export function normalizeChannels(batch: i32, channels: i32, inner: i32, x: usize, mean: usize, deviation: usize, y: usize): void {
  run(normalizeChunk, describe(batch, channels, inner, x, mean, deviation, 0, y))
}

function normalizeChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c++) {
    const mean = v128.load_splat<f32>(s.mean + bytes(c))
    const deviation = v128.load_splat<f32>(s.deviation + bytes(c))
    for (let n = 0; n < s.batch; n++) {
      const at = planeOf(s, n, c)
      let x = s.x + at
      let y = s.y + at
      for (const end = x + bytes(s.inner & ~3); x < end; x += 16, y += 16) {
        v128.store(y, f32x4.div(f32x4.sub(v128.load(x), mean), deviation))
      }
      if (s.inner & 3) storeLanes(y, f32x4.div(f32x4.sub(v128.load(x), mean), deviation), s.inner & 3)
    }
  }
}

/** dx ← (dy − mean(dy) − y·mean(dy·y)) / deviation[c], y = (x − mean[c]) / deviation[c], means over N and inner. dx may be dy. */
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
  run(gradientChunk, describe(batch, channels, inner, x, mean, deviation, dy, dx))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Channels>(job)
  const count = <f64>s.batch * <f64>s.inner
  const last = lastOf(s, chunk)
  for (let c = chunk * s.block; c < last; c++) {
    const centre = load<f32>(s.mean + bytes(c))
    const width = load<f32>(s.deviation + bytes(c))
    const slope = products(s, s.dy, s.x, <f64>centre, c) / count / (<f64>width * <f64>width)
    const offset = f32x4.splat(<f32>(sum(s, s.dy, c) / count))
    const factor = f32x4.splat(<f32>-slope)
    const mean = f32x4.splat(centre)
    const deviation = f32x4.splat(width)
    for (let n = 0; n < s.batch; n++) {
      const at = planeOf(s, n, c)
      for (let i = 0; i < s.inner; i += 4) {
        const o = at + bytes(i)
        const v = madd(factor, f32x4.sub(v128.load(s.x + o), mean), f32x4.sub(v128.load(s.dy + o), offset))
        if (i + 4 <= s.inner) v128.store(s.y + o, f32x4.div(v, deviation))
        else storeLanes(s.y + o, f32x4.div(v, deviation), s.inner - i)
      }
    }
  }
}
