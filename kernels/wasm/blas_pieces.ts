/**
 * How convolutions of the native engine are cut for the system's sgemm: what the taps see is written out (im2col), a
 * piece at a time that stays in the L2 cache. Where the kernel moves down row by row (stride 1), only the taps of one
 * kernel row are written: row r of the kernel sees the same values r rows further down, so that a pass is KH products
 * which begin at different places of one piece.
 */
import { Convolution, convolutionJob, zero } from './convolution_shape'
import { run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, evens, larger, smaller } from './vector'

/** Values of a piece: 512 KiB. */
export const PIECE: i32 = 1 << 17
/** Operations worth a chunk of their own, some 20 µs, and how many chunks there should be. */
const CHUNK_WORK: f64 = 4e6
export const MOST_CHUNKS: i32 = 16
/** Rows of a piece that a product with one row of the kernel needs to be worth its call, and columns of any product. */
const LEAST_DEPTH: i32 = 32
export const LEAST_WIDTH: i32 = 32

/**
 * Rows of the kernel whose products are apart: all or, where each has to be written out, none. Reordered weights must
 * cost little.
 */
@inline
export function shiftsOf(s: Convolution): i32 {
  const split = s.SH == 1 && s.KH > 1 && s.groupC * s.KW >= LEAST_DEPTH && <f64>s.N * <f64>s.positions >= 2 * <f64>s.groupM
  return split ? s.KH : 1
}

@inline
export function isPointwise(s: Convolution): bool {
  return s.taps == 1 && s.SH == 1 && s.SW == 1 && (s.PH | s.PW) == 0
}

/** Rows of a piece for each channel. */
@inline
export function depthOf(s: Convolution): i32 {
  return s.taps / s.shifts
}

/** Values from one row of n to the next. Multiples of 1 KiB would put all rows into a few lines of the L1 cache. */
@inline
export function spaced(n: i32): i32 {
  n = (n + 15) & ~15
  return n & 255 ? n : n + 16
}

/** Values from one row of a piece to the next. */
@inline
export function strideOf(s: Convolution, rows: i32): i32 {
  return spaced((s.shifts > 1 ? rows + (s.KH - 1) * s.DH : rows) * s.OW)
}

/** Output rows of a piece for so many channels; where pieces overlap they are not too thin. */
export function rowsThatFit(s: Convolution, channels: i32): i32 {
  const overlap = s.shifts > 1 ? (s.KH - 1) * s.DH : 0
  const fit = PIECE / (channels * depthOf(s) * s.OW) - overlap
  return smaller(s.OH, larger(larger(1, 2 * overlap), fit))
}

/**
 * Into how many chunks an image should be cut, `most` at most, so that all threads have work; an even number if that
 * tells.
 */
export function sharesOf(s: Convolution, most: i32): i32 {
  const images = s.N * s.G
  if (images >= MOST_CHUNKS) return 1
  const operations = 2 * <f64>s.groupM * <f64>s.groupC * <f64>s.taps * <f64>s.positions
  const shares = larger(1, smaller(most, smaller(ceilDiv(MOST_CHUNKS, images), <i32>(operations / CHUNK_WORK) + 1)))
  return shares > 1 && images & 1 ? shares & ~1 : shares
}

/** Where part i of n units begins that are cut into `parts`: larger ones first, so that the last ones end together. */
@inline
export function beginOf(n: i32, parts: i32, i: i32): i32 {
  return i * (n / parts) + smaller(i, n % parts)
}

/** The weights in the order (r, m, c, q) where rows of the kernel are apart, else as they are. */
export function weightsOf(s: Convolution, w: usize): usize {
  if (s.shifts == 1) return w
  s.w = w
  s.packed = sharedWorkspace(bytes(s.M * s.groupC * s.taps) + 64)
  run(weightsChunk, s.M)
  return s.packed
}

function weightsChunk(m: i32, _workspace: usize): void {
  const s = convolutionJob()
  const step = bytes(s.M * s.groupC * s.KW)
  let w = s.w + <usize>m * bytes(s.groupC * s.taps)
  for (let i = m * s.groupC; i < (m + 1) * s.groupC; i++) {
    for (let r = 0; r < s.KH; r++) {
      const d = s.packed + <usize>r * step + bytes(i * s.KW)
      for (let q = 0; q < s.KW; q++, w += 4) store<f32>(d + bytes(q), load<f32>(w))
    }
  }
}

