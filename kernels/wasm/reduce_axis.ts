/** Sums, products and best values along the middle axis of (outer, size, inner), in an order that the shape alone decides. */
import { reduce, reduceGradient } from './axes'
import { CHUNK_VALUES } from './elementwise'
import { exp } from './exp_lanes'
import { log } from './log_lanes'
import { job, run } from './threads'
import { bytes, ceilDiv, demote, high, larger, low, put, sign, smaller } from './vector'

/** The order is that of lib/engines/wasm/bind/named.ts; the first three are those of reduce. */
const SUM: i32 = 0
const ASUM: i32 = 1
const SUMSQ: i32 = 2
const MEAN: i32 = 3
const L2: i32 = 4
const LOG_SUM_EXP: i32 = 5
const PROD: i32 = 6
const MAX: i32 = 7
const MIN: i32 = 8
const ARGMAX: i32 = 9

@unmanaged
class Axis {
  operation: i32
  outer: i32
  size: i32
  inner: i32
  isLast: bool
  /** Columns that are taken in one go, and how many of such stripes are a chunk. */
  width: i32
  block: i32
  x: usize
  y: usize
  dy: usize
  dx: usize
}

function describe(operation: i32, outer: i32, size: i32, inner: i32, x: usize, y: usize): i32 {
  const s = changetype<Axis>(job)
  s.operation = operation
  s.outer = outer
  s.size = size
  s.inner = inner
  s.width = smaller(ceilDiv(inner, 4), larger(1, CHUNK_VALUES / 4 / larger(1, size))) * 4
  s.block = larger(1, CHUNK_VALUES / larger(1, smaller(s.width, inner) * size))
  s.x = x
  s.y = y
  return ceilDiv(outer * ceilDiv(inner, s.width), s.block)
}

export function reduceAxis(operation: i32, outer: i32, size: i32, inner: i32, isLast: bool, x: usize, y: usize): void {
  if (outer <= 0 || inner <= 0) return
  if (inner == 1 && operation <= MEAN) {
    reduce(operation == MEAN ? SUM : operation, outer, size, operation == MEAN ? 1 / <f64>size : 1, x, y)
    return
  }
  const chunks = describe(operation, outer, size, inner, x, y)
  changetype<Axis>(job).isLast = isLast
  run(stripesChunk, chunks)
}

function stripesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Axis>(job)
  const stripes = ceilDiv(s.inner, s.width)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const row = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const o = t / stripes
    const first = (t - o * stripes) * s.width
    const end = smaller(s.inner, first + s.width)
    for (let i = first; i < end; i += 4) {
      const x = s.x + <usize>(o * s.size) * row + bytes(i)
      put(s.y + <usize>o * row + bytes(i), s.inner == 1 ? ofRow(s, x) : ofColumns(s, x, row), end - i)
    }
  }
}

function ofColumns(s: Axis, x: usize, row: usize): v128 {
  const operation = s.operation
  if (operation == MAX) return largest(s.size, x, row)
  if (operation == MIN) return smallest(s.size, x, row)
  if (operation >= ARGMAX) return places(operation == ARGMAX, s.isLast, s.size, x, row)
  if (operation == PROD) return products(s.size, x, row)
  if (operation == LOG_SUM_EXP) {
    const m = largest(s.size, x, row)
    return f32x4.add(m, log(exponentials(s.size, x, row, m)))
  }
  let a = f64x2.splat(0)
  let b = a
  for (let j = 0; j < s.size; j++, x += row) {
    let v = v128.load(x)
    if (operation == ASUM) v = f32x4.abs(v)
    let u = low(v)
    let w = high(v)
    if (operation == SUMSQ || operation == L2) {
      u = f64x2.mul(u, u)
      w = f64x2.mul(w, w)
    }
    a = f64x2.add(a, u)
    b = f64x2.add(b, w)
  }
  if (operation == MEAN) {
    const n = f64x2.splat(<f64>s.size)
    return demote(f64x2.div(a, n), f64x2.div(b, n))
  }
  return operation == L2 ? demote(f64x2.sqrt(a), f64x2.sqrt(b)) : demote(a, b)
}

function largest(size: i32, x: usize, row: usize): v128 {
  let m = f32x4.splat(-Infinity)
  for (let j = 0; j < size; j++, x += row) m = f32x4.max(m, v128.load(x))
  return m
}

