/**
 * Convolutions of the native engine: what the taps see is written out (im2col), a piece at a time that stays in the L2
 * cache, and the system's sgemm multiplies. Where the kernel moves down row by row (stride 1), only the taps of one
 * kernel row are written: row r of the kernel sees the same values r rows further down, so that a pass is KH products
 * which begin at different places of one piece.
 */
import { finished, hasAfter, slopes } from './after'
import { sgemm } from './blas_import'
import { Convolution, convolutionJob, zero } from './convolution_shape'
import { needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, evens, larger, smaller, storeLanes } from './vector'
import { pays, winograd, winogradInputGradient } from './winograd'
import { isKept, winogradWeightGradient } from './winograd_weight_gradient'

/** Values of a piece: 512 KiB. */
const PIECE: i32 = 1 << 17
/** Operations worth a chunk of their own, some 20 µs, and how many chunks there should be. */
const CHUNK_WORK: f64 = 4e6
const MOST_CHUNKS: i32 = 16
/** Rows of a piece that a product with one row of the kernel needs to be worth its call, and columns of any product. */
const LEAST_DEPTH: i32 = 32
const LEAST_WIDTH: i32 = 32

/**
 * Rows of the kernel whose products are apart: all or, where each has to be written out, none. Reordered weights must
 * cost little.
 */
@inline
function shiftsOf(s: Convolution): i32 {
  const split = s.SH == 1 && s.KH > 1 && s.groupC * s.KW >= LEAST_DEPTH && <f64>s.N * <f64>s.positions >= 2 * <f64>s.groupM
  return split ? s.KH : 1
}

@inline
function isPointwise(s: Convolution): bool {
  return s.taps == 1 && s.SH == 1 && s.SW == 1 && (s.PH | s.PW) == 0
}

/** Rows of a piece for each channel. */
@inline
function depthOf(s: Convolution): i32 {
  return s.taps / s.shifts
}

/** Values from one row of n to the next. Multiples of 1 KiB would put all rows into a few lines of the L1 cache. */
@inline
function spaced(n: i32): i32 {
  n = (n + 15) & ~15
  return n & 255 ? n : n + 16
}

/** Values from one row of a piece to the next. */
@inline
function strideOf(s: Convolution, rows: i32): i32 {
  return spaced((s.shifts > 1 ? rows + (s.KH - 1) * s.DH : rows) * s.OW)
}

/** Output rows of a piece for so many channels; where pieces overlap they are not too thin. */
function rowsThatFit(s: Convolution, channels: i32): i32 {
  const overlap = s.shifts > 1 ? (s.KH - 1) * s.DH : 0
  const fit = PIECE / (channels * depthOf(s) * s.OW) - overlap
  return smaller(s.OH, larger(larger(1, 2 * overlap), fit))
}

/**
 * Into how many chunks an image should be cut, `most` at most, so that all threads have work; an even number if that
 * tells.
 */
function sharesOf(s: Convolution, most: i32): i32 {
  const images = s.N * s.G
  if (images >= MOST_CHUNKS) return 1
  const operations = 2 * <f64>s.groupM * <f64>s.groupC * <f64>s.taps * <f64>s.positions
  const shares = larger(1, smaller(most, smaller(ceilDiv(MOST_CHUNKS, images), <i32>(operations / CHUNK_WORK) + 1)))
  return shares > 1 && images & 1 ? shares & ~1 : shares
}

/** Where part i of n units begins that are cut into `parts`: larger ones first, so that the last ones end together. */
@inline
function beginOf(n: i32, parts: i32, i: i32): i32 {
  return i * (n / parts) + smaller(i, n % parts)
}