/** Which x of a row see a column of the image under tap column q: first ≤ x < last. */
@inline
export function firstOf(s: Convolution, q: i32): i32 {
  const left = s.PW - q * s.DW
  return left > 0 ? smaller(s.OW, ceilDiv(left, s.SW)) : 0
}
@inline
export function lastOf(s: Convolution, q: i32): i32 {
  const right = s.W - 1 + s.PW - q * s.DW
  return right < 0 ? 0 : smaller(s.OW, right / s.SW + 1)
}

/** The piece of `channels` planes at `image` for output rows from y0 on. */
export function lower(s: Convolution, image: usize, channels: i32, y0: i32, rows: i32, to: usize, stride: i32): void {
  const height = s.shifts > 1 ? 1 : s.KH
  const count = s.shifts > 1 ? rows + (s.KH - 1) * s.DH : rows
  for (let c = 0; c < channels; c++, image += bytes(s.H * s.W)) {
    for (let r = 0; r < height; r++) {
      for (let q = 0; q < s.KW; q++, to += bytes(stride)) lowerTap(s, image, y0 * s.SH + r * s.DH - s.PH, q, count, to)
    }
  }
}

/** One row of a piece: `count` rows of the plane from y on, as column q of the kernel sees them. */
function lowerTap(s: Convolution, plane: usize, y: i32, q: i32, count: i32, d: usize): void {
  const OW = s.OW
  const first = firstOf(s, q)
  const last = larger(first, lastOf(s, q))
  const from = plane + bytes(first * s.SW + q * s.DW - s.PW)
  if (s.SH == 1 && s.SW == 1 && OW == s.W && first < last) {
    // rows lie one behind the other in both: one run, then what the padding shows
    const top = smaller(count, larger(0, -y))
    const bottom = larger(top, smaller(count, s.H - y))
    zero(d, top * OW)
    if (top < bottom) copyValues(d + bytes(top * OW + first), from + bytes((y + top) * OW), (bottom - top - 1) * OW + last - first)
    if (first > 0) for (let i = top; i < bottom; i++) for (let x = 0; x < first; x++) store<f32>(d + bytes(i * OW + x), 0)
    if (last < OW) for (let i = top; i < bottom; i++) for (let x = last; x < OW; x++) store<f32>(d + bytes(i * OW + x), 0)
    zero(d + bytes(bottom * OW), (count - bottom) * OW)
    return
  }
  const step = bytes(s.SW)
  for (let i = 0; i < count; i++, y += s.SH, d += bytes(OW)) {
    if (<u32>y >= <u32>s.H) {
      zero(d, OW)
      continue
    }
    let p = from + bytes(y * s.W)
    let x = 0
    for (; x < first; x++) store<f32>(d + bytes(x), 0)
    if (s.SW == 1) {
      for (; x + 4 <= last; x += 4, p += 16) v128.store(d + bytes(x), v128.load(p))
    } else if (s.SW == 2) {
      for (; x + 4 <= last; x += 4, p += 32) v128.store(d + bytes(x), evens(v128.load(p), v128.load(p, 16)))
    }
    for (; x < last; x++, p += step) store<f32>(d + bytes(x), load<f32>(p))
    for (; x < OW; x++) store<f32>(d + bytes(x), 0)
  }
}

/**
 * Columns of a product: that many are as good as more; fewer only where their outputs would not stay in the L2 cache.
 */
export const WIDE: i32 = 784
export const NARROW: i32 = 192
export const OUTPUTS: i32 = 1 << 16
/** Chunks that a pass should have at least, and outputs or positions that are cut together. */
export const LEAST_CHUNKS: i32 = 4
export const ROWS: i32 = 8
export const COLUMNS: i32 = 16

/**
 * Images whose positions become columns of the same product. In cycles: sgemm takes 16 columns at a time and loses some
 * 8 more on the rest; joined images cost a copy of the outputs and, unless they would be written out anyway, of the
 * patches.
 */
export function joinedOf(s: Convolution): i32 {
  const most = smaller(s.N, WIDE / s.positions)
  const rest = s.positions & 15
  if (most < 2 || rest == 0) return 1
  const sums = s.groupC * s.taps
  const lost = (<f64>(24 - rest) * <f64>s.groupM * <f64>sums) / 36
  const lowered = isPointwise(s) ? 0 : sums / shiftsOf(s)
  const copied = 0.5 * <f64>s.positions * <f64>(s.groupM + sums - lowered)
  if (lost < copied) return 1
  const images = smaller(most, larger((s.N * s.G) / LEAST_CHUNKS, ceilDiv(NARROW, s.positions)))
  return ceilDiv(s.N, ceilDiv(s.N, images))
}
