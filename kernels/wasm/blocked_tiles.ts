/**
 * Winograd's tiles of images whose channels lie in blocks of 8: what stands before and behind the products of their
 * 36 points, which are primitives of the system's oneDNN on the native engine. See between_primitives.ts.
 */
import { clipped } from './activations'
import { rectify } from './relu'
import { asSum } from './threads'
import { smaller } from './vector'
import { filter, outputSquare, VECTORS } from './winograd_tiles'

/** Bytes of the values of a block at one place, and of a row of a tile's 6 places. */
const PLACE: usize = 32
const PATCH: usize = 192
const SIDE: i32 = 4
/** Bytes between points, which keep them off each other's sets of the cache. */
const GAP: usize = 64

const RELU: i32 = 1
const CLIP: i32 = 2

/** Words that lib/engines/native/onednn/tiles.ts writes. Points are 36 times (blocks, tiles, 8), and GAP. */
@unmanaged
class BlockedTiles {
  from: usize
  to: usize
  /** Room of a thread for a tile. */
  temp: usize
  blocks: i32
  /** Of the picture that is read or written, and tiles of a row of it. */
  H: i32
  W: i32
  columns: i32
  /** Which tiles, row by row. */
  first: i32
  tiles: i32
  /** Where the picture begins before it is read. */
  PH: i32
  PW: i32
  /** What is done to a result: a bias, which may be 0, the sum with what is there, and what follows. */
  bias: usize
  sum: i32
  after: i32
  low: f32
  high: f32
}

/** Bᵀ x B of tiles. */
export function tilesToPoints(at: usize): void {
  const s = changetype<BlockedTiles>(at)
  const row = <usize>s.W * PLACE
  const all = <usize>s.tiles * PLACE
  const step = <usize>s.blocks * all + GAP
  const patch = s.temp + VECTORS
  for (let b: usize = 0; b < <usize>s.blocks; b++) {
    const x = s.from + b * <usize>s.H * row
    let to = s.to + b * all
    let r = s.first / s.columns
    let c = s.first - r * s.columns
    for (let i = 0; i < s.tiles; i++, to += PLACE) {
      const h = r * SIDE - s.PH
      const w = c * SIDE - s.PW
      if (h < 0 || w < 0 || h + 6 > s.H || w + 6 > s.W) {
        cutOut(s, x, h, w, patch)
        toPoints(patch, PATCH, to, step, s.temp)
        toPoints(patch + 16, PATCH, to + 16, step, s.temp)
      } else {
        const p = x + <usize>h * row + <usize>w * PLACE
        toPoints(p, row, to, step, s.temp)
        toPoints(p + 16, row, to + 16, step, s.temp)
      }
      if (++c == s.columns) {
        c = 0
        r++
      }
    }
  }
}

/** The tile that begins at row h and column w, zeros where there is no picture. */
function cutOut(s: BlockedTiles, x: usize, h: i32, w: i32, to: usize): void {
  for (let i = h; i < h + 6; i++) {
    const isRow = <u32>i < <u32>s.H
    for (let j = w; j < w + 6; j++, to += PLACE) {
      const isThere = isRow && <u32>j < <u32>s.W
      const p = x + <usize>(i * s.W + j) * PLACE
      v128.store(to, isThere ? v128.load(p) : f32x4.splat(0))
      v128.store(to, isThere ? v128.load(p, 16) : f32x4.splat(0), 16)
    }
  }
}

/** Four channels of a tile, places a block apart. */
@inline
function toPoints(p: usize, row: usize, to: usize, step: usize, temp: usize): void {
  for (let i: usize = 0; i < 6; i++) {
    const q = asSum(p + i * row)
    filter(
      v128.load(q),
      v128.load(q, 32),
      v128.load(q, 64),
      v128.load(q, 96),
      v128.load(q, 128),
      v128.load(q, 160),
      temp + i * 96,
      16,
    )
  }
  for (let j: usize = 0; j < 6; j++) {
    const q = asSum(temp + (j << 4))
    filter(
      v128.load(q),
      v128.load(q, 96),
      v128.load(q, 192),
      v128.load(q, 288),
      v128.load(q, 384),
      v128.load(q, 480),
      asSum(to + j * step),
      6 * step,
    )
  }
}

