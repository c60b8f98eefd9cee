/**
 * y ← w ∗ x + bias as a matrix product whose right side is never written out: panels of 8 output positions are packed
 * from the image as they are needed. A chunk is a block of positions (and, if there are few, of output channels) of one
 * group of one image.
 */
import { finishRows } from './after'
import { Convolution, convolutionJob, cut, isPadded, offsetOf, paddedBytes, padRows, partsOf, tapTable } from './convolution_shape'
import { depthwise, isDepthwise } from './depthwise'
import { needWorkspace, run } from './threads'
import { MR, NR, panels, ROW, TILE } from './micro_tile'
import { bytes, ceilDiv, evens, larger, smaller } from './vector'
import { winograd } from './winograd'
import { pays } from './winograd_cost'

/** Taps of a panel: 16 KiB, which stay in the L1 cache while all weights pass. */
const KC: i32 = 512
/** Positions of a chunk. */
const NC: i32 = 256

export function convolution(x: usize, w: usize, bias: usize, y: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (isDepthwise(s)) {
    depthwise(x, w, bias, y)
    return
  }
  if (pays(s, s.OH, s.OW, false)) {
    winograd(s, x, w, bias, y, false)
    return
  }
  implicit(s, x, w, bias, y)
}

/** The product itself; what lies behind the table of taps in the shared workspace stays as it is. */
export function implicit(s: Convolution, x: usize, w: usize, bias: usize, y: usize): void {
  s.x = x
  s.w = w
  s.bias = bias
  s.y = y
  const each = ceilDiv(partsOf(s), s.N * s.G)
  s.block = smaller(NC, cut(s.positions, each, NR, 32))
  s.parts = ceilDiv(s.positions, s.block)
  s.block2 = cut(s.groupM, ceilDiv(each, s.parts), MR, 64)
  s.parts2 = ceilDiv(s.groupM, s.block2)
  s.table = tapTable(s)
  const K = s.groupC * s.taps
  needWorkspace(TILE + bytes(smaller(K, KC) * s.block) + 64 + (isPadded(s) ? paddedBytes(s, s.groupC) + 64 : 0))
  run(forwardChunk, s.N * s.G * s.parts * s.parts2)
}

function forwardChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const m0 = (chunk % s.parts2) * s.block2
  let rest = chunk / s.parts2
  const p0 = (rest % s.parts) * s.block
  rest /= s.parts
  const g = rest % s.G
  const n = rest / s.G
  const K = s.groupC * s.taps
  const KB = smaller(K, KC)
  const count = smaller(s.block, s.positions - p0)
  const rows = smaller(s.block2, s.groupM - m0)
  const packed = workspace + TILE
  let image = s.x + <usize>((n * s.G + g) * s.groupC) * bytes(s.H * s.W)
  if (isPadded(s)) {
    const padded = packed + bytes(KB * s.block) + 64
    const top = (p0 / s.OW) * s.SH
    const bottom = ((p0 + count - 1) / s.OW) * s.SH + (s.KH - 1) * s.DH + 1
    padRows(s, s.groupC, image, padded, top, bottom)
    image = padded
  }
  const m = g * s.groupM + m0
  const a = s.w + <usize>m * bytes(K)
  const c = s.y + <usize>(n * s.M + m) * bytes(s.positions) + bytes(p0)
  const bias = s.bias ? s.bias + bytes(m) : 0
  for (let k = 0; k < K; k += KB) {
    const kc = smaller(KB, K - k)
    packPatches(s, image, s.table + bytes(k), kc, p0, count, packed)
    panels(rows, count, kc, a + bytes(k), bytes(K), 4, packed, c, bytes(s.positions), 1, k == 0 ? 0 : 1, k == 0 ? bias : 0, workspace)
  }
  finishRows(c, rows, bytes(s.positions), count)
}

/** Panels of 8 positions: for each tap of the table its 8 values. Positions past the end repeat the last one. */
function packPatches(s: Convolution, image: usize, table: usize, kc: i32, p0: i32, count: i32, to: usize): void {
  const end = table + bytes(kc)
  for (let j = 0; j < count; j += NR) {
    const first = image + offsetOf(s, p0 + j)
    if (j + NR <= count && offsetOf(s, p0 + j + 7) - offsetOf(s, p0 + j) == 28) {
      let d = to
      for (let t = table; t < end; t += 4, d += ROW) {
        const p = first + load<u32>(t)
        v128.store(d, v128.load(p))
        v128.store(d, v128.load(p, 16), 16)
      }
    } else {
      packFour(s, image, table, end, p0 + j, p0 + count - 1, to)
      packFour(s, image, table, end, p0 + j + 4, p0 + count - 1, to + 16)
    }
    to += <usize>kc * ROW
  }
}

/** Half a panel, which may reach into the next row or take every second value. */
function packFour(s: Convolution, image: usize, table: usize, end: usize, p: i32, last: i32, to: usize): void {
  const p0 = image + offsetOf(s, smaller(p, last))
  const p1 = image + offsetOf(s, smaller(p + 1, last))
  const p2 = image + offsetOf(s, smaller(p + 2, last))
  const p3 = image + offsetOf(s, smaller(p + 3, last))
  if (p3 - p0 == 12 && p1 - p0 == 4) {
    for (let t = table; t < end; t += 4, to += ROW) v128.store(to, v128.load(p0 + load<u32>(t)))
    return
  }
  if (p3 - p0 == 24 && p1 - p0 == 8 && p2 - p1 == 8) {
    for (let t = table; t < end; t += 4, to += ROW) {
      const q = p0 + load<u32>(t)
      v128.store(to, evens(v128.load(q), v128.load(q, 16)))
    }
    return
  }
  for (let t = table; t < end; t += 4, to += ROW) {
    const o = <usize>load<u32>(t)
    let v = v128.load_splat<f32>(p0 + o)
    v = v128.load_lane<f32>(p1 + o, v, 1)
    v = v128.load_lane<f32>(p2 + o, v, 2)
    v = v128.load_lane<f32>(p3 + o, v, 3)
    v128.store(to, v)
  }
}