/** The weights in the order (r, m, c, q) where rows of the kernel are apart, else as they are. */
function weightsOf(s: Convolution, w: usize): usize {
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
function firstOf(s: Convolution, q: i32): i32 {
  const left = s.PW - q * s.DW
  return left > 0 ? smaller(s.OW, ceilDiv(left, s.SW)) : 0
}
@inline
function lastOf(s: Convolution, q: i32): i32 {
  const right = s.W - 1 + s.PW - q * s.DW
  return right < 0 ? 0 : smaller(s.OW, right / s.SW + 1)
}

/** The piece of `channels` planes at `image` for output rows from y0 on. */
function lower(s: Convolution, image: usize, channels: i32, y0: i32, rows: i32, to: usize, stride: i32): void {
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

// ---- forward: a chunk is some rows of one group of one image, or one group of some small images
// ------------------------------

/**
 * Columns of a product: that many are as good as more; fewer only where their outputs would not stay in the L2 cache.
 */
const WIDE: i32 = 784
const NARROW: i32 = 192
const OUTPUTS: i32 = 1 << 16
/** Chunks that a pass should have at least, and outputs or positions that are cut together. */
const LEAST_CHUNKS: i32 = 4
const ROWS: i32 = 8
const COLUMNS: i32 = 16

/**
 * Images whose positions become columns of the same product. In cycles: sgemm takes 16 columns at a time and loses some
 * 8 more on the rest; joined images cost a copy of the outputs and, unless they would be written out anyway, of the
 * patches.
 */
function joinedOf(s: Convolution): i32 {
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

/** Whether there are so few positions that only outputs can be cut. */
@inline
function isNarrow(s: Convolution): bool {
  return !isPointwise(s) && s.N * s.G < LEAST_CHUNKS && s.positions < LEAST_CHUNKS * LEAST_WIDTH
}

@inline
function columnsOf(s: Convolution): i32 {
  return larger(NARROW, smaller(WIDE, OUTPUTS / s.groupM))
}

export function blasConvolution(x: usize, w: usize, bias: usize, y: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true)) {
    winograd(s, x, w, bias, y, true)
    return
  }
  s.images = joinedOf(s)
  const joined = s.images > 1 || isNarrow(s)
  s.shifts = joined ? 1 : shiftsOf(s)
  s.x = x
  s.w = weightsOf(s, w)
  s.bias = bias
  s.y = y
  s.parts = 1
  s.parts2 = 1
  if (joined) {
    const stride = spaced(s.images * s.positions)
    const groups = ceilDiv(s.N, s.images) * s.G
    s.block = channelsThatFit(s, stride)
    s.parts2 = sharesOf(s, smaller(ceilDiv(LEAST_CHUNKS, groups), s.groupM / LEAST_WIDTH))
    const outputs = ceilDiv(ceilDiv(s.groupM, ROWS), s.parts2) * ROWS
    needWorkspace(bytes((s.block * s.taps + outputs) * stride) + 64)
    run(joinedChunk, groups * s.parts2)
    return
  }
  if (isPointwise(s)) {
    // one long row: cut by positions, or by outputs if there are more
    if (s.groupM > s.positions) s.parts2 = sharesOf(s, s.groupM / LEAST_WIDTH)
    else s.parts = sharesOf(s, s.positions / LEAST_WIDTH)
    s.parts = larger(s.parts, ceilDiv(s.positions, columnsOf(s)))
  } else {
    s.parts = larger(sharesOf(s, s.OH / ceilDiv(LEAST_WIDTH, s.OW)), ceilDiv(s.OH, rowsThatFit(s, s.groupC)))
    s.block = ceilDiv(s.OH, s.parts)
    s.block2 = ceilDiv(s.block, ceilDiv(s.block, larger(1, columnsOf(s) / s.OW)))
    needWorkspace(bytes(s.groupC * depthOf(s) * strideOf(s, s.block)) + 64)
  }
  run(forwardChunk, s.N * s.G * s.parts * s.parts2)
}

/** Channels of a piece with rows of `stride` values, all taps. */
function channelsThatFit(s: Convolution, stride: i32): i32 {
  const most = larger(1, PIECE / (s.taps * stride))
  return ceilDiv(s.groupC, ceilDiv(s.groupC, most))
}

function forwardChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const part2 = chunk % s.parts2
  chunk /= s.parts2
  const part = chunk % s.parts
  const image = chunk / s.parts
  const g = image % s.G
  const n = image / s.G
  const depth = s.groupC * depthOf(s)
  const plane = bytes(s.positions)
  const x = s.x + <usize>((n * s.G + g) * s.groupC) * bytes(s.H * s.W)
  const y = s.y + <usize>(n * s.M + g * s.groupM) * plane
  if (isPointwise(s)) {
    const units = ceilDiv(s.positions, COLUMNS)
    const begin = COLUMNS * beginOf(units, s.parts, part)
    const count = smaller(s.positions, COLUMNS * beginOf(units, s.parts, part + 1)) - begin
    const m = firstOutput(s, part2)
    const outputs = firstOutput(s, part2 + 1) - m
    const to = y + <usize>m * plane + bytes(begin)
    const w = s.w + bytes((g * s.groupM + m) * depth)
    sgemm(false, false, outputs, count, depth, 1, w, depth, x + bytes(begin), s.positions, 0, to, s.positions)
    finishOutputs(s, g * s.groupM + m, outputs, to, plane, to, plane, count)
    return
  }
  const begin = beginOf(s.OH, s.parts, part)
  const rows = beginOf(s.OH, s.parts, part + 1) - begin
  const stride = strideOf(s, rows)
  lower(s, x, s.groupC, begin, rows, workspace, stride)
  for (let row = 0; row < rows; row += s.block2) {
    const count = smaller(s.block2, rows - row) * s.OW
    const to = y + bytes((begin + row) * s.OW)
    for (let r = 0; r < s.shifts; r++) {
      const w = s.w + bytes((r * s.M + g * s.groupM) * depth)
      const seen = workspace + bytes((row + r * s.DH) * s.OW)
      sgemm(false, false, s.groupM, count, depth, 1, w, depth, seen, stride, r > 0 ? 1 : 0, to, s.positions)
    }
    finishOutputs(s, g * s.groupM, s.groupM, to, plane, to, plane, count)
  }
}

