/**
 * Pictures in other sizes. A row of the picture is brought to the width of the output once, for as many rows of the
 * output as lie beside it; two such rows make a row of the output.
 */
import { CHUNK_VALUES } from './elementwise'
import { isDry, job, needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, evens, fillValues, larger, odds, put, smaller } from './vector'

@unmanaged
class Interp {
  planes: i32
  H: i32
  W: i32
  top: i32
  left: i32
  h: i32
  w: i32
  OH: i32
  OW: i32
  /** Rows of the output, or planes, a chunk. */
  block: i32
  x: usize
  y: usize
  /** For each column of the output: the left of the two it lies between (i32), and the shares of both. */
  columns: usize
  /** OW in whole vectors. */
  wide: i32
  /** Of the gradient, for each column of x: the first of `most` columns of y that may give it something (i32). */
  firsts: usize
  /** What each of them gives: (most, w in whole vectors). */
  shares: usize
  most: i32
}

@inline
function described(): Interp {
  return changetype<Interp>(job)
}

export function interpShape(planes: i32, H: i32, W: i32, top: i32, left: i32, h: i32, w: i32, OH: i32, OW: i32): void {
  const s = described()
  s.planes = planes
  s.H = H
  s.W = W
  s.top = top
  s.left = left
  s.h = h
  s.w = w
  s.OH = OH
  s.OW = OW
  s.wide = (OW + 3) & ~3
}

@inline
function stepOf(size: i32, output: i32): f32 {
  return output > 1 ? <f32>(size - 1) / <f32>(output - 1) : 0
}

/** What column j lies between: the last two with nothing of the first where it is the last; the only one twice. */
function describeColumns(s: Interp, beside: usize): void {
  s.columns = sharedWorkspace(3 * bytes(s.wide) + beside)
  if (isDry()) return
  const step = stepOf(s.w, s.OW)
  for (let j = 0; j < s.wide; j++) {
    const place = step * <f32>smaller(j, s.OW - 1)
    let from = smaller(<i32>place, s.w - 1)
    let share = place - <f32>from
    if (from == s.w - 1) {
      from = larger(0, s.w - 2)
      share = s.w > 1 ? 1 : 0
    }
    const at = s.columns + bytes(j)
    store<i32>(at, from)
    store<f32>(at + bytes(s.wide), 1 - share)
    store<f32>(at + 2 * bytes(s.wide), share)
  }
}

export function interp(x: usize, y: usize): void {
  const s = described()
  s.x = x
  s.y = y
  if (s.planes * s.OH * s.OW == 0) return
  s.block = larger(1, CHUNK_VALUES / s.OW)
  needWorkspace(2 * bytes(s.wide))
  describeColumns(s, 0)
  run(interpChunk, ceilDiv(s.planes * s.OH, s.block))
}

function interpChunk(chunk: i32, workspace: usize): void {
  const s = described()
  const last = smaller(s.planes * s.OH, (chunk + 1) * s.block)
  const step = stepOf(s.h, s.OH)
  // rows of the picture that lie in the workspace, the even ones in the first half
  let even = -1
  let odd = -1
  for (let row = chunk * s.block; row < last; row++) {
    const plane = row / s.OH
    const place = step * <f32>(row - plane * s.OH)
    const above = smaller(<i32>place, s.h - 1)
    const below = smaller(above + 1, s.h - 1)
    const share = place - <f32>above
    const first = plane * s.H + s.top
    for (let k = 0; k < 2; k++) {
      const source = first + (k ? below : above)
      if (source & 1) {
        if (odd != source) widen(s, source, workspace + bytes(s.wide))
        odd = source
      } else {
        if (even != source) widen(s, source, workspace)
        even = source
      }
    }
    const a = workspace + ((first + above) & 1 ? bytes(s.wide) : 0)
    const b = workspace + ((first + below) & 1 ? bytes(s.wide) : 0)
    const to = s.y + <usize>row * bytes(s.OW)
    if (share == 0) copyValues(to, a, s.OW)
    else mix(s.OW, a, 1 - share, b, share, to)
  }
}

/** v·share; where a place has no share of a value that is not finite either, as 0·∞ is no number. */
@inline
function part(v: v128, share: v128): v128 {
  return v128.and(f32x4.mul(v, share), f32x4.ne(share, f32x4.splat(0)))
}

/** A row of the picture in the width of the output. */
function widen(s: Interp, row: i32, to: usize): void {
  const from = s.x + <usize>row * bytes(s.W) + bytes(s.left)
  if (s.w == 1) {
    fillValues(to, s.wide, load<f32>(from))
    return
  }
  const size = bytes(s.wide)
  for (let at = s.columns, end = at + size; at < end; at += 16, to += 16) {
    const p = v128.load64_zero(from + bytes(load<i32>(at)))
    const q = v128.load64_zero(from + bytes(load<i32>(at + 8)))
    const low = v128.load64_lane(from + bytes(load<i32>(at + 4)), p, 1)
    const high = v128.load64_lane(from + bytes(load<i32>(at + 12)), q, 1)
    const left = part(evens(low, high), v128.load(at + size))
    v128.store(to, f32x4.add(left, part(odds(low, high), v128.load(at + 2 * size))))
  }
}

