/**
 * dx ← ∂E/∂x without an im2col matrix: a tile of 4 input channels under one tap times 8 output positions is added
 * straight into the image. A chunk is a block of input channels of one group of one image, so nothing is written by two
 * threads.
 */
import { Convolution, convolutionJob, cut, isPadded, isPointwise, offsetOf, paddedBytes, partsOf, zero } from './convolution_shape'
import { implicit } from './convolution'
import { depthwiseInputGradient, isDepthwise } from './depthwise'
import { packRows } from './pack'
import { needWorkspace, run, sharedWorkspace } from './threads'
import { MR, NR, ROW, TILE, tile, tileInLoop } from './micro_tile'
import { transposeFour } from './transpose'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'
import { winogradInputGradient } from './winograd'
import { pays } from './winograd_cost'

/** Output channels summed at a time, output positions packed at a time, bytes of weights that stay in the L2 cache. */
const KC: i32 = 512
const NC: i32 = 256
const WEIGHTS: i32 = 196608
/** Values of the padded planes that one chunk adds into. */
const PLANES: i32 = 524288

export function convolutionInputGradient(dy: usize, w: usize, dx: usize): void {
  const s = convolutionJob()
  if (s.N * s.C == 0) return
  if (isDepthwise(s)) {
    depthwiseInputGradient(dy, w, dx)
    return
  }
  if (pays(s, s.H, s.W, false)) {
    winogradInputGradient(s, dy, w, dx, false)
    return
  }
  if (isPointwise(s)) {
    pointwise(s, dy, w, dx)
    return
  }
  s.x = dx
  s.w = w
  s.y = dy
  const each = ceilDiv(partsOf(s), s.N * s.G)
  const most = isPadded(s) ? larger(MR, (PLANES / (s.padH * s.padW)) & ~3) : s.groupC
  s.block = smaller(cut(s.groupC, each, MR, MR), ceilDiv(most, MR) * MR)
  s.parts = ceilDiv(s.groupC, s.block)
  const tiles = ceilDiv(s.groupC, MR)
  s.packed = sharedWorkspace(<usize>(s.G * tiles * s.taps) * bytes(MR * s.groupM))
  run(weightsChunk, s.G * tiles)
  const panel = <usize>smaller(s.groupM, KC) * <usize>smaller(NC, ceilDiv(s.positions, NR) * NR)
  needWorkspace(TILE + (panel << 2) + 64 + (isPadded(s) ? paddedBytes(s, s.block) : 0))
  run(inputChunk, s.N * s.G * s.parts)
}

/** With one tap the gradient is a convolution with transposed weights. */
function pointwise(s: Convolution, dy: usize, w: usize, dx: usize): void {
  const table = (bytes(s.groupM) + 127) & ~63
  const turned = sharedWorkspace(table + <usize>(s.G * s.groupC) * bytes(s.groupM)) + table
  s.w = w
  s.packed = turned
  run(transposeChunk, s.G * ceilDiv(s.groupC, 16))
  const C = s.C
  const groupC = s.groupC
  s.C = s.M
  s.groupC = s.groupM
  s.M = C
  s.groupM = groupC
  implicit(s, dy, turned, 0, dx)
}

/**
 * Columns of w (M, C) of sixteen channels become rows of sums. Each line of w is read once: rows of a length that is a
 * power of two share a few lines of the caches.
 */
function transposeChunk(chunk: i32, _workspace: usize): void {
  const s = convolutionJob()
  const blocks = ceilDiv(s.groupC, 16)
  const g = chunk / blocks
  const c0 = (chunk % blocks) * 16
  const c1 = smaller(s.groupC, c0 + 16)
  const row = bytes(s.groupC)
  const step = bytes(s.groupM)
  const to = s.packed + <usize>(g * s.groupC) * step
  const w = s.w + <usize>(g * s.groupM) * row
  const whole = c0 + ((c1 - c0) & ~3)
  let m = 0
  for (; m + 4 <= s.groupM; m += 4) {
    for (let c = c0; c < whole; c += 4) transposeFour(w + <usize>m * row + bytes(c), row, to + <usize>c * step + bytes(m), step)
  }
  for (let c = c0; c < c1; c++) {
    for (let i = c < whole ? m : 0; i < s.groupM; i++) {
      store<f32>(to + <usize>c * step + bytes(i), load<f32>(w + <usize>i * row + bytes(c)))
    }
  }
}

/** Where the weights of tap t and channels 4i … 4i + 3 lie: four values for each output channel. */
@inline
function weightsOf(s: Convolution, g: i32, t: i32, i: i32): usize {
  return s.packed + <usize>((g * s.taps + t) * ceilDiv(s.groupC, MR) + i) * bytes(MR * s.groupM)
}

