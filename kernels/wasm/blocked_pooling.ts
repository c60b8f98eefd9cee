/**
 * Pooling of an image whose channels lie in blocks of 8, the values of a block beside each other: what stands between
 * primitives of the system's oneDNN on the native engine, whose own takes two to six times as long. See between_primitives.ts.
 */
import { asSum } from './threads'
import { larger, smaller } from './vector'

const LOWEST: f32 = -f32.MAX_VALUE
/** Bytes of the values of a block at one place. */
const PLACE: usize = 32

/** Words that lib/engines/native/onednn/pooling.ts writes. */
@unmanaged
class BlockedPooling {
  x: usize
  y: usize
  blocks: i32
  /** 0: the largest values of windows; 1: means over all of a window; 2: means over what lies in the picture. */
  method: i32
  H: i32
  W: i32
  OH: i32
  OW: i32
  KH: i32
  KW: i32
  SH: i32
  SW: i32
  PH: i32
  PW: i32
}

/** Pools as the words at byte offset `at` say, on the calling thread. */
export function poolBlocked(at: usize): void {
  const s = changetype<BlockedPooling>(at)
  if (s.method == 0) poolLargest(s)
  else poolMeans(s)
}

// functions of their own: of two branches that differ by a constant the optimizer makes one, which asks for each value
function poolLargest(s: BlockedPooling): void {
  poolBlocks(s, true)
}

function poolMeans(s: BlockedPooling): void {
  poolBlocks(s, false)
}

@inline
function poolBlocks(s: BlockedPooling, isMax: bool): void {
  const row = <usize>s.W * PLACE
  const rows = s.blocks * s.OH
  // windows first ≤ i < last of a row are not clipped at the sides
  const first = smaller(s.OW, (s.PW + s.SW - 1) / s.SW)
  const last = s.W + s.PW < s.KW ? first : larger(first, smaller(s.OW, (s.W + s.PW - s.KW) / s.SW + 1))
  for (let i = 0; i < rows; i++) {
    const block = i / s.OH
    const top = (i - block * s.OH) * s.SH - s.PH
    const h0 = larger(top, 0)
    const h = larger(smaller(top + s.KH, s.H) - h0, 0)
    const x = s.x + <usize>(block * s.H + h0) * row
    const y = s.y + <usize>(i * s.OW) * PLACE
    clipped(s, x, y, h, 0, first, isMax)
    const count = s.method == 1 ? s.KH * s.KW : h * s.KW
    const p = x + <usize>(first * s.SW - s.PW) * PLACE
    const to = y + <usize>first * PLACE
    const n = last - first
    if (h == 2 && s.KW == 2) squares(p, to, n, s.SW, row, 2, count, isMax)
    else if (h == 3 && s.KW == 3 && s.SW == 2 && n > 0) overlapping(p, to, n, row, count, isMax)
    else if (h == 3 && s.KW == 3) squares(p, to, n, s.SW, row, 3, count, isMax)
    else windows(p, to, n, s.SW, row, h, s.KW, count, isMax)
    clipped(s, x, y, h, last, s.OW, isMax)
  }
}

/** Windows `from` … `end` − 1 of a row, h values high. */
@inline
function clipped(s: BlockedPooling, x: usize, y: usize, h: i32, from: i32, end: i32, isMax: bool): void {
  for (let i = from; i < end; i++) {
    const left = i * s.SW - s.PW
    const w0 = larger(left, 0)
    const w = larger(smaller(left + s.KW, s.W) - w0, 0)
    const count = s.method == 1 ? s.KH * s.KW : h * w
    windows(x + <usize>w0 * PLACE, y + <usize>i * PLACE, 1, 0, <usize>s.W * PLACE, h, w, count, isMax)
  }
}

