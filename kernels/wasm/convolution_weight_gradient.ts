/**
 * dw ← dw + ∂E/∂w without an im2col matrix: a tile of 4 taps times 8 output channels takes its left side one splat at a
 * time straight from the image, and its right side from dy packed as panels of 8 channels. A chunk owns a block of taps
 * and channels and runs over all images in order; a small dw instead has one copy for each of a few groups of images,
 * and the copies are added in order. Either way the sums do not depend on the number of threads.
 */
import { Convolution, convolutionJob, cut, isPadded, isPointwise, paddedBytes, padRows, partsOf, zero } from './convolution_shape'
import { packColumns } from './pack'
import { depthwiseWeightGradient, hasDepthwiseWeights } from './depthwise'
import { asSum, isDry, needWorkspace, run, sharedWorkspace } from './threads'
import { pointwiseWeights } from './pointwise_weights'
import { MR, NR, ROW } from './micro_tile'
import { bytes, ceilDiv, larger, madd, smaller } from './vector'
import { pays } from './winograd_cost'
import { isKept, winogradWeightGradient } from './winograd_weight_gradient'

/** Bytes of packed images and gradients at a time, and positions summed in registers at a time. */
const ROUND: f64 = 16777216
const RUN: i32 = 768
/** Values of a dw that is small enough to have several copies, and how many. */
const SMALL: i32 = 4096
const COPIES: i32 = 8
/** Positions of an image that are sums long enough by themselves where a kernel is 1×1. */
const LONG: i32 = 128
/** Chunks that packing should have. */
const PACKS: i32 = 8

export function convolutionWeightGradient(x: usize, dy: usize, dw: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (hasDepthwiseWeights(s)) {
    depthwiseWeightGradient(x, dy, dw)
    return
  }
  if (pays(s, s.OH, s.OW, false) && isKept(s)) {
    winogradWeightGradient(s, x, dy, dw, false)
    return
  }
  s.x = x
  s.y = dy
  s.w = dw
  if (isPointwise(s) && (s.N == 1 || s.positions >= LONG)) {
    pointwiseWeights(s)
    return
  }
  const K = s.groupC * s.taps
  const columns = ceilDiv(s.groupM, NR) * NR
  const small = s.G == 1 && s.N >= COPIES && K * columns <= SMALL
  const each = small ? 1 : ceilDiv(partsOf(s), s.G)
  s.block = cut(K, each, MR, MR)
  s.parts = ceilDiv(K, s.block)
  s.block2 = cut(columns, ceilDiv(each, s.parts), NR, NR)
  s.parts2 = ceilDiv(columns, s.block2)
  const packed = <usize>(s.G * columns) * bytes(s.positions)
  const padded = isPadded(s) ? paddedBytes(s, s.C) : 0
  s.images = smaller(s.N, larger(1, <i32>(ROUND / <f64>(packed + padded))))
  s.groups = small ? smaller(COPIES, s.images) : 1
  const length = imagesOfRun(s) * rowsOfRun(s)
  const sums = bytes(s.block * s.block2)
  const tables = (bytes(K + 3 + length) + 63) & ~63
  s.table = sharedWorkspace(tables + sums * <usize>s.groups + (packed + padded) * <usize>s.images)
  s.offsets = s.table + bytes(K + 3)
  s.sums = s.table + tables
  s.packed = s.sums + sums * <usize>s.groups
  needWorkspace(sums)
  if (isDry()) return
  fillTables(s, K)
  for (s.first = 0; s.first < s.N; s.first += s.images) {
    s.images = smaller(s.images, s.N - s.first)
    s.packs = smaller(ceilDiv(s.groupM, NR), ceilDiv(PACKS, s.images * s.G))
    run(packChunk, s.images * s.G * s.packs)
    run(weightChunk, s.G * s.parts * s.parts2 * s.groups)
    if (s.groups > 1) for (let q = 0; q < s.groups; q++) addSums(s, 0, 0, 0, K, s.groupM, s.sums + sums * <usize>q)
  }
}

/** A run is some whole images, or some rows of one image. */
@inline
function imagesOfRun(s: Convolution): i32 {
  return smaller(s.images, larger(1, RUN / s.positions))
}
@inline
function rowsOfRun(s: Convolution): i32 {
  return ceilDiv(s.OH, ceilDiv(s.positions, RUN))
}

/**
 * Byte offsets of the taps (three more, that repeat the last one, fill up the last tile), and of the rows of a run.
 */
function fillTables(s: Convolution, K: i32): void {
  for (let k = 0; k < K + 3; k++) {
    const t = smaller(k, K - 1)
    const c = t / s.taps
    const r = (t - c * s.taps) / s.KW
    const q = t - c * s.taps - r * s.KW
    store<u32>(s.table + bytes(k), ((c * s.padH + r * s.DH) * s.padW + q * s.DW) << 2)
  }
  let to = s.offsets
  for (let n = 0; n < imagesOfRun(s); n++) {
    for (let y = 0; y < rowsOfRun(s); y++, to += 4) store<u32>(to, paddedBytes(s, n * s.C) + bytes(y * s.SH * s.padW))
  }
}

/** Bytes of one panel of all images of the round. */
@inline
function panelBytes(s: Convolution): usize {
  return <usize>(s.images * s.positions) * ROW
}

@inline
function paddedImages(s: Convolution): usize {
  return s.packed + <usize>(s.G * ceilDiv(s.groupM, NR)) * panelBytes(s)
}

