/** Means of windows. */
import { paddedLength, Pooling, pooling, roundedOW, begin, strided } from './pooling'
import { needWorkspace, run } from './threads'
import { bytes, fillValues, larger, odds, put, smaller, storeLanes, sumLanes } from './vector'

export function averagePool(x: usize, y: usize): void {
  const s = pooling()
  needWorkspace(bytes(roundedOW(s) + paddedLength(s)))
  run(averageChunk, begin(x, y, 0))
}

/** The width of each window clipped to size + pad. */
function clippedWidths(s: Pooling, widths: usize): void {
  for (let i = 0; i < roundedOW(s); i++) {
    const left = i * s.SW - s.PW
    store<f32>(widths + bytes(i), <f32>larger(1, smaller(left + s.KW, s.W + s.PW) - left))
  }
}

function averageChunk(chunk: i32, workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const row = workspace + bytes(roundedOW(s))
  clippedWidths(s, workspace)
  fillValues(row, paddedLength(s), 0)
  for (let i = chunk * s.block; i < last; i++) {
    const x = s.x + <usize>i * bytes(s.H * s.W)
    if (isGlobal(s)) store<f32>(s.y + bytes(i), meanOf(s.H * s.W, x))
    else averagePlane(s, x, s.y + <usize>i * bytes(s.OH * s.OW), workspace, row)
  }
}

function meanOf(n: i32, x: usize): f32 {
  let a = f32x4.splat(0)
  let b = a
  let i = 0
  for (; i + 8 <= n; i += 8) {
    a = f32x4.add(a, v128.load(x + bytes(i)))
    b = f32x4.add(b, v128.load(x + bytes(i), 16))
  }
  let sum = sumLanes(f32x4.add(a, b))
  for (; i < n; i++) sum += load<f32>(x + bytes(i))
  if (isFinite(sum)) return sum / <f32>n
  // what float32 cannot hold may be no more than many large values
  let total: f64 = 0
  for (i = 0; i < n; i++) total += <f64>load<f32>(x + bytes(i))
  return <f32>(total / <f64>n)
}

/** The rows of a window are added up first, into `row` between zeros, then what lies under each window. */
function averagePlane(s: Pooling, x: usize, y: usize, widths: usize, row: usize): void {
  const W = s.W
  const next = bytes(W)
  const sums = row + bytes(s.PW)
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.SH - s.PH
    const height = f32x4.splat(<f32>larger(1, smaller(top + s.KH, s.H + s.PH) - top))
    const h0 = larger(top, 0)
    const count = smaller(top + s.KH, s.H) - h0
    for (let i = 0; i < W; i += 4) {
      let sum = f32x4.splat(0)
      let p = x + bytes(h0 * W + i)
      for (let k = 0; k < count; k++, p += next) sum = f32x4.add(sum, v128.load(p))
      v128.store(sums + bytes(i), sum)
    }
    // the last vector may have gone beyond the row
    v128.store(sums + next, f32x4.splat(0))
    const to = y + bytes(oh * s.OW)
    const left = (s.OH - oh) * s.OW
    if (s.SW == 1) averageRow(s, 1, row, widths, height, to, left)
    else if (s.SW == 2) averageRow(s, 2, row, widths, height, to, left)
    else averageRow(s, s.SW, row, widths, height, to, left)
  }
}

@inline
function averageRow(s: Pooling, step: i32, p: usize, widths: usize, height: v128, y: usize, left: i32): void {
  const KW = s.KW
  const OW = s.OW
  for (let i = 0; i < OW; i += 4, left -= 4, p += bytes(4 * step)) {
    let sum = strided(p, step)
    let k = 1
    if (step == 2 && KW > 1) {
      // what has just been stored is read best as it was stored
      const first = sum
      sum = f32x4.add(sum, odds(v128.load(p), v128.load(p, 16)))
      if (KW > 2) sum = f32x4.add(sum, v128.shuffle<f32>(first, v128.load(p, 32), 1, 2, 3, 4))
      k = 3
    }
    for (; k < KW; k++) sum = f32x4.add(sum, strided(p + bytes(k), step))
    put(y + bytes(i), f32x4.div(sum, f32x4.mul(height, v128.load(widths + bytes(i)))), left)
  }
}

export function averagePoolGradient(dy: usize, dx: usize): void {
  const s = pooling()
  needWorkspace(bytes(2 * rowLength(s) + s.OH * roundedOW(s)))
  run(averageGradientChunk, begin(dx, dy, 0))
}

/** A row of shares as it is read for dx: zeros where there are no windows, on both sides. */
@inline
function rowLength(s: Pooling): i32 {
  return s.OW + 2 * s.KW + 16
}
/** Whether one window covers the whole plane. */
@inline
function isGlobal(s: Pooling): bool {
  return s.OH == 1 && s.OW == 1 && (s.PH | s.PW) == 0 && s.KH >= s.H && s.KW >= s.W
}

/**
 * Each dy is divided by its area once; then each row of dx adds up the rows of windows over it, and those the windows
 * over a value.
 */
function averageGradientChunk(chunk: i32, workspace: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const widths = workspace
  const row = widths + bytes(rowLength(s))
  const shares = row + bytes(rowLength(s))
  clippedWidths(s, widths)
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
  for (let oh = 0; oh < s.OH; oh++, dy += bytes(s.OW), shares += bytes(roundedOW(s))) {
    const top = oh * s.SH - s.PH
    const height = f32x4.splat(<f32>(smaller(top + s.KH, s.H + s.PH) - top))
    for (let i = 0; i < s.OW; i += 4) {
      v128.store(shares + bytes(i), f32x4.div(v128.load(dy + bytes(i)), f32x4.mul(height, v128.load(widths + bytes(i)))))
    }
    // what lies after the row is not ours
    for (let i = s.OW; i < roundedOW(s); i++) store<f32>(shares + bytes(i), 0)
  }
}

function averagePlaneGradient(s: Pooling, dx: usize, shares: usize, row: usize): void {
  const stride = bytes(roundedOW(s))
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