/** n windows of h × w values, `step` places apart, from p on; `count` is what sums are divided by. */
@inline
function windows(p: usize, y: usize, n: i32, step: i32, row: usize, h: i32, w: i32, count: i32, isMax: bool): void {
  const divisor = f32x4.splat(<f32>count)
  const jump = <usize>step * PLACE
  const wide = <usize>w * PLACE
  for (let i = 0; i < n; i++) {
    let q = asSum(p + <usize>i * jump)
    let a = f32x4.splat(isMax ? LOWEST : 0)
    let b = a
    for (let k = 0; k < h; k++, q += row) {
      for (let j: usize = 0; j < wide; j += PLACE) {
        a = take(a, v128.load(q + j), isMax)
        b = take(b, v128.load(q + j, 16), isMax)
      }
    }
    finish(y, a, b, divisor, isMax)
    y += PLACE
  }
}

/** The same of 2×2 or 3×3 values: loops within the loop over windows would take as long as what they do. */
@inline
function squares(p: usize, y: usize, n: i32, step: i32, row: usize, size: i32, count: i32, isMax: bool): void {
  const divisor = f32x4.splat(<f32>count)
  const jump = <usize>step * PLACE
  for (let i = 0; i < n; i++) {
    const q = asSum(p + <usize>i * jump)
    const r = q + row
    const start = f32x4.splat(isMax ? LOWEST : 0)
    let a = across(start, q, size, isMax)
    let b = across(start, q + 16, size, isMax)
    a = across(a, r, size, isMax)
    b = across(b, r + 16, size, isMax)
    if (size == 3) {
      a = across(a, r + row, size, isMax)
      b = across(b, r + row + 16, size, isMax)
    }
    finish(y, a, b, divisor, isMax)
    y += PLACE
  }
}

/** a and the values of 2 or 3 places in a row. */
@inline
function across(a: v128, p: usize, size: i32, isMax: bool): v128 {
  a = take(a, v128.load(p), isMax)
  a = take(a, v128.load(p, 32), isMax)
  return size == 3 ? take(a, v128.load(p, 64), isMax) : a
}

/** 3×3 values, two places apart: the last column of a window is the first one of the next. */
@inline
function overlapping(p: usize, y: usize, n: i32, row: usize, count: i32, isMax: bool): void {
  const divisor = f32x4.splat(<f32>count)
  let a = below(v128.load(p), v128.load(p + row), v128.load(p + 2 * row), isMax)
  let b = below(v128.load(p, 16), v128.load(p + row, 16), v128.load(p + 2 * row, 16), isMax)
  for (let i = 0; i < n; i++) {
    const q = asSum(p + <usize>(2 * i) * PLACE)
    const r = q + row
    const s = r + row
    const c = below(v128.load(q, 64), v128.load(r, 64), v128.load(s, 64), isMax)
    const d = below(v128.load(q, 80), v128.load(r, 80), v128.load(s, 80), isMax)
    a = take(a, below(v128.load(q, 32), v128.load(r, 32), v128.load(s, 32), isMax), isMax)
    b = take(b, below(v128.load(q, 48), v128.load(r, 48), v128.load(s, 48), isMax), isMax)
    finish(y, take(a, c, isMax), take(b, d, isMax), divisor, isMax)
    a = c
    b = d
    y += PLACE
  }
}

/** Three values of a column. */
@inline
function below(a: v128, b: v128, c: v128, isMax: bool): v128 {
  const start = f32x4.splat(isMax ? LOWEST : 0)
  return take(take(take(start, a, isMax), b, isMax), c, isMax)
}

@inline
function finish(y: usize, a: v128, b: v128, divisor: v128, isMax: bool): void {
  v128.store(y, isMax ? a : f32x4.div(a, divisor))
  v128.store(y, isMax ? b : f32x4.div(b, divisor), 16)
}

/** pmax is a where it is not below v, so NaN never wins, as with >. */
@inline
function take(a: v128, v: v128, isMax: bool): v128 {
  return isMax ? f32x4.pmax(a, v) : f32x4.add(a, v)
}