/** Where part i of a group's outputs begins. */
@inline
function firstOutput(s: Convolution, i: i32): i32 {
  return smaller(s.groupM, ROWS * beginOf(ceilDiv(s.groupM, ROWS), s.parts2, i))
}

/** Some outputs of one group of one or more images: their patches side by side, some channels at a time. */
function joinedChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const m = firstOutput(s, chunk % s.parts2)
  const outputs = firstOutput(s, (chunk % s.parts2) + 1) - m
  chunk /= s.parts2
  const g = chunk % s.G
  const first = (chunk / s.G) * s.images
  const count = smaller(s.images, s.N - first)
  const stride = spaced(s.images * s.positions)
  const depth = s.groupC * s.taps
  const sums = workspace + bytes(s.block * s.taps * stride)
  for (let c = 0; c < s.groupC; c += s.block) {
    const channels = smaller(s.block, s.groupC - c)
    for (let n = 0; n < count; n++) {
      const x = s.x + <usize>(((first + n) * s.G + g) * s.groupC + c) * bytes(s.H * s.W)
      lower(s, x, channels, 0, s.OH, workspace + bytes(n * s.positions), stride)
    }
    const w = s.w + bytes((g * s.groupM + m) * depth + c * s.taps)
    sgemm(false, false, outputs, count * s.positions, channels * s.taps, 1, w, depth, workspace, stride, c > 0 ? 1 : 0, sums, stride)
  }
  const plane = bytes(s.positions)
  for (let n = 0; n < count; n++) {
    const y = s.y + <usize>((first + n) * s.M + g * s.groupM + m) * plane
    finishOutputs(s, g * s.groupM + m, outputs, sums + bytes(n * s.positions), bytes(stride), y, plane, s.positions)
  }
}

/** y ← after(sums + bias), n values of some outputs from m on, while they are in the cache; sums may be y itself. */
function finishOutputs(s: Convolution, m: i32, outputs: i32, sums: usize, step: usize, y: usize, plane: usize, n: i32): void {
  if (sums == y && s.bias == 0 && !hasAfter()) return
  const slope = slopes()
  for (const last = m + outputs; m < last; m++, sums += step, y += plane) {
    const b = f32x4.splat(s.bias ? load<f32>(s.bias + bytes(m)) : 0)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const v = f32x4.add(v128.load(sums + bytes(i)), b)
      v128.store(y + bytes(i), finished(v, slope))
    }
    if (i < n) {
      const v = f32x4.add(v128.load(sums + bytes(i)), b)
      storeLanes(y + bytes(i), finished(v, slope), n - i)
    }
  }
}

// ---- input gradient: a chunk is a block of channels of one group of one image, or of some small ones
// --------------------------

/** Values of the product that a chunk should have at least. */
const LEAST_VALUES: f64 = 8192