/** Reorders the weights of four input channels, all taps. */
function weightsChunk(chunk: i32, _workspace: usize): void {
  const s = convolutionJob()
  const tiles = ceilDiv(s.groupC, MR)
  const g = chunk / tiles
  const i = chunk % tiles
  const rows = smaller(MR, s.groupC - MR * i)
  const channel = bytes(s.taps)
  const step = bytes(tiles * MR * s.groupM)
  for (let m = 0; m < s.groupM; m++) {
    let from = s.w + <usize>((g * s.groupM + m) * s.groupC + MR * i) * channel
    let to = weightsOf(s, g, 0, i) + bytes(MR * m)
    for (let t = 0; t < s.taps; t++, from += 4, to += step) {
      for (let r = 0; r < rows; r++) store<f32>(to + bytes(r), load<f32>(from + <usize>r * channel))
    }
  }
}

function inputChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = (chunk % s.parts) * s.block
  const g = (chunk / s.parts) % s.G
  const n = chunk / s.parts / s.G
  const channels = smaller(s.block, s.groupC - c0)
  const planes = s.x + <usize>((n * s.G + g) * s.groupC + c0) * bytes(s.H * s.W)
  const packed = workspace + TILE
  const panelBytes = bytes(smaller(s.groupM, KC)) * bytes(smaller(NC, ceilDiv(s.positions, NR) * NR)) / 4
  const padded = isPadded(s)
  const sums = padded ? packed + panelBytes + 64 : planes
  zero(sums, channels * s.padH * s.padW)
  for (let m = 0; m < s.groupM; m += KC) {
    const kc = smaller(KC, s.groupM - m)
    const dy = s.y + <usize>((n * s.G + g) * s.groupM + m) * bytes(s.positions)
    for (let p = 0; p < s.positions; p += NC) {
      const count = smaller(NC, s.positions - p)
      packRows(kc, count, dy + bytes(p), bytes(s.positions), packed)
      addTiles(s, g, m, kc, p, count, c0, channels, packed, sums, workspace)
    }
  }
  if (padded) {
    for (let c = 0; c < channels; c++) {
      for (let h = 0; h < s.H; h++) {
        copyValues(planes + bytes((c * s.H + h) * s.W), sums + bytes((c * s.padH + h + s.PH) * s.padW + s.PW), s.W)
      }
    }
  }
}

/**
 * All taps of a block of channels, for positions p … p + count − 1 and output channels m … m + kc − 1, added into
 * `sums`.
 */
function addTiles(
  s: Convolution,
  g: i32,
  m: i32,
  kc: i32,
  p: i32,
  count: i32,
  c0: i32,
  channels: i32,
  packed: usize,
  sums: usize,
  edge: usize,
): void {
  const tiles = ceilDiv(channels, MR)
  const all = s.taps * tiles
  const plane = bytes(s.padH * s.padW)
  const group = larger(1, WEIGHTS / (16 * kc))
  for (let first = 0; first < all; first += group) {
    const last = smaller(all, first + group)
    for (let j = 0; j < count; j += NR) {
      const panel = packed + bytes(j * kc)
      const at = offsetOf(s, p + j)
      const whole = j + NR <= count && offsetOf(s, p + j + 7) - at == 28
      let t = first / tiles
      let i = first % tiles
      for (let u = first; u < last; u++) {
        const rows = smaller(MR, channels - MR * i)
        const a = weightsOf(s, g, t, c0 / MR + i) + bytes(MR * m)
        const r = t / s.KW
        const tap = bytes(r * s.DH * s.padW + (t - r * s.KW) * s.DW)
        const to = sums + <usize>(MR * i) * plane + tap
        if (whole) {
          tileInLoop(kc, a, 4, 16, panel, ROW, to + at, plane, rows, 1, 1)
        } else {
          tile(kc, a, 4, 16, panel, ROW, edge, ROW, rows, 1, 0)
          scatter(s, p + j, smaller(4, count - j), rows, edge, to, plane)
          if (j + 4 < count) scatter(s, p + j + 4, smaller(4, count - j - 4), rows, edge + 16, to, plane)
        }
        if (++i == tiles) {
          i = 0
          t++
        }
      }
    }
  }
}

/** Adds up to four positions of up to four channels. */
function scatter(s: Convolution, p: i32, count: i32, rows: i32, values: usize, to: usize, plane: usize): void {
  const o0 = offsetOf(s, p)
  const o1 = offsetOf(s, p + 1)
  const o2 = offsetOf(s, p + 2)
  const o3 = offsetOf(s, p + 3)
  const inRow = count == 4 && o3 - o0 == 12
  for (let r = 0; r < rows; r++) {
    if (inRow) {
      v128.store(to + o0, f32x4.add(v128.load(to + o0), v128.load(values)))
    } else {
      add(to + o0, values)
      if (count > 1) add(to + o1, values + 4)
      if (count > 2) add(to + o2, values + 8)
      if (count > 3) add(to + o3, values + 12)
    }
    to += plane
    values += ROW
  }
}

@inline
function add(to: usize, value: usize): void {
  store<f32>(to, load<f32>(to) + load<f32>(value))
}
