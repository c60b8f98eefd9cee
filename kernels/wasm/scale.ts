import { ALL, addChannelSums } from './channel_sums'
import { CHUNK } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

@unmanaged
class ScaleJob {
  rows: i32
  channels: i32
  width: i32
  block: i32
  x: usize
  factor: usize
  bias: usize
  y: usize
}

/** y ← factor[c]·x + bias[c].  x, y: (outer, channels, inner), factor: (channels), bias: (channels) or 0 (none); y may be x. */
export function scaleChannels(outer: i32, channels: i32, inner: i32, x: usize, factor: usize, bias: usize, y: usize): void {
  const s = changetype<ScaleJob>(job)
  // with nothing after the channels a row is a whole item, otherwise one channel of it
  s.rows = inner == 1 ? outer : outer * channels
  s.width = inner == 1 ? channels : inner
  if (s.rows <= 0 || s.width <= 0) return
  s.channels = channels
  s.block = larger(1, CHUNK / s.width)
  s.x = x
  s.factor = factor
  s.bias = bias
  s.y = y
  run(inner == 1 ? itemsChunk : planesChunk, ceilDiv(s.rows, s.block))
}

function planesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ScaleJob>(job)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) {
    const c = bytes(row % s.channels)
    const factor = v128.load_splat<f32>(s.factor + c)
    const bias = s.bias ? v128.load_splat<f32>(s.bias + c) : f32x4.splat(0)
    const at = <usize>row * bytes(s.width)
    for (let i = 0; i < s.width; i += 4) put(s.y + at + bytes(i), madd(factor, v128.load(s.x + at + bytes(i)), bias), s.width - i)
  }
}

function itemsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ScaleJob>(job)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) {
    const at = <usize>row * bytes(s.width)
    for (let i = 0; i < s.width; i += 4) {
      const bias = s.bias ? v128.load(s.bias + bytes(i)) : f32x4.splat(0)
      put(s.y + at + bytes(i), madd(v128.load(s.factor + bytes(i)), v128.load(s.x + at + bytes(i)), bias), s.width - i)
    }
  }
}

/** dfactor[c] ← dfactor[c] + Σ x·dy over outer and inner. */
export function scaleGradient(outer: i32, channels: i32, inner: i32, x: usize, dy: usize, dfactor: usize): void {
  addChannelSums(outer, channels, inner, ALL, x, dy, dfactor)
}