/** to ← u·a + v·b. */
function mix(n: i32, a: usize, u: f32, b: usize, v: f32, to: usize): void {
  const us = f32x4.splat(u)
  const vs = f32x4.splat(v)
  let i = 0
  for (; i + 8 <= n; i += 8, a += 32, b += 32, to += 32) {
    const low = f32x4.mul(us, v128.load(a))
    const high = f32x4.mul(us, v128.load(a, 16))
    v128.store(to, f32x4.add(low, f32x4.mul(vs, v128.load(b))))
    v128.store(to, f32x4.add(high, f32x4.mul(vs, v128.load(b, 16))), 16)
  }
  a -= bytes(i)
  b -= bytes(i)
  to -= bytes(i)
  for (; i < n; i += 4) {
    const at = bytes(i)
    put(to + at, f32x4.add(f32x4.mul(us, v128.load(a + at)), f32x4.mul(vs, v128.load(b + at))), n - i)
  }
}

/** A chunk is some planes. Rows of dy gather in a row of their own width, which is narrowed when it is complete. */
export function interpGradient(dy: usize, dx: usize): void {
  const s = described()
  s.x = dx
  s.y = dy
  if (s.planes * s.H * s.W == 0) return
  s.block = larger(1, CHUNK_VALUES / larger(1, s.OH * s.OW))
  needWorkspace(2 * bytes(s.wide))
  const step = stepOf(s.w, s.OW)
  s.most = step > 0 ? smaller(s.OW, <i32>Mathf.ceil(2 / step) + 3) : s.OW
  const narrow = bytes((s.w + 3) & ~3)
  describeColumns(s, narrow + <usize>s.most * narrow)
  if (!isDry()) describeShares(s, narrow)
  run(gradientChunk, ceilDiv(s.planes, s.block))
}

/** Which columns of y give a column of x something, and how much. */
function describeShares(s: Interp, narrow: usize): void {
  const size = bytes(s.wide)
  s.firsts = s.columns + 3 * size
  s.shares = s.firsts + narrow
  fillValues(s.firsts, (s.w + 3) & ~3, 0)
  fillValues(s.shares, s.most * ((s.w + 3) & ~3), 0)
  for (let c = 0, j = 0; c < s.w; c++) {
    // columns that lie between two before this one give it nothing
    while (j < s.OW && load<i32>(s.columns + bytes(j)) < c - 1) j++
    const first = smaller(j, s.OW - s.most)
    store<i32>(s.firsts + bytes(c), first)
    for (let t = 0; t < s.most; t++) {
      const at = s.columns + bytes(first + t)
      const from = load<i32>(at)
      if (from != c && from != c - 1) continue
      store<f32>(s.shares + <usize>t * narrow + bytes(c), load<f32>(at + (from == c ? size : 2 * size)))
    }
  }
}

function gradientChunk(chunk: i32, workspace: usize): void {
  const s = described()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const step = stepOf(s.h, s.OH)
  for (let plane = chunk * s.block; plane < last; plane++) {
    const dx = s.x + <usize>plane * bytes(s.H * s.W)
    const part = dx + bytes(s.top * s.W + s.left)
    fillValues(dx, s.H * s.W, 0)
    let upper = workspace
    let lower = workspace + bytes(s.wide)
    fillValues(workspace, 2 * s.wide, 0)
    let above = 0
    for (let i = 0; i < s.OH; i++) {
      const place = step * <f32>i
      const from = smaller(<i32>place, s.h - 1)
      const share = place - <f32>from
      while (above < from) {
        narrow(s, upper, part + bytes(above * s.W))
        fillValues(upper, s.wide, 0)
        const free = upper
        upper = lower
        lower = free
        above++
      }
      // the last row is its own neighbour, and has no share of it
      addScaled(s.OW, s.y + <usize>(plane * s.OH + i) * bytes(s.OW), 1 - share, upper, share, lower)
    }
    narrow(s, upper, part + bytes(above * s.W))
    if (above + 1 < s.h) narrow(s, lower, part + bytes((above + 1) * s.W))
  }
}

/** a ← a + u·row, b ← b + v·row, in whole vectors: what is beyond n is of nobody. */
function addScaled(n: i32, row: usize, u: f32, a: usize, v: f32, b: usize): void {
  const us = f32x4.splat(u)
  const vs = f32x4.splat(v)
  const end = row + bytes(n)
  if (v == 0) {
    for (; row < end; row += 16, a += 16) v128.store(a, f32x4.add(v128.load(a), f32x4.mul(us, v128.load(row))))
    return
  }
  for (; row < end; row += 16, a += 16, b += 16) {
    const values = v128.load(row)
    v128.store(a, f32x4.add(v128.load(a), f32x4.mul(us, values)))
    v128.store(b, f32x4.add(v128.load(b), f32x4.mul(vs, values)))
  }
}

/** to ← what the columns of a row give to each of `to`, which has been 0. */
function narrow(s: Interp, row: usize, to: usize): void {
  const next = bytes((s.w + 3) & ~3)
  for (let c = 0; c < s.w; c += 4) {
    const firsts = s.firsts + bytes(c)
    let a = row + bytes(load<i32>(firsts))
    let b = row + bytes(load<i32>(firsts, 4))
    let d = row + bytes(load<i32>(firsts, 8))
    let e = row + bytes(load<i32>(firsts, 12))
    let share = s.shares + bytes(c)
    let sum = f32x4.splat(0)
    for (let t = 0; t < s.most; t++, a += 4, b += 4, d += 4, e += 4, share += next) {
      let v = v128.load32_zero(a)
      v = v128.load_lane<f32>(b, v, 1)
      v = v128.load_lane<f32>(d, v, 2)
      v = v128.load_lane<f32>(e, v, 3)
      sum = f32x4.add(sum, part(v, v128.load(share)))
    }
    put(to + bytes(c), sum, s.w - c)
  }
}
