/** Pooling over planes (H, W): four windows of a row at a time where they lie inside the plane, one at a time where they are clipped. */
import { CHUNK } from './elementwise'
import { job, needWorkspace, run } from './threads'
import { bytes, ceilDiv, evens, fillValues, larger, odds, select, smaller, storeLanes, sumLanes } from './vector'

@unmanaged
class Pooling {
  planes: i32
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
  x: usize
  y: usize
  mask: usize
  /** Planes of a chunk; windows first ≤ i < last of a row are not clipped at the sides. */
  block: i32
  first: i32
  last: i32
}

const LOWEST: f32 = -f32.MAX_VALUE

@inline
function pooling(): Pooling {
  return changetype<Pooling>(job)
}

/** Sizes of the next call: kernel K, stride S and pad P along H and W. */
export function poolingShape(
  planes: i32,
  H: i32,
  W: i32,
  OH: i32,
  OW: i32,
  KH: i32,
  KW: i32,
  SH: i32,
  SW: i32,
  PH: i32,
  PW: i32,
): void {
  const s = pooling()
  s.planes = planes
  s.H = H
  s.W = W
  s.OH = OH
  s.OW = OW
  s.KH = KH
  s.KW = KW
  s.SH = SH
  s.SW = SW
  s.PH = PH
  s.PW = PW
  s.block = larger(1, CHUNK / larger(1, H * W))
  s.first = smaller(OW, ceilDiv(PW, SW))
  s.last = W + PW < KW ? s.first : larger(s.first, smaller(OW, (W + PW - KW) / SW + 1))
}

@inline
function start(x: usize, y: usize, mask: usize): i32 {
  const s = pooling()
  s.x = x
  s.y = y
  s.mask = mask
  return ceilDiv(s.planes, s.block)
}

/** Whether the windows are 2×2, next to each other, and cover the plane exactly. */
@inline
function isHalving(s: Pooling): bool {
  return s.KH == 2 && s.KW == 2 && s.SH == 2 && s.SW == 2 && (s.PH | s.PW) == 0 && s.H == 2 * s.OH && s.W == 2 * s.OW && s.OW >= 4
}

/** Every `step`th of the values from p on, four of them. */
@inline
function strided(p: usize, step: i32): v128 {
  if (step == 1) return v128.load(p)
  if (step == 2) return evens(v128.load(p), v128.load(p, 16))
  const d = bytes(step)
  let v = v128.load_splat<f32>(p)
  v = v128.load_lane<f32>(p + d, v, 1)
  v = v128.load_lane<f32>(p + 2 * d, v, 2)
  return v128.load_lane<f32>(p + 3 * d, v, 3)
}

// ---- maximum ----------------------------------------------------------------------------------------------------------------

/** y ← largest x of each window, mask ← its index in the plane: the first one on a tie, −1 if none is above −FLT_MAX. */
export function maxPool(x: usize, y: usize, mask: usize): void {
  run(maxChunk, start(x, y, mask))
}

function maxChunk(chunk: i32, _workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const inside = bytes(s.H * s.W)
  const outside = bytes(s.OH * s.OW)
  const halving = isHalving(s)
  for (let i = chunk * s.block; i < last; i++) {
    const x = s.x + <usize>i * inside
    const y = s.y + <usize>i * outside
    const mask = s.mask + <usize>i * outside
    if (halving) maxHalvingPlane(s, x, y, mask)
    else maxPlane(s, x, y, mask)
  }
}

function maxPlane(s: Pooling, x: usize, y: usize, mask: usize): void {
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.SH - s.PH
    const h0 = larger(top, 0)
    const h1 = smaller(top + s.KH, s.H)
    let i = 0
    while (i < s.OW) {
      const at = bytes(oh * s.OW + i)
      if (i < s.first || i >= s.last || s.last - s.first < 4) {
        maxWindow(s, x, h0, h1, i * s.SW - s.PW, y + at, mask + at)
        i++
      } else {
        // the last four of a row may be computed twice
        const j = smaller(i, s.last - 4)
        const to = bytes(oh * s.OW + j)
        if (s.SW == 1) maxFour(s, 1, x, h0, h1, j - s.PW, y + to, mask + to)
        else if (s.SW == 2) maxFour(s, 2, x, h0, h1, j * 2 - s.PW, y + to, mask + to)
        else maxFour(s, s.SW, x, h0, h1, j * s.SW - s.PW, y + to, mask + to)
        i = j + 4
      }
    }
  }
}