/** A part of one group of one image: dy as panels, and x with its padding. */
function packChunk(chunk: i32, _workspace: usize): void {
  const s = convolutionJob()
  const part = chunk % s.packs
  chunk /= s.packs
  const g = chunk % s.G
  const n = chunk / s.G
  const dy = s.y + <usize>((s.first + n) * s.M + g * s.groupM) * bytes(s.positions)
  const count = ceilDiv(s.groupM, NR)
  const last = (count * (part + 1)) / s.packs
  for (let j = (count * part) / s.packs; j < last; j++) {
    const to = s.packed + <usize>(g * count + j) * panelBytes(s) + <usize>(n * s.positions) * ROW
    packColumns(s.positions, smaller(NR, s.groupM - j * NR), dy + <usize>(j * NR) * bytes(s.positions), bytes(s.positions), to)
  }
  if (isPadded(s)) {
    const c0 = (s.groupC * part) / s.packs
    const c1 = (s.groupC * (part + 1)) / s.packs
    const c = (s.first + n) * s.C + g * s.groupC + c0
    padRows(s, c1 - c0, s.x + <usize>c * bytes(s.H * s.W), paddedImages(s) + paddedBytes(s, n * s.C + g * s.groupC + c0), 0, s.padH)
  }
}

function weightChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const K = s.groupC * s.taps
  const q = chunk % s.groups
  chunk /= s.groups
  const j0 = (chunk % s.parts2) * s.block2
  const k0 = ((chunk / s.parts2) % s.parts) * s.block
  const g = chunk / s.parts2 / s.parts
  const taps = smaller(s.block, K - k0)
  const columns = smaller(s.block2, s.groupM - j0)
  const imageBytes = paddedBytes(s, s.C)
  const images = (isPadded(s) ? paddedImages(s) : s.x + <usize>s.first * imageBytes) + paddedBytes(s, g * s.groupC)
  const panels = s.packed + <usize>(g * ceilDiv(s.groupM, NR) + j0 / NR) * panelBytes(s)
  const sums = s.groups > 1 ? s.sums + bytes(s.block * s.block2) * <usize>q : workspace
  const perGroup = ceilDiv(s.images, s.groups)
  const end = smaller(s.images, (q + 1) * perGroup)
  zero(sums, s.block * s.block2)
  const together = imagesOfRun(s)
  const rows = rowsOfRun(s)
  for (let n = q * perGroup; n < end; n += together) {
    const count = smaller(together, end - n)
    for (let y = 0; y < s.OH; y += rows) {
      const height = smaller(rows, s.OH - y)
      const image = images + <usize>n * imageBytes + bytes(y * s.SH * s.padW)
      const at = <usize>(n * s.positions + y * s.OW) * ROW
      for (let j = 0; j < columns; j += NR) {
        const b = panels + <usize>(j / NR) * panelBytes(s) + at
        const to = sums + bytes(j * s.block)
        for (let k = 0; k < taps; k += MR) {
          gradientTile(count * height, s.OW, bytes(s.SW), s.offsets, image, s.table + bytes(k0 + k), b, to + bytes(k * NR))
        }
      }
    }
  }
  if (s.groups == 1) addSums(s, g, j0, k0, taps, columns, sums)
}

/** dw ← dw + sums, which lie as (panel of 8 channels, tap, channel). */
function addSums(s: Convolution, g: i32, j0: i32, k0: i32, taps: i32, columns: i32, sums: usize): void {
  const K = s.groupC * s.taps
  for (let j = 0; j < columns; j++) {
    let to = s.w + <usize>(g * s.groupM + j0 + j) * bytes(K) + bytes(k0)
    let from = sums + bytes((j & ~7) * s.block + (j & 7))
    for (let k = 0; k < taps; k++, to += 4, from += ROW) store<f32>(to, load<f32>(to) + load<f32>(from))
  }
}

/** c (4 taps, 8 channels) ← c + Σ image[tap + offset + x·step]·b[x][0…7] over the positions x of some rows. */
@inline
function gradientTile(rows: i32, width: i32, step: usize, offsets: usize, image: usize, table: usize, b: usize, c: usize): void {
  let c00 = v128.load(c)
  let c01 = v128.load(c, 16)
  let c10 = v128.load(c, 32)
  let c11 = v128.load(c, 48)
  let c20 = v128.load(c, 64)
  let c21 = v128.load(c, 80)
  let c30 = v128.load(c, 96)
  let c31 = v128.load(c, 112)
  let p = asSum(b)
  for (let y = 0; y < rows; y++) {
    const first = image + load<u32>(offsets + bytes(y))
    let a0 = first + load<u32>(table)
    let a1 = first + load<u32>(table, 4)
    let a2 = first + load<u32>(table, 8)
    let a3 = first + load<u32>(table, 12)
    for (const end = p + <usize>width * ROW; p != end; ) {
      const b0 = v128.load(p)
      const b1 = v128.load(p, 16)
      p += ROW
      const x0 = v128.load_splat<f32>(a0)
      a0 += step
      c00 = madd(x0, b0, c00)
      c01 = madd(x0, b1, c01)
      const x1 = v128.load_splat<f32>(a1)
      a1 += step
      c10 = madd(x1, b0, c10)
      c11 = madd(x1, b1, c11)
      const x2 = v128.load_splat<f32>(a2)
      a2 += step
      c20 = madd(x2, b0, c20)
      c21 = madd(x2, b1, c21)
      const x3 = v128.load_splat<f32>(a3)
      a3 += step
      c30 = madd(x3, b0, c30)
      c31 = madd(x3, b1, c31)
    }
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  v128.store(c, c10, 32)
  v128.store(c, c11, 48)
  v128.store(c, c20, 64)
  v128.store(c, c21, 80)
  v128.store(c, c30, 96)
  v128.store(c, c31, 112)
}