export function blasConvolutionInputGradient(dy: usize, w: usize, dx: usize): void {
  const s = convolutionJob()
  if (s.N * s.C == 0) return
  if (pays(s, s.H, s.W, true)) {
    winogradInputGradient(s, dy, w, dx, true)
    return
  }
  s.images = smaller(joinedOf(s), ceilDiv(NARROW, s.positions))
  s.shifts = s.images > 1 ? 1 : shiftsOf(s)
  s.y = dy
  s.w = weightsOf(s, w)
  s.x = dx
  const joined = s.images > 1
  const pointwise = isPointwise(s) && !joined
  const each = pointwise ? s.positions : joined ? s.taps * spaced(s.images * s.positions) : depthOf(s) * strideOf(s, s.OH)
  s.parts = larger(ceilDiv(s.groupC, larger(1, PIECE / larger(1, each))), sharesOf(s, chunksWorthCutting(s)))
  s.block = ceilDiv(s.groupC, s.parts)
  const gathered = joined ? s.groupM * spaced(s.images * s.positions) : 0
  needWorkspace(pointwise ? 64 : bytes(s.block * each + gathered) + 64)
  run(inputGradientChunk, ceilDiv(s.N, s.images) * s.G * s.parts)
}

/** Chunks of an image, none with so few rows or values that sgemm would mostly read weights. */
function chunksWorthCutting(s: Convolution): i32 {
  const rows = s.groupC * depthOf(s)
  return smaller(rows / ROWS, <i32>((<f64>rows * <f64>s.positions) / LEAST_VALUES))
}

function inputGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = beginOf(s.groupC, s.parts, chunk % s.parts)
  const channels = beginOf(s.groupC, s.parts, (chunk % s.parts) + 1) - c0
  const image = chunk / s.parts
  const g = image % s.G
  const n = (image / s.G) * s.images
  const count = smaller(s.images, s.N - n)
  const each = depthOf(s)
  const depth = s.groupC * each
  const plane = bytes(s.H * s.W)
  let dx = s.x + <usize>((n * s.G + g) * s.groupC + c0) * plane
  let dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions)
  let step = s.positions
  const w = s.w + bytes(g * s.groupM * depth + c0 * each)
  if (s.images == 1 && isPointwise(s)) {
    sgemm(true, false, channels, s.positions, s.groupM, 1, w, depth, dy, s.positions, 0, dx, s.positions)
    return
  }
  let stride = strideOf(s, s.OH)
  if (s.images > 1) {
    stride = spaced(s.images * s.positions)
    dy = gatherImages(s, dy, count, workspace + bytes(s.block * each * stride), stride)
    step = stride
  }
  const split = s.shifts > 1
  if (split) memory.fill(workspace, 0, bytes(channels * each * stride))
  for (let r = 0; r < s.shifts; r++) {
    const to = workspace + bytes(r * s.DH * s.OW)
    const rows = w + bytes(r * s.M * depth)
    sgemm(true, false, channels * each, count * s.positions, s.groupM, 1, rows, depth, dy, step, split ? 1 : 0, to, stride)
  }
  for (let i = 0; i < count; i++, dx += <usize>s.C * plane) raise(s, workspace + bytes(i * s.positions), stride, channels, dx)
}

/** The outputs of a group of `count` images side by side: rows of `stride` values. */
function gatherImages(s: Convolution, dy: usize, count: i32, to: usize, stride: i32): usize {
  for (let n = 0; n < count; n++, dy += <usize>s.M * bytes(s.positions)) {
    let from = dy
    let d = to + bytes(n * s.positions)
    for (let m = 0; m < s.groupM; m++, from += bytes(s.positions), d += bytes(stride)) copyValues(d, from, s.positions)
  }
  return to
}

/** Adds the rows of a piece into `channels` planes at dx, which begin at 0. */
function raise(s: Convolution, from: usize, stride: i32, channels: i32, dx: usize): void {
  const plane = bytes(s.H * s.W)
  memory.fill(dx, 0, <usize>channels * plane)
  const split = s.shifts > 1
  const height = split ? 1 : s.KH
  const count = split ? s.OH + (s.KH - 1) * s.DH : s.OH
  for (let c = 0; c < channels; c++, dx += plane) {
    for (let r = 0; r < height; r++) {
      for (let q = 0; q < s.KW; q++, from += bytes(stride)) raiseTap(s, from, count, r * s.DH - s.PH, q, dx)
    }
  }
}