@inline
function maxFour(s: Pooling, step: i32, x: usize, h0: i32, h1: i32, left: i32, y: usize, mask: usize): void {
  let best = f32x4.splat(LOWEST)
  let from = f32x4.splat(-1)
  const KW = s.KW
  const one = f32x4.splat(1)
  const steps = f32x4.mul(f32x4(0, 1, 2, 3), f32x4.splat(<f32>step))
  for (let h = h0; h < h1; h++) {
    const index = h * s.W + left
    const p = x + bytes(index)
    let at = f32x4.add(steps, f32x4.splat(<f32>index))
    let k = 0
    // pmax is best where it is not below v, so NaN never wins, as with >
    for (; k + 3 <= KW; k += 3) {
      const u = strided(p + bytes(k), step)
      const v = strided(p + bytes(k + 1), step)
      const w = strided(p + bytes(k + 2), step)
      from = select(at, from, f32x4.gt(u, best))
      best = f32x4.pmax(best, u)
      at = f32x4.add(at, one)
      from = select(at, from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      at = f32x4.add(at, one)
      from = select(at, from, f32x4.gt(w, best))
      best = f32x4.pmax(best, w)
      at = f32x4.add(at, one)
    }
    for (; k < KW; k++) {
      const v = strided(p + bytes(k), step)
      from = select(at, from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
      at = f32x4.add(at, one)
    }
  }
  v128.store(y, best)
  v128.store(mask, from)
}

/** One clipped window, in all lanes alike: a comparison costs less than a jump that is guessed wrong. */
function maxWindow(s: Pooling, x: usize, h0: i32, h1: i32, left: i32, y: usize, mask: usize): void {
  const w0 = larger(left, 0)
  const w1 = smaller(left + s.KW, s.W)
  let best = f32x4.splat(LOWEST)
  let from = f32x4.splat(-1)
  for (let h = h0; h < h1; h++) {
    for (let i = h * s.W + w0; i < h * s.W + w1; i++) {
      const v = v128.load_splat<f32>(x + bytes(i))
      from = select(f32x4.splat(<f32>i), from, f32x4.gt(v, best))
      best = f32x4.pmax(best, v)
    }
  }
  v128.store_lane<f32>(y, best, 0)
  v128.store_lane<f32>(mask, from, 0)
}

function maxHalvingPlane(s: Pooling, x: usize, y: usize, mask: usize): void {
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
      v128.store(mask + to, select(f32x4.add(at, one), from, f32x4.gt(v, best)))
      v128.store(y + to, f32x4.pmax(best, v))
    }
  }
}

/** dx ← 0, then dx[mask] += dy. */
export function maxPoolGradient(dy: usize, mask: usize, dx: usize): void {
  run(maxGradientChunk, start(dx, dy, mask))
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

// ---- average ----------------------------------------------------------------------------------------------------------------

/** y ← mean x of each window, divided by the window's area clipped to size + pad. */
export function averagePool(x: usize, y: usize): void {
  run(averageChunk, start(x, y, 0))
}

function averageChunk(chunk: i32, _workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  for (let i = chunk * s.block; i < last; i++) {
    averagePlane(s, s.x + <usize>i * bytes(s.H * s.W), s.y + <usize>i * bytes(s.OH * s.OW))
  }
}

function averagePlane(s: Pooling, x: usize, y: usize): void {
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.SH - s.PH
    const height = smaller(top + s.KH, s.H + s.PH) - top
    const h0 = larger(top, 0)
    const h1 = smaller(top + s.KH, s.H)
    let i = 0
    while (i < s.OW) {
      if (i < s.first || i >= s.last || s.last - s.first < 4) {
        store<f32>(y + bytes(oh * s.OW + i), averageWindow(s, x, height, h0, h1, i * s.SW - s.PW))
        i++
      } else {
        const j = smaller(i, s.last - 4)
        const to = y + bytes(oh * s.OW + j)
        const area = <f32>(height * s.KW)
        if (s.SW == 1) averageFour(s, 1, x, area, h0, h1, j - s.PW, to)
        else if (s.SW == 2) averageFour(s, 2, x, area, h0, h1, j * 2 - s.PW, to)
        else averageFour(s, s.SW, x, area, h0, h1, j * s.SW - s.PW, to)
        i = j + 4
      }
    }
  }
}