function smallest(size: i32, x: usize, row: usize): v128 {
  let m = f32x4.splat(Infinity)
  for (let j = 0; j < size; j++, x += row) m = f32x4.min(m, v128.load(x))
  return m
}

function products(size: i32, x: usize, row: usize): v128 {
  let a = f64x2.splat(1)
  let b = a
  for (let j = 0; j < size; j++, x += row) {
    const v = v128.load(x)
    a = f64x2.mul(a, low(v))
    b = f64x2.mul(b, high(v))
  }
  return demote(a, b)
}

/** e^(v − m), which is 1 where they are the same, infinite ones too. */
@inline
function below(v: v128, m: v128): v128 {
  return v128.bitselect(f32x4.splat(1), exp(f32x4.sub(v, m)), f32x4.eq(v, m))
}

function exponentials(size: i32, x: usize, row: usize, m: v128): v128 {
  let a = f64x2.splat(0)
  let b = a
  for (let j = 0; j < size; j++, x += row) {
    const e = below(v128.load(x), m)
    a = f64x2.add(a, low(e))
    b = f64x2.add(b, high(e))
  }
  return demote(a, b)
}

/** Where the best of each column is. */
function places(isLargest: bool, isLast: bool, size: i32, x: usize, row: usize): v128 {
  let best = v128.load(x)
  let place = i32x4.splat(0)
  for (let j = 1; j < size; j++) {
    x += row
    const v = v128.load(x)
    let better = isLargest ? f32x4.gt(v, best) : f32x4.lt(v, best)
    if (isLast) better = v128.or(better, f32x4.eq(v, best))
    best = v128.bitselect(v, best, better)
    place = v128.bitselect(i32x4.splat(j), place, better)
  }
  return f32x4.convert_i32x4_s(place)
}

/** The same of values side by side; the result is the first lane. */
function ofRow(s: Axis, x: usize): v128 {
  const operation = s.operation
  if (operation == LOG_SUM_EXP) {
    const m = f32x4.splat(bestOfRow(true, s.size, x))
    let a = f64x2.splat(0)
    for (let j = 0; j < s.size; j += 4) {
      const e = v128.and(below(v128.load(x + bytes(j)), m), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(s.size - j)))
      a = f64x2.add(a, f64x2.add(low(e), high(e)))
    }
    const sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1)
    return f32x4.add(m, log(f32x4.splat(<f32>sum)))
  }
  if (operation == L2) {
    let a = f64x2.splat(0)
    for (let j = 0; j < s.size; j += 4) {
      const v = v128.and(v128.load(x + bytes(j)), i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(s.size - j)))
      a = f64x2.add(a, f64x2.add(f64x2.mul(low(v), low(v)), f64x2.mul(high(v), high(v))))
    }
    return f32x4.splat(<f32>sqrt(f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1)))
  }
  if (operation == MAX || operation == MIN) return f32x4.splat(bestOfRow(operation == MAX, s.size, x))
  if (operation == PROD) {
    let product: f64 = 1
    for (let j = 0; j < s.size; j++) product *= <f64>load<f32>(x + bytes(j))
    return f32x4.splat(<f32>product)
  }
  return f32x4.splat(<f32>placeInRow(operation == ARGMAX, s.isLast, s.size, x))
}

function bestOfRow(isLargest: bool, size: i32, x: usize): f32 {
  let m = f32x4.splat(isLargest ? -Infinity : Infinity)
  const whole = size & ~3
  for (let j = 0; j < whole; j += 4) {
    const v = v128.load(x + bytes(j))
    m = isLargest ? f32x4.max(m, v) : f32x4.min(m, v)
  }
  const pair = v128.shuffle<f32>(m, m, 2, 3, 2, 3)
  m = isLargest ? f32x4.max(m, pair) : f32x4.min(m, pair)
  const other = v128.shuffle<f32>(m, m, 1, 1, 1, 1)
  m = isLargest ? f32x4.max(m, other) : f32x4.min(m, other)
  let best = f32x4.extract_lane(m, 0)
  for (let j = whole; j < size; j++) {
    const v = load<f32>(x + bytes(j))
    best = isLargest ? max(best, v) : min(best, v)
  }
  return best
}

function placeInRow(isLargest: bool, isLast: bool, size: i32, x: usize): i32 {
  let best = load<f32>(x)
  let place = 0
  for (let j = 1; j < size; j++) {
    const v = load<f32>(x + bytes(j))
    if (!((isLargest ? v > best : v < best) || (isLast && v == best))) continue
    best = v
    place = j
  }
  return place
}

