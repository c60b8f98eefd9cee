/** Largest values of windows. */
import { paddedLength, Pooling, pooling, roundedOW, begin, strided } from './pooling'
import { needWorkspace, run } from './threads'
import { bytes, evens, fillValues, larger, odds, put, select, smaller } from './vector'

const LOWEST: f32 = -f32.MAX_VALUE

/** Whether the windows are 2×2, next to each other, and cover the plane exactly. */
@inline
function isHalving(s: Pooling): bool {
  return s.KH == 2 && s.KW == 2 && s.SH == 2 && s.SW == 2 && (s.PH | s.PW) == 0 && s.H == 2 * s.OH && s.W == 2 * s.OW && s.OW >= 4
}

/**
 * A mask of 0 is none. The largest of each row of a window first, which the windows below share, then the largest of
 * these.
 */
export function maxPool(x: usize, y: usize, mask: usize): void {
  const s = pooling()
  needWorkspace(bytes(paddedLength(s) + 2 * s.KH * roundedOW(s)))
  run(maxChunk, begin(x, y, mask))
}

function maxChunk(chunk: i32, workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const inside = bytes(s.H * s.W)
  const outside = bytes(s.OH * s.OW)
  const halving = isHalving(s)
  const rows = workspace + bytes(paddedLength(s))
  if (!halving) fillValues(workspace, paddedLength(s), LOWEST)
  for (let i = chunk * s.block; i < last; i++) {
    const x = s.x + <usize>i * inside
    const y = s.y + <usize>i * outside
    const mask = s.mask ? s.mask + <usize>i * outside : 0
    if (halving && s.mask) maxHalvingPlane(s, x, y, mask, true)
    else if (halving) maxHalvingPlane(s, x, y, 0, false)
    else maxPlane(s, x, y, mask, workspace, rows)
  }
}

/** `rows` holds, for as many rows of x as a window is high, the largest value under each window and where it is. */
function maxPlane(s: Pooling, x: usize, y: usize, mask: usize, padded: usize, rows: usize): void {
  const stride = bytes(roundedOW(s))
  const froms = rows + <usize>s.KH * stride
  // unclipped windows in small steps are read where they lie
  const direct = s.first == 0 && s.last == s.OW && s.SW <= 4
  let done = 0
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.SH - s.PH
    const h0 = larger(top, 0)
    const h1 = smaller(top + s.KH, s.H)
    for (let h = larger(done, h0); h < h1; h++) {
      let p = x + bytes(h * s.W)
      if (!direct) {
        copyRow(p, s.W, padded + bytes(s.PW), LOWEST)
        p = padded
      }
      const slot = <usize>(h % s.KH) * stride
      const index = h * s.W - s.PW
      // the masks of other steps are not worth code without them
      if (s.SW == 1 && mask) maxRow(s, 1, p, index, rows + slot, froms + slot, true)
      else if (s.SW == 1) maxRow(s, 1, p, index, rows + slot, 0, false)
      else if (s.SW == 2 && mask) maxRow(s, 2, p, index, rows + slot, froms + slot, true)
      else if (s.SW == 2) maxRow(s, 2, p, index, rows + slot, 0, false)
      else maxRow(s, s.SW, p, index, rows + slot, froms + slot, true)
    }
    done = larger(done, h1)
    const at = bytes(oh * s.OW)
    const left = (s.OH - oh) * s.OW
    if (mask) maxOfRows(s, h0, h1, rows, froms - rows, y + at, mask + at, left, true)
    else maxOfRows(s, h0, h1, rows, 0, y + at, 0, left, false)
  }
}

/** Copies n values, and `pad` behind them. */
@inline
function copyRow(p: usize, n: i32, to: usize, pad: f32): void {
  for (const end = p + bytes(n); p < end; p += 16, to += 16) v128.store(to, v128.load(p))
  v128.store(to - (n & 3 ? bytes(4 - (n & 3)) : 0), f32x4.splat(pad))
}

