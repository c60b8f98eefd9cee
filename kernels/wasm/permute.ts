/** Axes in another order: rows where the last axis stays, blocks that are turned where it does not. */
import { CHUNK_VALUES } from './elementwise'
import { job, needWorkspace, run } from './threads'
import { transposeFour } from './transpose'
import { bytes, ceilDiv, copyValues, larger, smaller, storeLanes } from './vector'

/** Side of a block: some cache lines of both, and few enough rows that their pages are known. */
const SIDE: i32 = 64

@unmanaged
class Permute {
  /** Axes of y that are walked: all but the last of y, and but the last of x. */
  axes: i32
  /** Along the last axis of y, and how far apart its values are in x. */
  length: i32
  step: i32
  /** Along the last axis of x, and how far apart its values are in y; 1 and 0 if it is that of y. */
  width: i32
  column: i32
  /** Blocks along both, and values of one along each. */
  wide: i32
  long: i32
  across: i32
  along: i32
  /** Blocks, and of how many a chunk is made. */
  blocks: i32
  block: i32
  x: usize
  y: usize
}

/** Follows the job, one for each of up to 16 axes of y: steps are in values of x and of y. */
@unmanaged
class Axis {
  size: i32
  from: i32
  to: i32
}
const AXES: usize = 64
const AXIS_BYTES: usize = 12

@inline
function axis(d: i32): Axis {
  return changetype<Axis>(job + AXES + <usize>d * AXIS_BYTES)
}

/** Axis d, below 16, of the next permute: its size, and how far apart its values are in x and in y. */
export function permuteAxis(d: i32, size: i32, from: i32, to: i32): void {
  const a = axis(d)
  a.size = size
  a.from = from
  a.to = to
}

export function permute(axes: i32, length: i32, step: i32, width: i32, column: i32, x: usize, y: usize): void {
  const p = changetype<Permute>(job)
  p.axes = axes
  p.length = length
  p.step = step
  p.width = width
  p.column = column
  // where one side is short the other is longer
  p.across = smaller(width, SIDE)
  p.along = step == 1 ? length : smaller(length, (SIDE * SIDE / p.across) & ~3)
  if (p.along < SIDE) p.across = smaller(width, (SIDE * SIDE / p.along) & ~3)
  p.wide = ceilDiv(width, p.across)
  p.long = ceilDiv(length, p.along)
  let outer = 1
  for (let d = 0; d < axes; d++) outer *= axis(d).size
  p.blocks = outer * p.wide * p.long
  p.block = larger(1, CHUNK_VALUES / larger(1, p.across * p.along))
  p.x = x
  p.y = y
  needWorkspace(bytes(SIDE * SIDE + 4))
  run(permuteChunk, ceilDiv(p.blocks, p.block))
}

function permuteChunk(chunk: i32, workspace: usize): void {
  const p = changetype<Permute>(job)
  const last = smaller(p.blocks, (chunk + 1) * p.block)
  for (let b = chunk * p.block; b < last; b++) {
    const place = b / p.long
    const i = (b - place * p.long) * p.along
    let rest = place / p.wide
    const j = (place - rest * p.wide) * p.across
    let from = i * p.step + j
    let to = i + j * p.column
    for (let d = p.axes - 1; d >= 0; d--) {
      const a = axis(d)
      const outer = rest / a.size
      const k = rest - outer * a.size
      rest = outer
      from += k * a.from
      to += k * a.to
    }
    if (p.step == 1) copyValues(p.y + bytes(to), p.x + bytes(from), p.length)
    else turn(p, p.x + bytes(from), p.y + bytes(to), smaller(p.along, p.length - i), smaller(p.across, p.width - j), workspace)
  }
}

/** Rows so many bytes apart, or any multiple of it, share a few lines of all caches. */
const ALIASED: usize = 8192