/** plane[y + i·SH, x·SW + q·DW − PW] += from[i, x] wherever that lies inside. What lies outside may be set to 0. */
function raiseTap(s: Convolution, from: usize, count: i32, y: i32, q: i32, plane: usize): void {
  const OW = s.OW
  const first = firstOf(s, q)
  const last = lastOf(s, q)
  const to = plane + bytes(first * s.SW + q * s.DW - s.PW)
  if (s.SH == 1 && s.SW == 1 && OW == s.W && first < last) {
    // rows lie one behind the other in both: one run
    const top = smaller(count, larger(0, -y))
    const bottom = larger(top, smaller(count, s.H - y))
    if (first > 0) for (let i = top; i < bottom; i++) for (let x = 0; x < first; x++) store<f32>(from + bytes(i * OW + x), 0)
    if (last < OW) for (let i = top; i < bottom; i++) for (let x = last; x < OW; x++) store<f32>(from + bytes(i * OW + x), 0)
    if (top < bottom) addValues(to + bytes((y + top) * OW), from + bytes(top * OW + first), (bottom - top - 1) * OW + last - first)
    return
  }
  const none = f32x4.splat(0)
  const step = bytes(s.SW)
  for (let i = 0; i < count; i++, y += s.SH, from += bytes(OW)) {
    if (<u32>y >= <u32>s.H) continue
    let p = to + bytes(y * s.W)
    let x = first
    if (s.SW == 1) {
      for (; x + 4 <= last; x += 4, p += 16) v128.store(p, f32x4.add(v128.load(p), v128.load(from + bytes(x))))
    } else if (s.SW == 2) {
      // eight values at a time, of which the odd ones stay as they are; all eight lie before the last one that is added
      // to
      for (; x + 4 < last; x += 4, p += 32) {
        const v = v128.load(from + bytes(x))
        v128.store(p, f32x4.add(v128.load(p), v128.shuffle<f32>(v, none, 0, 4, 1, 5)))
        v128.store(p, f32x4.add(v128.load(p, 16), v128.shuffle<f32>(v, none, 2, 6, 3, 7)), 16)
      }
    }
    for (; x < last; x++, p += step) store<f32>(p, load<f32>(p) + load<f32>(from + bytes(x)))
  }
}

/** to += from, n values. */
@inline
function addValues(to: usize, from: usize, n: i32): void {
  let i = 0
  for (; i + 4 <= n; i += 4) v128.store(to + bytes(i), f32x4.add(v128.load(to + bytes(i)), v128.load(from + bytes(i))))
  for (; i < n; i++) store<f32>(to + bytes(i), load<f32>(to + bytes(i)) + load<f32>(from + bytes(i)))
}

// ---- weight gradient: a chunk is a block of channels of one group, and a share of all pieces of all images
// --------------------
// Every share has a copy of the gradient of its own; the copies are added in order.

/**
 * Values of all copies together, how many there are at most, and how many sums a copy must be made of to be worth
 * adding up.
 */
const COPIED: i32 = 1 << 20
const COPIES: i32 = 8
const LEAST_SUMS: i32 = 512
/** Rows of a product up to which sgemm is a quarter faster if they become its columns, unless those lie 4 KiB apart. */
const FEW_ROWS: i32 = 32
/** Positions of a piece of a 1×1 kernel: longer sums leave the L1 cache. */
const POINTS: i32 = 784

/** Pieces of an image. */
@inline
function piecesOf(s: Convolution): i32 {
  return isPointwise(s) ? ceilDiv(s.positions, s.block2) : ceilDiv(s.OH, s.block2)
}

/** Whether products have the taps first, as the longer side. */
@inline
function isTurned(s: Convolution): bool {
  return s.groupM <= FEW_ROWS && s.groupM < s.block * depthOf(s) && (s.positions & 1023) != 0
}

/** Whether a product's values lie as those of dw: then a single copy is not needed. */
@inline
function isPlain(s: Convolution): bool {
  return s.shifts == 1 && !isTurned(s)
}

export function blasConvolutionWeightGradient(x: usize, dy: usize, dw: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true) && isKept(s)) {
    winogradWeightGradient(s, x, dy, dw, true)
    return
  }
  s.shifts = shiftsOf(s)
  s.x = x
  s.y = dy
  s.w = dw
  const size = s.M * s.groupC * s.taps
  // channels: all at once, if copies make enough chunks and their pieces are not too thin
  const width = s.groupC * depthOf(s)
  const copies = larger(1, smaller(smaller(COPIES, COPIED / larger(1, size)), <i32>(<f64>s.N * <f64>s.positions / LEAST_SUMS)))
  const share = copies * s.G >= COPIES ? 1 : smaller(ceilDiv(MOST_CHUNKS, copies * s.G), larger(1, width / LEAST_WIDTH))
  const pointwise = isPointwise(s)
  s.block = ceilDiv(s.groupC, larger(share, pointwise ? 1 : ceilDiv(width * s.OW, PIECE)))
  s.parts = ceilDiv(s.groupC, s.block)
  s.block2 = pointwise ? ceilDiv(s.positions, ceilDiv(s.positions, POINTS)) : rowsThatFit(s, s.block)
  const pieces = s.N * piecesOf(s)
  s.images = ceilDiv(pieces, smaller(copies, pieces))
  s.parts2 = ceilDiv(pieces, s.images)
  const direct = s.parts2 == 1 && isPlain(s)
  s.packed = direct ? dw : sharedWorkspace(bytes(size * s.parts2) + 64)
  needWorkspace(pointwise ? 64 : bytes(s.block * depthOf(s) * strideOf(s, s.block2)) + 64)
  run(weightGradientChunk, s.G * s.parts * s.parts2)
  if (!direct) run(sumChunk, s.M)
}

function weightGradientChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const c0 = (chunk % s.parts) * s.block
  const rest = chunk / s.parts
  const g = rest % s.G
  const copy = rest / s.G
  const channels = smaller(s.block, s.groupC - c0)
  const each = depthOf(s)
  const depth = s.groupC * each
  const width = channels * each
  const target = s.packed + <usize>copy * bytes(s.M * depth * s.shifts)
  const pieces = piecesOf(s)
  const pointwise = isPointwise(s)
  const turned = isTurned(s)
  const last = smaller(s.N * pieces, (copy + 1) * s.images)
  let beta: f32 = s.packed == s.w ? 1 : 0
  for (let i = copy * s.images; i < last; i++, beta = 1) {
    const n = i / pieces
    const begin = (i - n * pieces) * s.block2
    const x = s.x + <usize>((n * s.G + g) * s.groupC + c0) * bytes(s.H * s.W)
    const p0 = pointwise ? begin : begin * s.OW
    const rows = smaller(s.block2, s.OH - begin)
    const count = pointwise ? smaller(s.block2, s.positions - begin) : rows * s.OW
    const stride = pointwise ? s.positions : strideOf(s, rows)
    const dy = s.y + <usize>(n * s.M + g * s.groupM) * bytes(s.positions) + bytes(p0)
    if (!pointwise) lower(s, x, channels, begin, rows, workspace, stride)
    for (let r = 0; r < s.shifts; r++) {
      const seen = pointwise ? x + bytes(p0) : workspace + bytes(r * s.DH * s.OW)
      // (r, g, k, m) turned, else (r, g, m, k)
      const to = target + bytes((r * s.M + g * s.groupM) * depth)
      if (turned) sgemm(false, true, width, s.groupM, count, 1, seen, stride, dy, s.positions, beta, to + bytes(c0 * each * s.groupM), s.groupM)
      else sgemm(false, true, s.groupM, width, count, 1, dy, s.positions, seen, stride, beta, to + bytes(c0 * each), depth)
    }
  }
}

/** dw[m] += Σ copies[m], in order; a copy's values lie in the order that the products left. */
function sumChunk(m: i32, _workspace: usize): void {
  const s = convolutionJob()
  const each = depthOf(s)
  const depth = s.groupC * each
  const size = bytes(s.M * depth * s.shifts)
  let d = s.w + <usize>m * bytes(s.groupC * s.taps)
  if (isPlain(s)) {
    let p = s.packed + bytes(m * depth)
    let k = 0
    for (; k + 4 <= depth; k += 4, d += 16, p += 16) {
      let sum = v128.load(d)
      let q = p
      for (let copy = 0; copy < s.parts2; copy++, q += size) sum = f32x4.add(sum, v128.load(q))
      v128.store(d, sum)
    }
    for (; k < depth; k++, d += 4, p += 4) addCopies(s, p, size, d)
    return
  }
  const turned = isTurned(s)
  const g = m / s.groupM
  // from one k to the next
  const step = bytes(turned ? s.groupM : 1)
  const from = s.packed + (turned ? bytes(g * s.groupM * depth + m - g * s.groupM) : bytes(m * depth))
  for (let c = 0; c < s.groupC; c++) {
    for (let r = 0; r < s.shifts; r++) {
      let p = from + bytes(r * s.M * depth) + <usize>(c * each) * step
      for (let k = 0; k < each; k++, d += 4, p += step) addCopies(s, p, size, d)
    }
  }
}

@inline
function addCopies(s: Convolution, p: usize, size: usize, d: usize): void {
  let sum = load<f32>(d)
  for (let copy = 0; copy < s.parts2; copy++, p += size) sum += load<f32>(p)
  store<f32>(d, sum)
}
