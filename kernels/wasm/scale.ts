/** What is done alike to all values of a channel. */
import { finished, slopes } from './after'
import { addChannelSums, ALL } from './channel_sums'
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller, storeLanes } from './vector'

@unmanaged
class ScaleJob {
  rows: i32
  channels: i32
  width: i32
  block: i32
  x: usize
  /** 0 for none. */
  mean: usize
  /** Or what is divided by. */
  factor: usize
  isDivisor: bool
  bias: usize
  y: usize
}

export function scaleChannels(
  outer: i32,
  channels: i32,
  inner: i32,
  x: usize,
  factor: usize,
  bias: usize,
  y: usize,
): void {
  runChannels(outer, channels, inner, x, 0, factor, false, bias, y)
}

export function normalizeChannels(
  batch: i32,
  channels: i32,
  inner: i32,
  x: usize,
  mean: usize,
  deviation: usize,
  y: usize,
): void {
  runChannels(batch, channels, inner, x, mean, deviation, true, 0, y)
}

function runChannels(
  outer: i32,
  channels: i32,
  inner: i32,
  x: usize,
  mean: usize,
  factor: usize,
  isDivisor: bool,
  bias: usize,
  y: usize,
): void {
  const s = changetype<ScaleJob>(job)
  // with nothing after the channels a row is a whole item, otherwise one channel of it
  s.rows = inner == 1 ? outer : outer * channels
  s.width = inner == 1 ? channels : inner
  if (s.rows <= 0 || s.width <= 0) return
  s.channels = channels
  s.block = larger(1, CHUNK_VALUES / s.width)
  s.x = x
  s.mean = mean
  s.factor = factor
  s.isDivisor = isDivisor
  s.bias = bias
  s.y = y
  run(inner == 1 ? itemsChunk : planesChunk, ceilDiv(s.rows, s.block))
}

@inline
function scaled(x: v128, mean: v128, factor: v128, bias: v128, slope: v128): v128 {
  return finished(madd(factor, f32x4.sub(x, mean), bias), slope)
}

function planesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ScaleJob>(job)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  const slope = slopes()
  for (let row = chunk * s.block; row < last; row++) {
    const c = bytes(row % s.channels)
    const given = load<f32>(s.factor + c)
    const factor = f32x4.splat(s.isDivisor ? 1 / given : given)
    // a distance that float32 cannot hold, divided by infinity, is 0
    const far = s.isDivisor && Math.abs(<f64>given) == Infinity
    const mean = s.mean && !far ? v128.load_splat<f32>(s.mean + c) : f32x4.splat(0)
    const bias = s.bias ? v128.load_splat<f32>(s.bias + c) : f32x4.splat(0)
    let x = s.x + <usize>row * bytes(s.width)
    let y = s.y + <usize>row * bytes(s.width)
    for (const end = x + bytes(s.width & ~3); x < end; x += 16, y += 16) v128.store(y, scaled(v128.load(x), mean, factor, bias, slope))
    if (s.width & 3) storeLanes(y, scaled(v128.load(x), mean, factor, bias, slope), s.width & 3)
  }
}

function itemsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ScaleJob>(job)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  const slope = slopes()
  const width = s.width
  const isDivisor = s.isDivisor
  // where there is no mean or no bias, the factors are read in its place
  const mean = s.mean ? s.mean : s.factor
  const bias = s.bias ? s.bias : s.factor
  const hasMean = i32x4.splat(s.mean ? -1 : 0)
  const hasBias = i32x4.splat(s.bias ? -1 : 0)
  for (let row = chunk * s.block; row < last; row++) {
    const x = s.x + <usize>row * bytes(width)
    const y = s.y + <usize>row * bytes(width)
    const factors = s.factor
    for (let i = 0; i < width; i += 4) {
      const at = bytes(i)
      let factor = v128.load(factors + at)
      let m = v128.and(v128.load(mean + at), hasMean)
      if (isDivisor) {
        factor = f32x4.div(f32x4.splat(1), factor)
        // a distance that float32 cannot hold, divided by infinity, is 0
        m = v128.and(m, f32x4.ne(factor, f32x4.splat(0)))
      }
      const b = v128.and(v128.load(bias + at), hasBias)
      put(y + at, scaled(v128.load(x + at), m, factor, b, slope), width - i)
    }
  }
}

export function scaleGradient(outer: i32, channels: i32, inner: i32, x: usize, dy: usize, dfactor: usize): void {
  addChannelSums(outer, channels, inner, ALL, x, dy, dfactor)
}
