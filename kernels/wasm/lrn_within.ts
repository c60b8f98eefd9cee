/**
 * Local response normalization within a channel, over size×size windows cut off at the edges. A chunk is a block of
 * planes.
 */
import { CHUNK_VALUES } from './elementwise'
import { endGradientAt, LRN, normalizeAt, startGradientAt } from './lrn'
import { job, needWorkspace, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

function describe(planes: i32, height: i32, width: i32, size: i32, beta: f32, x: usize, scale: usize, y: usize): i32 {
  const s = changetype<LRN>(job)
  s.channels = planes
  s.plane = height
  s.width = width
  s.reach = (size - 1) / 2
  s.block = larger(1, CHUNK_VALUES / 4 / larger(1, height * width))
  s.beta = beta
  s.x = x
  s.scale = scale
  s.y = y
  needWorkspace(bytes(width + size + 8))
  return ceilDiv(planes, s.block)
}

export function lrnWithin(
  planes: i32,
  height: i32,
  width: i32,
  size: i32,
  alpha: f32,
  beta: f32,
  x: usize,
  scale: usize,
  y: usize,
): void {
  const chunks = describe(planes, height, width, size, beta, x, scale, y)
  changetype<LRN>(job).factor = alpha / <f32>(size * size)
  run(withinChunk, chunks)
}

export function lrnWithinGradient(
  planes: i32,
  height: i32,
  width: i32,
  size: i32,
  alpha: f32,
  beta: f32,
  x: usize,
  scale: usize,
  dy: usize,
  ratio: usize,
  dx: usize,
): void {
  const chunks = describe(planes, height, width, size, beta, x, scale, dx)
  const s = changetype<LRN>(job)
  s.factor = (2 * alpha * beta) / <f32>(size * size)
  s.dy = dy
  s.ratio = ratio
  run(gradientChunk, chunks)
}

function withinChunk(chunk: i32, row: usize): void {
  const s = changetype<LRN>(job)
  const last = smaller(s.channels, (chunk + 1) * s.block)
  const count = s.plane * s.width
  clearEdges(s, row)
  for (let p = chunk * s.block; p < last; p++) {
    const at = bytes(p * count)
    // all scales first: y may be x
    for (let h = 0; h < s.plane; h++) {
      addRows(s, s.x + at, h, true, row)
      const o = s.scale + at + bytes(h * s.width)
      for (let w = 0; w < s.width; w += 4) put(o + bytes(w), madd(f32x4.splat(s.factor), windowSum(s, row, w), f32x4.splat(1)), s.width - w)
    }
    for (let i = 0; i < count; i += 4) normalizeAt(s, at + bytes(i), count - i)
  }
}

function gradientChunk(chunk: i32, row: usize): void {
  const s = changetype<LRN>(job)
  const last = smaller(s.channels, (chunk + 1) * s.block)
  const count = s.plane * s.width
  clearEdges(s, row)
  for (let p = chunk * s.block; p < last; p++) {
    const at = bytes(p * count)
    for (let i = 0; i < count; i += 4) startGradientAt(s, at + bytes(i), count - i)
    for (let h = 0; h < s.plane; h++) {
      addRows(s, s.ratio + at, h, false, row)
      const o = at + bytes(h * s.width)
      for (let w = 0; w < s.width; w += 4) endGradientAt(s, o + bytes(w), windowSum(s, row, w), s.width - w)
    }
  }
}

/** `row` holds sums over the rows of a window, with zeros at both ends as far as windows reach out. */
function clearEdges(s: LRN, row: usize): void {
  memory.fill(row, 0, bytes(s.reach))
  memory.fill(row + bytes(s.reach + s.width), 0, bytes(s.reach + 4))
}

/** row[reach + w] ← Σ x (or x²) over the rows around h. */
function addRows(s: LRN, x: usize, h: i32, squared: bool, row: usize): void {
  const first = larger(h - s.reach, 0)
  const last = smaller(h + s.reach, s.plane - 1)
  for (let w = 0; w < s.width; w += 4) {
    let sum = f32x4.splat(0)
    let p = x + bytes(first * s.width + w)
    for (let r = first; r <= last; r++, p += bytes(s.width)) {
      const v = v128.load(p)
      sum = squared ? madd(v, v, sum) : f32x4.add(sum, v)
    }
    put(row + bytes(s.reach + w), sum, s.width - w)
  }
}

/** The sums of the windows around columns w … w + 3. */
@inline
function windowSum(s: LRN, row: usize, w: i32): v128 {
  let sum = f32x4.splat(0)
  for (let j = 0; j <= 2 * s.reach; j++) sum = f32x4.add(sum, v128.load(row + bytes(w + j)))
  return sum
}
