import { addChannelSums, NEGATIVE } from './channel_sums'
import { CHUNK_VALUES } from './elementwise'
import { rectify, relu, reluGradient } from './relu'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, put, smaller } from './vector'

@unmanaged
class PReLU {
  isItem: bool
  rows: i32
  width: i32
  channels: i32
  block: i32
  x: usize
  slope: usize
  value: usize
  y: usize
}

export function prelu(outer: i32, channels: i32, inner: i32, x: usize, slope: usize, y: usize): void {
  if (channels == 1) relu(outer * inner, load<f32>(slope), x, y)
  else rectifyChannels(outer, channels, inner, x, slope, x, y)
}

export function preluGradient(outer: i32, channels: i32, inner: i32, x: usize, slope: usize, dy: usize, dx: usize): void {
  if (channels == 1) reluGradient(outer * inner, load<f32>(slope), x, dy, dx)
  else rectifyChannels(outer, channels, inner, x, slope, dy, dx)
}

/** y ← value where x > 0, else slope[c]·value. */
function rectifyChannels(outer: i32, channels: i32, inner: i32, x: usize, slope: usize, value: usize, y: usize): void {
  const s = changetype<PReLU>(job)
  // with nothing after the channels a row is a whole item, otherwise one channel of it
  s.isItem = inner == 1
  s.rows = s.isItem ? outer : outer * channels
  s.width = s.isItem ? channels : inner
  if (s.rows <= 0 || s.width <= 0) return
  s.channels = channels
  s.block = larger(1, CHUNK_VALUES / s.width)
  s.x = x
  s.slope = slope
  s.value = value
  s.y = y
  run(rowsChunk, ceilDiv(s.rows, s.block))
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<PReLU>(job)
  const last = smaller(s.rows, (chunk + 1) * s.block)
  for (let row = chunk * s.block; row < last; row++) {
    const at = <usize>row * bytes(s.width)
    const same = v128.load_splat<f32>(s.slope + bytes(row % s.channels))
    for (let i = 0; i < s.width; i += 4) {
      const o = at + bytes(i)
      const slope = s.isItem ? v128.load(s.slope + bytes(i)) : same
      put(s.y + o, rectify(v128.load(s.x + o), v128.load(s.value + o), slope), s.width - i)
    }
  }
}

export function preluSlopeGradient(outer: i32, channels: i32, inner: i32, x: usize, dy: usize, dslope: usize): void {
  addChannelSums(outer, channels, inner, NEGATIVE, x, dy, dslope)
}