export function reduceAxisGradient(
  operation: i32,
  outer: i32,
  size: i32,
  inner: i32,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
): void {
  if (outer <= 0 || inner <= 0) return
  if (inner == 1 && operation <= MEAN) {
    reduceGradient(operation == MEAN ? SUM : operation, outer, size, operation == MEAN ? 1 / <f64>size : 1, x, dy, dx)
    return
  }
  const chunks = describe(operation, outer, size, inner, x, y)
  const s = changetype<Axis>(job)
  s.dy = dy
  s.dx = dx
  run(gradientChunk, chunks)
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<Axis>(job)
  const stripes = ceilDiv(s.inner, s.width)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const row = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const o = t / stripes
    const first = (t - o * stripes) * s.width
    const end = smaller(s.inner, first + s.width)
    for (let i = first; i < end; i += 4) {
      const to = <usize>o * row + bytes(i)
      const from = <usize>(o * s.size) * row + bytes(i)
      if (s.inner == 1) rowGradient(s, from, to)
      else if (s.operation == PROD) for (let k = i; k < smaller(end, i + 4); k++) productGradient(s, from + bytes(k - i), row, to + bytes(k - i))
      else columnGradient(s, from, row, to, end - i)
    }
  }
}

/** dx of four columns at a time. */
function columnGradient(s: Axis, from: usize, row: usize, to: usize, rest: i32): void {
  const y = v128.load(s.y + to)
  const dy = v128.load(s.dy + to)
  let free = i32x4.splat(-1)
  for (let j = 0; j < s.size; j++, from += row) {
    const x = v128.load(s.x + from)
    put(s.dx + from, slopeOf(s, x, y, dy, free), rest)
    if (s.operation >= MAX) free = v128.andnot(free, f32x4.eq(x, y))
  }
}

/** dx of values side by side. */
function rowGradient(s: Axis, from: usize, to: usize): void {
  if (s.operation == PROD) {
    productGradient(s, from, 4, to)
    return
  }
  const y = v128.load_splat<f32>(s.y + to)
  const dy = v128.load_splat<f32>(s.dy + to)
  if (s.operation >= MAX) {
    let isFree = true
    const best = f32x4.extract_lane(y, 0)
    for (let j = 0; j < s.size; j++) {
      const isFirst = isFree && load<f32>(s.x + from + bytes(j)) == best
      store<f32>(s.dx + from + bytes(j), isFirst ? f32x4.extract_lane(dy, 0) : 0)
      if (isFirst) isFree = false
    }
    return
  }
  for (let j = 0; j < s.size; j += 4)
    put(s.dx + from + bytes(j), slopeOf(s, v128.load(s.x + from + bytes(j)), y, dy, y), s.size - j)
}

/** dy·∂y/∂x; `free` are the lanes whose best value has not come yet. */
@inline
function slopeOf(s: Axis, x: v128, y: v128, dy: v128, free: v128): v128 {
  const operation = s.operation
  if (operation >= MAX) return v128.and(dy, v128.and(free, f32x4.eq(x, y)))
  if (operation == SUM) return dy
  if (operation == MEAN) return f32x4.div(dy, f32x4.splat(<f32>s.size))
  if (operation == ASUM) return f32x4.mul(dy, sign(x))
  if (operation == SUMSQ) return f32x4.mul(dy, f32x4.add(x, x))
  if (operation == LOG_SUM_EXP) return f32x4.mul(dy, exp(f32x4.sub(x, y)))
  // L2
  return v128.and(f32x4.mul(dy, f32x4.div(x, y)), f32x4.ne(y, f32x4.splat(0)))
}

/** The product of all others: of those that are not 0, unless another one is. */
function productGradient(s: Axis, from: usize, row: usize, to: usize): void {
  let product = <f64>load<f32>(s.dy + to)
  let zeros = 0
  let at = s.x + from
  for (let j = 0; j < s.size; j++, at += row) {
    const v = load<f32>(at)
    if (v == 0) zeros++
    else product *= <f64>v
  }
  for (let j = 0; j < s.size; j++, from += row) {
    const v = load<f32>(s.x + from)
    const others = zeros - <i32>(v == 0)
    store<f32>(s.dx + from, <f32>(others > 0 ? 0 : product / (v == 0 ? 1 : <f64>v)))
  }
}
