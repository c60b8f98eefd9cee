/**
 * Patches of one picture compared with those around the same place of another. Both pictures get a frame of zeros as wide
 * as displacements reach, so that no loop looks for an edge. Products of neighbouring patches are matrix products
 * (cost_bands.ts); the rest is here.
 */
import { bandGradient, bandRow, bandWorkspace } from './cost_bands'
import { columnOf, CostVolume, described, rowBytes, rowOf, share } from './cost_frame'
import { isDry, needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, fillValues, madd, put, sign, smaller } from './vector'

export function costVolumeShape(N: i32, C: i32, H: i32, W: i32, OH: i32, OW: i32, kernel: i32, stride: i32): void {
  const s = described()
  s.N = N
  s.C = C
  s.H = H
  s.W = W
  s.OH = OH
  s.OW = OW
  s.kernel = kernel
  s.stride = stride
}

/** Displacements of the next call, and whether it subtracts. */
export function costVolumeShifts(down: i32, across: i32, rows: i32, columns: i32, step: i32, subtract: bool): void {
  const s = described()
  s.down = down
  s.across = across
  s.rows = rows
  s.columns = columns
  s.step = step
  s.subtract = subtract
}

/** The frame of the next call, and where in it the first patch begins. */
export function costVolumeFrame(above: i32, before: i32, FH: i32, FW: i32, top: i32, left: i32): void {
  const s = described()
  s.above = above
  s.before = before
  s.FH = FH
  s.FW = FW
  // products of neighbours go through bands
  s.split = isBanded(s) ? s.step : 1
  s.part = ceilDiv(FW, s.split)
  s.top = top
  s.left = left
}

@inline
function isBanded(s: CostVolume): bool {
  return s.stride == 1 && !s.subtract
}

/** a and b ← both pictures in their frames; whole vectors may be read beyond the last row. */
function frameBoth(s: CostVolume, x: usize, other: usize): void {
  const size = <usize>(s.N * s.FH * s.C) * rowBytes(s)
  s.a = sharedWorkspace(2 * size + 128)
  s.b = s.a + size
  if (isDry()) return
  s.from = x
  s.to = s.a
  run(framePlane, s.N * s.C)
  s.from = other
  s.to = s.b
  run(framePlane, s.N * s.C)
}

function framePlane(plane: i32, _workspace: usize): void {
  const s = described()
  const n = plane / s.C
  const channel = <usize>(plane - n * s.C) * rowBytes(s)
  const from = s.from + <usize>plane * bytes(s.H * s.W)
  for (let row = 0; row < s.FH; row++) {
    const to = rowOf(s, s.to, n, row) + channel
    fillValues(to, s.split * s.part, 0)
    const h = row - s.above
    if (h < 0 || h >= s.H) continue
    if (s.split == 1) copyValues(to + bytes(s.before), from + bytes(h * s.W), s.W)
    else {
      for (let w = 0; w < s.W; w++) {
        store<f32>(to + bytes(columnOf(s, s.before + w)), load<f32>(from + bytes(h * s.W + w)))
      }
    }
  }
}

/** A chunk is a row of y for all displacements of a row. */
export function costVolume(a: usize, b: usize, y: usize): void {
  const s = described()
  frameBoth(s, a, b)
  s.y = y
  if (isBanded(s)) needWorkspace(bandWorkspace(s))
  run(rowChunk, s.N * s.rows * s.OH)
}

function rowChunk(chunk: i32, workspace: usize): void {
  const s = described()
  const i = chunk % s.OH
  const r = (chunk / s.OH) % s.rows
  const n = chunk / s.OH / s.rows
  if (isBanded(s)) {
    bandRow(s, n, r, i, workspace)
    return
  }
  const first = s.top + i * s.stride
  const a = rowOf(s, s.a, n, first) + bytes(s.left)
  const moved = rowOf(s, s.b, n, first + s.down + r * s.step) + bytes(s.left + s.across)
  for (let q = 0; q < s.columns; q++) {
    const y = s.y + <usize>((n * s.rows + r) * s.columns + q) * bytes(s.OH * s.OW) + bytes(i * s.OW)
    const b = moved + bytes(q * s.step)
    if (s.stride == 1) subtractRow(s, a, b, y)
    else compareApart(s, a, b, y)
  }
}

/** A row of y, four neighbouring places at a time. */
function subtractRow(s: CostVolume, a: usize, b: usize, y: usize): void {
  const channel = rowBytes(s)
  const row = <usize>s.C * channel
  const mean = f32x4.splat(share(s))
  for (let k = 0; k < s.OW; k += 4) {
    let sum = f32x4.splat(0)
    for (let v = 0; v < s.kernel; v++) {
      for (let u = 0; u < s.kernel; u++) {
        let p = a + <usize>v * row + bytes(u + k)
        let q = b + <usize>v * row + bytes(u + k)
        for (let c = 0; c < s.C; c++, p += channel, q += channel) {
          sum = f32x4.add(sum, f32x4.abs(f32x4.sub(v128.load(p), v128.load(q))))
        }
      }
    }
    put(y + bytes(k), f32x4.mul(sum, mean), s.OW - k)
  }
}

