/** Sums along axes; what is added up is added in double, in an order that the shape alone decides. */
import { CHUNK_VALUES } from './elementwise'
import { job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, demote, high, larger, low, put, sign, smaller } from './vector'

/** f of reduce: the value itself (0), and these. The order is that of lib/engines/wasm/bind/axes.ts. */
const MAGNITUDE: i32 = 1
const SQUARE: i32 = 2

@unmanaged
class Reduction {
  operation: i32
  outer: i32
  inner: i32
  /** A row is cut into so many parts; if that is one, a chunk is a block of rows. */
  parts: i32
  block: i32
  coefficient: f64
  x: usize
  y: usize
  dy: usize
}

function describe(operation: i32, outer: i32, inner: i32, coefficient: f64, x: usize, y: usize, dy: usize): i32 {
  const r = changetype<Reduction>(job)
  r.operation = operation
  r.outer = outer
  r.inner = inner
  r.parts = larger(1, ceilDiv(inner, CHUNK_VALUES))
  r.block = larger(1, CHUNK_VALUES / larger(1, inner))
  r.coefficient = coefficient
  r.x = x
  r.y = y
  r.dy = dy
  return r.parts == 1 ? ceilDiv(outer, r.block) : outer * r.parts
}

export function reduce(operation: i32, outer: i32, inner: i32, coefficient: f64, x: usize, y: usize): void {
  const chunks = describe(operation, outer, inner, coefficient, x, y, 0)
  const r = changetype<Reduction>(job)
  if (r.parts == 1) {
    run(rowsChunk, chunks)
    return
  }
  r.y = sharedWorkspace(<usize>chunks << 3)
  run(partsChunk, chunks)
  for (let o = 0; o < outer; o++) {
    let sum: f64 = 0
    for (let i = o * r.parts; i < (o + 1) * r.parts; i++) sum += load<f64>(r.y + ((<usize>i) << 3))
    store<f32>(y + bytes(o), <f32>(coefficient * sum))
  }
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const r = changetype<Reduction>(job)
  const last = smaller(r.outer, (chunk + 1) * r.block)
  for (let o = chunk * r.block; o < last; o++) {
    store<f32>(r.y + bytes(o), <f32>(r.coefficient * sum(r.operation, r.inner, r.x + bytes(o * r.inner))))
  }
}

function partsChunk(chunk: i32, _workspace: usize): void {
  const r = changetype<Reduction>(job)
  const first = (chunk % r.parts) * CHUNK_VALUES
  const row = r.x + bytes((chunk / r.parts) * r.inner)
  store<f64>(r.y + ((<usize>chunk) << 3), sum(r.operation, smaller(CHUNK_VALUES, r.inner - first), row + bytes(first)))
}

/** Σ f(x) of n values. */
function sum(operation: i32, n: i32, x: usize): f64 {
  let a = f64x2.splat(0)
  let b = a
  for (let i = 0; i < n; i += 4) {
    let v = v128.load(x + bytes(i))
    if (i + 4 > n) v = v128.and(v, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n - i)))
    if (operation == MAGNITUDE) v = f32x4.abs(v)
    let u = low(v)
    let w = high(v)
    if (operation == SQUARE) {
      u = f64x2.mul(u, u)
      w = f64x2.mul(w, w)
    }
    a = f64x2.add(a, u)
    b = f64x2.add(b, w)
  }
  const both = f64x2.add(a, b)
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1)
}

export function reduceGradient(operation: i32, outer: i32, inner: i32, coefficient: f64, x: usize, dy: usize, dx: usize): void {
  run(gradientChunk, describe(operation, outer, inner, coefficient, x, dx, dy))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const r = changetype<Reduction>(job)
  const first = (chunk % r.parts) * CHUNK_VALUES
  const width = smaller(CHUNK_VALUES, r.inner - first)
  const row = r.parts == 1 ? chunk * r.block : chunk / r.parts
  const last = r.parts == 1 ? smaller(r.outer, row + r.block) : row + 1
  for (let o = row; o < last; o++) {
    const value = r.coefficient * <f64>load<f32>(r.dy + bytes(o))
    const factor = f32x4.splat(<f32>(r.operation == SQUARE ? 2 * value : value))
    const at = bytes(o * r.inner + first)
    for (let i = 0; i < width; i += 4) {
      let v = factor
      if (r.operation == MAGNITUDE) v = f32x4.mul(v, sign(v128.load(r.x + at + bytes(i))))
      else if (r.operation == SQUARE) v = f32x4.mul(v, v128.load(r.x + at + bytes(i)))
      put(r.y + at + bytes(i), v, width - i)
    }
  }
}

@unmanaged
class MiddleSum {
  outer: i32
  middle: i32
  inner: i32
  /** Columns that are summed in one go, a multiple of 4, and how many of such stripes are a chunk. */
  width: i32
  block: i32
  x: usize
  y: usize
}

export function sumMiddle(outer: i32, middle: i32, inner: i32, x: usize, y: usize): void {
  if (inner == 1) {
    reduce(0, outer, middle, 1, x, y)
    return
  }
  if (outer <= 0 || inner <= 0) return
  const s = changetype<MiddleSum>(job)
  s.outer = outer
  s.middle = middle
  s.inner = inner
  s.width = smaller(ceilDiv(inner, 4), larger(1, CHUNK_VALUES / 4 / larger(1, middle))) * 4
  s.block = larger(1, CHUNK_VALUES / larger(1, s.width * middle))
  s.x = x
  s.y = y
  run(middleChunk, ceilDiv(outer * ceilDiv(inner, s.width), s.block))
}

function middleChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<MiddleSum>(job)
  const stripes = ceilDiv(s.inner, s.width)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const row = bytes(s.inner)
  for (let t = chunk * s.block; t < last; t++) {
    const o = t / stripes
    const first = (t % stripes) * s.width
    const end = smaller(s.inner, first + s.width)
    for (let i = first; i < end; i += 4) {
      let x = s.x + bytes(o * s.middle * s.inner + i)
      let a = f64x2.splat(0)
      let b = a
      for (let m = 0; m < s.middle; m++, x += row) {
        const v = v128.load(x)
        a = f64x2.add(a, low(v))
        b = f64x2.add(b, high(v))
      }
      put(s.y + bytes(o * s.inner + i), demote(a, b), end - i)
    }
  }
}
