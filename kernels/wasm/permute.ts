/** Axes in another order: rows where the last axis stays, blocks that are turned where it does not. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { transposeFour } from './transpose'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'

/** Places along the axis that is the last of x: a cache line; and along the last of y. */
const WIDE: i32 = 16
const LONG: i32 = 256

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
  wide: i32
  long: i32
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
  p.wide = ceilDiv(width, WIDE)
  p.long = step == 1 ? 1 : ceilDiv(length, LONG)
  let outer = 1
  for (let d = 0; d < axes; d++) outer *= axis(d).size
  p.blocks = outer * p.wide * p.long
  p.block = larger(1, CHUNK_VALUES / larger(1, step == 1 ? length : smaller(width, WIDE) * smaller(length, LONG)))
  p.x = x
  p.y = y
  run(permuteChunk, ceilDiv(p.blocks, p.block))
}

function permuteChunk(chunk: i32, _workspace: usize): void {
  const p = changetype<Permute>(job)
  const last = smaller(p.blocks, (chunk + 1) * p.block)
  for (let b = chunk * p.block; b < last; b++) {
    const place = b / p.long
    const i = (b - place * p.long) * LONG
    let rest = place / p.wide
    const j = (place - rest * p.wide) * WIDE
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
    else turn(p, p.x + bytes(from), p.y + bytes(to), smaller(LONG, p.length - i), smaller(WIDE, p.width - j))
  }
}

/** to[j][i] ← from[i][j] for i < length, j < width. */
function turn(p: Permute, from: usize, to: usize, length: i32, width: i32): void {
  const row = bytes(p.step)
  const column = bytes(p.column)
  for (let i = 0; i < length; i += 4) {
    const high = smaller(4, length - i)
    for (let j = 0; j < width; j += 4) {
      let a = from + <usize>i * row + bytes(j)
      let b = to + <usize>j * column + bytes(i)
      const wide = smaller(4, width - j)
      if (high == 4 && wide == 4) {
        transposeFour(a, row, b, column)
        continue
      }
      for (let k = 0; k < high; k++, a += row, b += 4) {
        for (let l = 0; l < wide; l++) store<f32>(b + <usize>l * column, load<f32>(a + bytes(l)))
      }
    }
  }
}