/** A row of y whose places are not neighbours in the pictures. */
function compareApart(s: CostVolume, a: usize, b: usize, y: usize): void {
  const channel = rowBytes(s)
  const row = <usize>s.C * channel
  for (let k = 0; k < s.OW; k++) {
    let sum: f32 = 0
    for (let v = 0; v < s.kernel; v++) {
      for (let u = 0; u < s.kernel; u++) {
        const at = <usize>v * row + bytes(u + k * s.stride)
        for (let c = 0; c < s.C; c++) {
          const p = load<f32>(a + at + <usize>c * channel)
          const q = load<f32>(b + at + <usize>c * channel)
          sum += s.subtract ? Mathf.abs(p - q) : p * q
        }
      }
    }
    store<f32>(y + bytes(k), sum * share(s))
  }
}

/** A chunk is a row of dx, all channels; each thread adds it up in a frame of its own. */
export function costVolumeGradient(second: bool, x: usize, other: usize, dy: usize, dx: usize): void {
  const s = described()
  frameBoth(s, x, other)
  s.second = second
  s.y = dy
  s.x = dx
  needWorkspace(<usize>s.C * rowBytes(s) + 64 + (isBanded(s) ? bandWorkspace(s) : 0))
  run(gradientChunk, s.N * s.H)
}

function gradientChunk(chunk: i32, sums: usize): void {
  const s = described()
  const n = chunk / s.H
  const h = chunk - n * s.H
  const channel = rowBytes(s)
  fillValues(sums, s.C * s.split * s.part, 0)
  for (let r = 0; r < s.rows; r++) {
    const down = s.down + r * s.step
    // the row of the first picture that is compared
    const row = s.above + h - (s.second ? down : 0)
    for (let v = 0; v < s.kernel; v++) {
      const patch = row - s.top - v
      if (patch < 0 || patch % s.stride != 0 || patch / s.stride >= s.OH) continue
      const i = patch / s.stride
      const other = rowOf(s, s.b, n, s.second ? row : row + down)
      if (isBanded(s)) bandGradient(s, n, r, i, other, sums, sums + <usize>s.C * channel + 64)
      else addPatches(s, n, r, i, other, rowOf(s, s.a, n, s.above + h), sums)
    }
  }
  const mean = share(s)
  for (let c = 0; c < s.C; c++) {
    const to = s.x + <usize>(((n * s.C + c) * s.H + h) * s.W) * 4
    const from = sums + <usize>c * channel
    for (let w = 0; w < s.W; w++) {
      store<f32>(to + bytes(w), load<f32>(from + bytes(columnOf(s, s.before + w))) * mean)
    }
  }
}

/** What row i of the displacements of row r gives to a row of the picture. */
function addPatches(s: CostVolume, n: i32, r: i32, i: i32, other: usize, x: usize, sums: usize): void {
  const channel = rowBytes(s)
  for (let q = 0; q < s.columns; q++) {
    const across = s.across + q * s.step
    const dy = s.y + <usize>((n * s.rows + r) * s.columns + q) * bytes(s.OH * s.OW) + bytes(i * s.OW)
    for (let u = 0; u < s.kernel; u++) {
      const to = bytes(s.left + u + (s.second ? across : 0))
      const from = bytes(s.left + u + (s.second ? 0 : across))
      for (let c = 0; c < s.C; c++) {
        const at = <usize>c * channel
        if (s.stride == 1) addSigns(s, dy, other + at + from, x + at + to, sums + at + to)
        else addApart(s, dy, other + at + from, x + at + to, sums + at + to)
      }
    }
  }
}

function addSigns(s: CostVolume, dy: usize, other: usize, x: usize, sums: usize): void {
  for (let k = 0; k < s.OW; k += 4) {
    const at = bytes(k)
    const slope = sign(f32x4.sub(v128.load(x + at), v128.load(other + at)))
    put(sums + at, madd(v128.load(dy + at), slope, v128.load(sums + at)), smaller(4, s.OW - k))
  }
}

function addApart(s: CostVolume, dy: usize, other: usize, x: usize, sums: usize): void {
  for (let k = 0; k < s.OW; k++) {
    const at = bytes(k * s.stride)
    let v = load<f32>(other + at)
    if (s.subtract) {
      const difference = load<f32>(x + at) - v
      v = difference > 0 ? 1 : difference < 0 ? -1 : difference
    }
    store<f32>(sums + at, load<f32>(sums + at) + load<f32>(dy + bytes(k)) * v)
  }
}
