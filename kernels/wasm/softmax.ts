import { CHUNK_VALUES } from './elementwise'
import { exp } from './exp_lanes'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, smaller, storeLanes, sumLanes } from './vector'

@unmanaged
class SoftmaxJob {
  outer: i32
  channels: i32
  inner: i32
  block: i32
  x: usize
  y: usize
  z: usize
}

/** Work is cut along the outer axis when each row is contiguous, else into stripes of four inner positions. */
@inline
function describe(outer: i32, channels: i32, inner: i32, x: usize, y: usize, z: usize): i32 {
  const s = changetype<SoftmaxJob>(job)
  const rows = inner == 1 ? outer : outer * ceilDiv(inner, 4)
  const width = inner == 1 ? channels : 4 * channels
  s.outer = outer
  s.channels = channels
  s.inner = inner
  // a value costs several times what it costs a copy
  s.block = larger(1, CHUNK_VALUES / 4 / larger(1, width))
  s.x = x
  s.y = y
  s.z = z
  return ceilDiv(rows, s.block)
}

export function softmax(outer: i32, channels: i32, inner: i32, x: usize, y: usize): void {
  if (outer <= 0 || channels <= 0 || inner <= 0) return
  const chunks = describe(outer, channels, inner, x, y, 0)
  run(inner == 1 ? rowsChunk : stripesChunk, chunks)
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<SoftmaxJob>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) softmaxRow(s.channels, s.x + <usize>row * bytes(s.channels), s.y + <usize>row * bytes(s.channels))
}

/** Lanes past the end of a row count as −∞. */
@inline
function lanes(x: usize, count: i32): v128 {
  const v = v128.load(x)
  return count >= 4 ? v : v128.bitselect(v, f32x4.splat(-Infinity), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)))
}

function softmaxRow(n: i32, x: usize, y: usize): void {
  let best = f32x4.splat(-Infinity)
  for (let i = 0; i < n; i += 4) best = f32x4.max(best, lanes(x + bytes(i), n - i))
  best = f32x4.max(best, v128.shuffle<f32>(best, best, 2, 3, 0, 1))
  best = f32x4.max(best, v128.shuffle<f32>(best, best, 1, 0, 3, 2))
  let sums = f32x4.splat(0)
  for (let i = 0; i < n; i += 4) {
    const e = exp(f32x4.sub(lanes(x + bytes(i), n - i), best))
    sums = f32x4.add(sums, e)
    if (i + 4 <= n) v128.store(y + bytes(i), e)
    else storeLanes(y + bytes(i), e, n - i)
  }
  const sum = f32x4.splat(sumLanes(sums))
  for (let i = 0; i < n; i += 4) {
    const p = f32x4.div(v128.load(y + bytes(i)), sum)
    if (i + 4 <= n) v128.store(y + bytes(i), p)
    else storeLanes(y + bytes(i), p, n - i)
  }
}

function stripesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<SoftmaxJob>(job)
  const stripes = ceilDiv(s.inner, 4)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const i = (t % stripes) * 4
    const width = smaller(4, s.inner - i)
    const start = <usize>(t / stripes) * <usize>s.channels * step + bytes(i)
    let best = f32x4.splat(-Infinity)
    let x = s.x + start
    for (let c = 0; c < s.channels; c++, x += step) best = f32x4.max(best, v128.load(x))
    let sum = f32x4.splat(0)
    x = s.x + start
    let y = s.y + start
    for (let c = 0; c < s.channels; c++, x += step, y += step) {
      const e = exp(f32x4.sub(v128.load(x), best))
      sum = f32x4.add(sum, e)
      put(y, e, width)
    }
    y = s.y + start
    for (let c = 0; c < s.channels; c++, y += step) put(y, f32x4.div(v128.load(y), sum), width)
  }
}

@inline
function put(p: usize, v: v128, width: i32): void {
  if (width == 4) v128.store(p, v)
  else storeLanes(p, v, width)
}

export function softmaxGradient(outer: i32, channels: i32, inner: i32, y: usize, dy: usize, dx: usize): void {
  if (outer <= 0 || channels <= 0 || inner <= 0) return
  const chunks = describe(outer, channels, inner, y, dx, dy)
  run(inner == 1 ? gradientRowsChunk : gradientStripesChunk, chunks)
}

function gradientRowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<SoftmaxJob>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  const n = s.channels
  for (let row = chunk * s.block; row < last; row++) {
    const at = <usize>row * bytes(n)
    const y = s.x + at
    const dy = s.z + at
    const dx = s.y + at
    let sums = f32x4.splat(0)
    let i = 0
    for (; i + 4 <= n; i += 4) sums = madd(v128.load(y + bytes(i)), v128.load(dy + bytes(i)), sums)
    let sum = sumLanes(sums)
    for (; i < n; i++) sum += load<f32>(y + bytes(i)) * load<f32>(dy + bytes(i))
    const dot = f32x4.splat(sum)
    for (i = 0; i < n; i += 4) {
      const v = f32x4.mul(v128.load(y + bytes(i)), f32x4.sub(v128.load(dy + bytes(i)), dot))
      put(dx + bytes(i), v, smaller(4, n - i))
    }
  }
}

function gradientStripesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<SoftmaxJob>(job)
  const stripes = ceilDiv(s.inner, 4)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const i = (t % stripes) * 4
    const width = smaller(4, s.inner - i)
    let at = <usize>(t / stripes) * <usize>s.channels * step + bytes(i)
    const start = at
    let dot = f32x4.splat(0)
    for (let c = 0; c < s.channels; c++, at += step) dot = madd(v128.load(s.x + at), v128.load(s.z + at), dot)
    at = start
    for (let c = 0; c < s.channels; c++, at += step) {
      put(s.y + at, f32x4.mul(v128.load(s.x + at), f32x4.sub(v128.load(s.z + at), dot)), width)
    }
  }
}