@inline
function averageFour(s: Pooling, step: i32, x: usize, area: f32, h0: i32, h1: i32, left: i32, y: usize): void {
  const KW = s.KW
  let sum = f32x4.splat(0)
  for (let h = h0; h < h1; h++) {
    let p = x + bytes(h * s.W + left)
    let k = 0
    for (; k + 3 <= KW; k += 3, p += 12) {
      sum = f32x4.add(sum, f32x4.add(f32x4.add(strided(p, step), strided(p + 4, step)), strided(p + 8, step)))
    }
    for (; k < KW; k++, p += 4) sum = f32x4.add(sum, strided(p, step))
  }
  v128.store(y, f32x4.div(sum, f32x4.splat(area)))
}

function averageWindow(s: Pooling, x: usize, height: i32, h0: i32, h1: i32, left: i32): f32 {
  const w0 = larger(left, 0)
  const w1 = smaller(left + s.KW, s.W)
  const area = height * (smaller(left + s.KW, s.W + s.PW) - left)
  let sums = f32x4.splat(0)
  let sum: f32 = 0
  for (let h = h0; h < h1; h++) {
    const row = x + bytes(h * s.W)
    let w = w0
    for (; w + 4 <= w1; w += 4) sums = f32x4.add(sums, v128.load(row + bytes(w)))
    for (; w < w1; w++) sum += load<f32>(row + bytes(w))
  }
  return area > 0 ? (sum + sumLanes(sums)) / <f32>area : 0
}

/** dx ← the adjoint of averagePool applied to dy. */
export function averagePoolGradient(dy: usize, dx: usize): void {
  const s = pooling()
  needWorkspace(bytes(2 * rowLength(s) + s.OH * sharesOf(s)))
  run(averageGradientChunk, start(dx, dy, 0))
}

/** A row of shares as it is read for dx: zeros where there are no windows, on both sides. */
@inline
function rowLength(s: Pooling): i32 {
  return s.OW + 2 * s.KW + 16
}
/** Values of a row of shares in whole vectors. */
@inline
function sharesOf(s: Pooling): i32 {
  return (s.OW + 3) & ~3
}

/** Whether one window covers the whole plane. */
@inline
function isGlobal(s: Pooling): bool {
  return s.OH == 1 && s.OW == 1 && (s.PH | s.PW) == 0 && s.KH >= s.H && s.KW >= s.W
}

/** Each dy is divided by its area once; then each row of dx adds up the rows of windows over it, and those the windows over a value. */
function averageGradientChunk(chunk: i32, workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const widths = workspace
  const row = widths + bytes(rowLength(s))
  const shares = row + bytes(rowLength(s))
  for (let i = 0; i < sharesOf(s); i++) {
    const left = i * s.SW - s.PW
    store<f32>(widths + bytes(i), <f32>larger(1, smaller(left + s.KW, s.W + s.PW) - left))
  }
  memory.fill(row, 0, bytes(rowLength(s)))
  for (let i = chunk * s.block; i < last; i++) {
    if (isGlobal(s)) {
      const share = load<f32>(s.y + bytes(i)) / <f32>(smaller(s.KH, s.H) * smaller(s.KW, s.W))
      fillValues(s.x + <usize>i * bytes(s.H * s.W), s.H * s.W, share)
      continue
    }
    divideByArea(s, s.y + <usize>i * bytes(s.OH * s.OW), widths, shares)
    averagePlaneGradient(s, s.x + <usize>i * bytes(s.H * s.W), shares, row + bytes(s.KW))
  }
}