/** row ← the largest of KW values from each `step`th on, from ← its index, the first being `index`. */
@inline
function maxRow(s: Pooling, step: i32, p: usize, index: i32, row: usize, from: usize, masked: bool): void {
  const end = row + bytes(s.OW)
  const KW = s.KW
  const lowest = f32x4.splat(LOWEST)
  const reach = 4 * step
  const jump = f32x4.splat(<f32>reach)
  let at = f32x4.add(f32x4.mul(f32x4(0, 1, 2, 3), f32x4.splat(<f32>step)), f32x4.splat(<f32>index))
  for (; row < end; row += 16, p += bytes(reach)) {
    const u = strided(p, step)
    // pmax is best where it is not below v, so NaN never wins, as with >
    let best = f32x4.pmax(lowest, u)
    let tap = f32x4.splat(0)
    if (KW == 3) {
      const v = step == 2 ? odds(v128.load(p), v128.load(p, 16)) : strided(p + 4, step)
      if (masked) tap = v128.and(f32x4.splat(1), f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      const w = step == 2 ? v128.shuffle<f32>(u, v128.load(p, 32), 1, 2, 3, 4) : strided(p + 8, step)
      if (masked) tap = select(f32x4.splat(2), tap, f32x4.gt(w, best))
      best = f32x4.pmax(best, w)
    } else {
      for (let k = 1; k < KW; k++) {
        const v = strided(p + bytes(k), step)
        if (masked) tap = select(f32x4.splat(<f32>k), tap, f32x4.gt(v, best))
        best = f32x4.pmax(best, v)
      }
    }
    v128.store(row, best)
    if (!masked) continue
    v128.store(from, f32x4.add(at, tap))
    from += 16
    at = f32x4.add(at, jump)
  }
}

/**
 * y ← the largest of rows h0 … h1 − 1, the first one on a tie. Rows that have nothing above −FLT_MAX never win. What
 * whole vectors write beyond the row, where the plane has so many values left, is written again.
 */
@inline
function maxOfRows(s: Pooling, h0: i32, h1: i32, rows: usize, froms: usize, y: usize, mask: usize, left: i32, masked: bool): void {
  const KH = s.KH
  const stride = bytes(roundedOW(s))
  const size = bytes(s.OW)
  if (h0 >= h1) {
    fillValues(y, s.OW, LOWEST)
    if (masked) fillValues(mask, s.OW, -1)
  }
  // three rows at a time; the last one stands for those that are missing
  for (let h = h0; h < h1; h += 3) {
    const a = rows + <usize>(h % KH) * stride
    const b = rows + <usize>(smaller(h + 1, h1 - 1) % KH) * stride
    const c = rows + <usize>(smaller(h + 2, h1 - 1) % KH) * stride
    for (let i: usize = 0, rest = left; i < size; i += 16, rest -= 4) {
      const begins = h == h0
      let best = begins ? f32x4.splat(LOWEST) : v128.load(y + i)
      let from = f32x4.splat(-1)
      if (masked && !begins) from = v128.load(mask + i)
      const u = v128.load(a + i)
      const v = v128.load(b + i)
      const w = v128.load(c + i)
      if (masked) from = select(v128.load(a + froms + i), from, f32x4.gt(u, best))
      best = f32x4.pmax(best, u)
      if (masked) from = select(v128.load(b + froms + i), from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      if (masked) from = select(v128.load(c + froms + i), from, f32x4.gt(w, best))
      best = f32x4.pmax(best, w)
      put(y + i, best, rest)
      if (masked) put(mask + i, from, rest)
    }
  }
}

@inline
function maxHalvingPlane(s: Pooling, x: usize, y: usize, mask: usize, masked: bool): void {
  const row = bytes(s.W)
  const one = f32x4.splat(1)
  const W = f32x4.splat(<f32>s.W)
  for (let oh = 0; oh < s.OH; oh++) {
    for (let i = 0; i < s.OW; i += 4) {
      const j = smaller(i, s.OW - 4)
      const index = 2 * oh * s.W + 2 * j
      const p = x + bytes(index)
      const a0 = v128.load(p)
      const a1 = v128.load(p, 16)
      const b0 = v128.load(p + row)
      const b1 = v128.load(p + row, 16)
      let best = f32x4.splat(LOWEST)
      let from = f32x4.splat(-1)
      let at = f32x4.add(f32x4(0, 2, 4, 6), f32x4.splat(<f32>index))
      let v = evens(a0, a1)
      from = select(at, from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      v = odds(a0, a1)
      from = select(f32x4.add(at, one), from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      at = f32x4.add(at, W)
      v = evens(b0, b1)
      from = select(at, from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      v = odds(b0, b1)
      const to = bytes(oh * s.OW + j)
      if (masked) v128.store(mask + to, select(f32x4.add(at, one), from, f32x4.gt(v, best)))
      v128.store(y + to, f32x4.pmax(best, v))
    }
  }
}

export function maxPoolGradient(dy: usize, mask: usize, dx: usize): void {
  run(maxGradientChunk, begin(dx, dy, mask))
}

function maxGradientChunk(chunk: i32, _workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const inside = s.H * s.W
  const outside = s.OH * s.OW
  const halving = isHalving(s)
  for (let i = chunk * s.block; i < last; i++) {
    const dx = s.x + <usize>i * bytes(inside)
    const dy = s.y + <usize>i * bytes(outside)
    const mask = s.mask + <usize>i * bytes(outside)
    if (halving) {
      maxHalvingGradient(s, dx, dy, mask)
      continue
    }
    memory.fill(dx, 0, bytes(inside))
    for (let o = 0; o < outside; o++) {
      const at = load<f32>(mask + bytes(o))
      // −1, or whatever somebody else has put there
      if (!(at >= 0 && at < <f32>inside)) continue
      const p = dx + bytes(<i32>at)
      store<f32>(p, load<f32>(p) + load<f32>(dy + bytes(o)))
    }
  }
}

function maxHalvingGradient(s: Pooling, dx: usize, dy: usize, mask: usize): void {
  const row = bytes(s.W)
  const one = f32x4.splat(1)
  const W = f32x4.splat(<f32>s.W)
  for (let oh = 0; oh < s.OH; oh++) {
    for (let i = 0; i < s.OW; i += 4) {
      const j = smaller(i, s.OW - 4)
      const index = 2 * oh * s.W + 2 * j
      const p = dx + bytes(index)
      const from = v128.load(mask + bytes(oh * s.OW + j))
      const d = v128.load(dy + bytes(oh * s.OW + j))
      const at = f32x4.add(f32x4(0, 2, 4, 6), f32x4.splat(<f32>index))
      const below = f32x4.add(at, W)
      const a = v128.and(d, f32x4.eq(from, at))
      const b = v128.and(d, f32x4.eq(from, f32x4.add(at, one)))
      const c = v128.and(d, f32x4.eq(from, below))
      const e = v128.and(d, f32x4.eq(from, f32x4.add(below, one)))
      v128.store(p, v128.shuffle<f32>(a, b, 0, 4, 1, 5))
      v128.store(p, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16)
      v128.store(p + row, v128.shuffle<f32>(c, e, 0, 4, 1, 5))
      v128.store(p + row, v128.shuffle<f32>(c, e, 2, 6, 3, 7), 16)
    }
  }
}
