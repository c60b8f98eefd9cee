/** What the three passes of a 2-D convolution have in common: their job and the padded images they read. */
import { isDry, job, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, larger, smaller, storeLanes } from './vector'

/**
 * Sizes as in ConvolutionShape: N images, C and M channels over all G groups; kernel K, stride S, pad P, dilation D
 * along H and W.
 */
@unmanaged
export class Convolution {
  N: i32
  C: i32
  M: i32
  G: i32
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
  DH: i32
  DW: i32

  x: usize
  w: usize
  bias: usize
  y: usize

  /** Channels of one group, taps of the kernel, output positions, and the size of a padded image. */
  groupC: i32
  groupM: i32
  taps: i32
  positions: i32
  padH: i32
  padW: i32

  /** How the pass cuts its work, and where its shared workspace is. */
  parts: i32
  block: i32
  parts2: i32
  block2: i32
  table: usize
  offsets: usize
  packed: usize
  sums: usize
  first: i32
  images: i32
  groups: i32
  packs: i32
  /** Products that a pass of the native engine is made of, one a kernel row or one in all. */
  shifts: i32
}

@inline
export function convolutionJob(): Convolution {
  return changetype<Convolution>(job)
}

/** Sizes of the next pass. A 1×1 kernel that takes every position makes one long row of an image. */
export function convolutionShape(
  N: i32,
  C: i32,
  M: i32,
  G: i32,
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
  DH: i32,
  DW: i32,
): void {
  const s = convolutionJob()
  const plain = KH == 1 && KW == 1 && SH == 1 && SW == 1 && PH == 0 && PW == 0
  s.N = N
  s.C = C
  s.M = M
  s.G = G
  s.H = plain ? 1 : H
  s.W = plain ? H * W : W
  s.OH = plain ? 1 : OH
  s.OW = plain ? H * W : OW
  s.KH = KH
  s.KW = KW
  s.SH = SH
  s.SW = SW
  s.PH = PH
  s.PW = PW
  s.DH = DH
  s.DW = DW
  s.groupC = C / G
  s.groupM = M / G
  s.taps = KH * KW
  s.positions = OH * OW
  s.padH = s.H + 2 * PH
  s.padW = s.W + 2 * PW
}

/** Chunks a pass should have: some 15 µs of work each at least, and no more than 32 of them. */
export function partsOf(s: Convolution): i32 {
  const operations = 2 * <f64>s.N * <f64>s.M * <f64>s.groupC * <f64>s.taps * <f64>s.positions
  return <i32>Math.max(1, Math.min(32, operations / 8e5))
}

/** Whether images must be copied to be read: their padding is not in memory. */
@inline
export function isPadded(s: Convolution): bool {
  return (s.PH | s.PW) != 0
}

/** Whether the kernel is 1×1 and takes every position: rows of positions are rows of matrices then. */
@inline
export function isPointwise(s: Convolution): bool {
  return s.taps == 1 && s.SH == 1 && s.SW == 1 && !isPadded(s)
}

/** Bytes of `channels` padded planes. */
@inline
export function paddedBytes(s: Convolution, channels: i32): usize {
  return bytes(s.padH * s.padW) * <usize>channels
}

/** Byte offset, in an image as the taps see it, of output position p under tap (0, 0). */
@inline
export function offsetOf(s: Convolution, p: i32): usize {
  const y = p / s.OW
  return bytes(y * s.SH * s.padW + (p - y * s.OW) * s.SW)
}

/** Byte offsets of the taps (c, r, s) of a group within its image, in the order of the weights. */
export function tapTable(s: Convolution): usize {
  const table = sharedWorkspace(bytes(s.groupC * s.taps))
  if (isDry()) return table
  let p = table
  for (let c = 0; c < s.groupC; c++) {
    for (let r = 0; r < s.KH; r++) {
      for (let q = 0; q < s.KW; q++) {
        store<u32>(p, ((c * s.padH + r * s.DH) * s.padW + q * s.DW) << 2)
        p += 4
      }
    }
  }
  return table
}

/** Copies `channels` planes into padded planes at `to`, only the padded rows first ≤ row < last. */
export function padRows(s: Convolution, channels: i32, from: usize, to: usize, first: i32, last: i32): void {
  const rowBytes = bytes(s.padW)
  for (let c = 0; c < channels; c++) {
    let d = to + <usize>(c * s.padH + first) * rowBytes
    for (let row = first; row < last; row++, d += rowBytes) {
      const h = row - s.PH
      if (<u32>h >= <u32>s.H) {
        zero(d, s.padW)
      } else {
        zero(d, s.PW)
        copyValues(d + bytes(s.PW), from + bytes((c * s.H + h) * s.W), s.W)
        zero(d + bytes(s.PW + s.W), s.PW)
      }
    }
  }
}

/** Sets n values to 0. */
@inline
export function zero(p: usize, n: i32): void {
  if (n > 64) {
    memory.fill(p, 0, bytes(n))
    return
  }
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(p + bytes(i), f32x4.splat(0))
  for (; i < n; i++) store<f32>(p + bytes(i), 0)
}

/** Cuts n into about `parts` blocks that are multiples of `unit` and at least `least`. */
export function cut(n: i32, parts: i32, unit: i32, least: i32): i32 {
  const block = larger(ceilDiv(n, larger(1, parts)), least)
  return smaller(ceilDiv(block, unit) * unit, ceilDiv(n, unit) * unit)
}