function divideByArea(s: Pooling, dy: usize, widths: usize, shares: usize): void {
  for (let oh = 0; oh < s.OH; oh++, dy += bytes(s.OW), shares += bytes(sharesOf(s))) {
    const top = oh * s.SH - s.PH
    const height = f32x4.splat(<f32>(smaller(top + s.KH, s.H + s.PH) - top))
    for (let i = 0; i < s.OW; i += 4) {
      v128.store(shares + bytes(i), f32x4.div(v128.load(dy + bytes(i)), f32x4.mul(height, v128.load(widths + bytes(i)))))
    }
    // what lies after the row is not ours
    for (let i = s.OW; i < sharesOf(s); i++) store<f32>(shares + bytes(i), 0)
  }
}

function averagePlaneGradient(s: Pooling, dx: usize, shares: usize, row: usize): void {
  const stride = bytes(sharesOf(s))
  for (let h = 0; h < s.H; h++, dx += bytes(s.W)) {
    // windows over this row: oh·SH − PH ≤ h < oh·SH − PH + KH
    const o0 = larger(0, (h + s.PH - s.KH + s.SH) / s.SH)
    const o1 = smaller(s.OH - 1, (h + s.PH) / s.SH)
    for (let i = 0; i < s.OW; i += 4) {
      let sum = f32x4.splat(0)
      for (let oh = o0; oh <= o1; oh++) sum = f32x4.add(sum, v128.load(shares + <usize>oh * stride + bytes(i)))
      v128.store(row + bytes(i), sum)
    }
    if (s.SW == 1) spreadByOne(s, row, dx)
    else if (s.SW == 2 && s.PW == 0) spreadByTwo(s, row, dx)
    else spread(s, row, dx)
  }
}

/** dx[w] ← the sum of row[i] over the windows i·SW − PW ≤ w < i·SW − PW + KW. */
function spread(s: Pooling, row: usize, dx: usize): void {
  zeroRow(dx, s.W)
  for (let i = 0; i < s.OW; i++) {
    const left = i * s.SW - s.PW
    const w1 = smaller(left + s.KW, s.W)
    const share = load<f32>(row + bytes(i))
    for (let w = larger(left, 0); w < w1; w++) store<f32>(dx + bytes(w), load<f32>(dx + bytes(w)) + share)
  }
}

@inline
function zeroRow(p: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<f32>(p + bytes(i), 0)
}

/** The zeros on both sides of the row stand for windows that do not exist. */
function spreadByOne(s: Pooling, row: usize, dx: usize): void {
  for (let w = 0; w < s.W; w += 4) {
    let sum = f32x4.splat(0)
    let p = row + bytes(w + s.PW)
    for (let k = 0; k < s.KW; k++, p -= 4) sum = f32x4.add(sum, v128.load(p))
    if (w + 4 <= s.W) v128.store(dx + bytes(w), sum)
    else storeLanes(dx + bytes(w), sum, s.W - w)
  }
}

/** Even values lie under taps 0, 2, 4 …, odd ones under taps 1, 3, 5 … */
function spreadByTwo(s: Pooling, row: usize, dx: usize): void {
  for (let w = 0; w < s.W; w += 8) {
    let even = f32x4.splat(0)
    let odd = even
    let p = row + bytes(w >> 1)
    for (let k = 0; k < s.KW; k += 2, p -= 4) {
      const v = v128.load(p)
      even = f32x4.add(even, v)
      if (k + 1 < s.KW) odd = f32x4.add(odd, v)
    }
    const low = v128.shuffle<f32>(even, odd, 0, 4, 1, 5)
    const high = v128.shuffle<f32>(even, odd, 2, 6, 3, 7)
    const rest = s.W - w
    if (rest >= 4) v128.store(dx + bytes(w), low)
    else storeLanes(dx + bytes(w), low, rest)
    if (rest >= 8) v128.store(dx + bytes(w), high, 16)
    else if (rest > 4) storeLanes(dx + bytes(w + 4), high, rest - 4)
  }
}