/** to[j][i] ← from[i][j] for i < length, j < width. */
function turn(p: Permute, from: usize, to: usize, length: i32, width: i32, workspace: usize): void {
  const row = bytes(p.step)
  const column = bytes(p.column)
  if (length < 4) {
    turnFew(length, width, from, row, to, column)
    return
  }
  if ((column & (ALIASED - 1)) == 0 && length > 8 && width >= 16) {
    // rows of `to` would drive each other out of the cache before their lines are full
    for (let i = 0; i < length; i++) copyRow(workspace + bytes(i * width), from + <usize>i * row, width)
    turnByRows(length, width, workspace, bytes(width), to, column)
    return
  }
  for (let i = 0; i < length; i += 4) {
    // the last four may have been there before
    const first = smaller(i, length - 4)
    let a = from + <usize>first * row
    let b = to + bytes(first)
    let j = 0
    for (; j + 4 <= width; j += 4, a += 16, b += 4 * column) transposeFour(a, row, b, column)
    if (j < width) turnNarrow(width - j, a, row, b, column)
  }
}

/** The same, rows of `to` written from one end to the other, four at a time. */
function turnByRows(length: i32, width: i32, from: usize, row: usize, to: usize, column: usize): void {
  let j = 0
  for (; j + 4 <= width; j += 4, from += 16, to += 4 * column) {
    let a = from
    let b = to
    let i = 0
    for (; i + 4 <= length; i += 4, a += 4 * row, b += 16) transposeFour(a, row, b, column)
    if (i < length) transposeFour(from + <usize>(length - 4) * row, row, to + bytes(length - 4), column)
  }
  if (j == width) return
  for (let i = 0; i < length; i += 4) {
    const first = smaller(i, length - 4)
    turnNarrow(width - j, from + <usize>first * row, row, to + bytes(first), column)
  }
}

/** Whole vectors: a row that is followed by another may be written beyond its end. */
@inline
function copyRow(to: usize, from: usize, width: i32): void {
  for (let i = 0; i < width; i += 4) v128.store(to + bytes(i), v128.load(from + bytes(i)))
}

/** Four rows of fewer than four values. Loading whole vectors is safe wherever one value is. */
@inline
function turnNarrow(width: i32, from: usize, row: usize, to: usize, column: usize): void {
  const a = v128.load(from)
  const b = v128.load(from + row)
  const c = v128.load(from + 2 * row)
  const d = v128.load(from + 3 * row)
  const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const t2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  v128.store(to, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
  if (width > 1) v128.store(to + column, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7))
  if (width > 2) {
    const t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const t3 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
    v128.store(to + 2 * column, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5))
  }
}

/** Fewer than four rows. Where they end up beside each other a vector's last values are those of the next, written after. */
function turnFew(length: i32, width: i32, from: usize, row: usize, to: usize, column: usize): void {
  const second = length > 1 ? row : 0
  const third = length > 2 ? 2 * row : 0
  const isDense = column == bytes(length)
  let j = 0
  for (; j + 4 <= width; j += 4, from += 16, to += 4 * column) {
    const a = v128.load(from)
    const b = v128.load(from + second)
    const c = v128.load(from + third)
    const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const y0 = v128.shuffle<f32>(t0, c, 0, 1, 4, 4)
    const y1 = v128.shuffle<f32>(t0, c, 2, 3, 5, 5)
    const y2 = v128.shuffle<f32>(t1, c, 0, 1, 6, 6)
    const y3 = v128.shuffle<f32>(t1, c, 2, 3, 7, 7)
    if (isDense) {
      v128.store(to, y0)
      v128.store(to + column, y1)
      v128.store(to + 2 * column, y2)
    } else {
      storeLanes(to, y0, length)
      storeLanes(to + column, y1, length)
      storeLanes(to + 2 * column, y2, length)
    }
    storeLanes(to + 3 * column, y3, length)
  }
  for (; j < width; j++, from += 4, to += column) {
    for (let k = 0; k < length; k++) store<f32>(to + bytes(k), load<f32>(from + <usize>k * row))
  }
}