/** Aᵀ z A of tiles, and what is done to a result. */
export function pointsToTiles(at: usize): void {
  const s = changetype<BlockedTiles>(at)
  const row = <usize>s.W * PLACE
  const all = <usize>s.tiles * PLACE
  const step = <usize>s.blocks * all + GAP
  const square = s.temp + VECTORS
  // a ReLU of slope 1 changes nothing
  const slope = f32x4.splat(s.after == RELU ? s.low : 1)
  for (let b: usize = 0; b < <usize>s.blocks; b++) {
    const y = s.to + b * <usize>s.H * row
    let from = s.from + b * all
    let r = s.first / s.columns
    let c = s.first - r * s.columns
    for (let i = 0; i < s.tiles; i++, from += PLACE) {
      const height = smaller(SIDE, s.H - r * SIDE)
      const width = smaller(SIDE, s.W - c * SIDE)
      const to = y + <usize>(r * SIDE) * row + <usize>(c * SIDE) * PLACE
      const isWhole = height == SIDE && width == SIDE && s.after != CLIP
      for (let half: usize = 0; half < PLACE; half += 16) {
        const bias = s.bias ? v128.load(s.bias + b * PLACE + half) : f32x4.splat(0)
        outputSquare(SIDE, from + half, step, square, s.temp)
        if (!isWhole) finish(s, square, to + half, row, height, width, bias)
        else if (s.sum) addWhole(square, to + half, row, bias, slope)
        else putWhole(square, to + half, row, bias, slope)
      }
      if (++c == s.columns) {
        c = 0
        r++
      }
    }
  }
}

/** Stores what lies in the picture of four channels of a tile. */
function finish(s: BlockedTiles, square: usize, to: usize, row: usize, height: i32, width: i32, bias: v128): void {
  const low = f32x4.splat(s.low)
  const high = f32x4.splat(s.high)
  for (let i = 0; i < height; i++, to += row, square += 64) {
    for (let j: usize = 0; j < <usize>width; j++) {
      const p = to + j * PLACE
      let v = f32x4.add(v128.load(square + (j << 4)), bias)
      if (s.sum) v = f32x4.add(v, v128.load(p))
      if (s.after == RELU) v = rectify(v, v, low)
      else if (s.after == CLIP) v = clipped(v, low, high)
      v128.store(p, v)
    }
  }
}

/** The same of a whole tile, where nothing or a ReLU follows: two functions, so that no value is asked for its sum. */
function putWhole(square: usize, to: usize, row: usize, bias: v128, slope: v128): void {
  wholeTile(square, to, row, bias, slope, false)
}

function addWhole(square: usize, to: usize, row: usize, bias: v128, slope: v128): void {
  wholeTile(square, to, row, bias, slope, true)
}

@inline
function wholeTile(square: usize, to: usize, row: usize, bias: v128, slope: v128, isSum: bool): void {
  for (let i: usize = 0; i < 4; i++) {
    const p = asSum(to + i * row)
    const q = asSum(square + (i << 6))
    v128.store(p, done(v128.load(q), p, bias, slope, isSum))
    v128.store(p, done(v128.load(q, 16), p + PLACE, bias, slope, isSum), 32)
    v128.store(p, done(v128.load(q, 32), p + 2 * PLACE, bias, slope, isSum), 64)
    v128.store(p, done(v128.load(q, 48), p + 3 * PLACE, bias, slope, isSum), 96)
  }
}

@inline
function done(v: v128, there: usize, bias: v128, slope: v128, isSum: bool): v128 {
  const sum = f32x4.add(v, bias)
  const all = isSum ? f32x4.add(sum, v128.load(there)) : sum
  return rectify(all, all, slope)
}
