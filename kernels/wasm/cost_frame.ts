import { job } from './threads'
import { bytes } from './vector'

@unmanaged
export class CostVolume {
  N: i32
  C: i32
  H: i32
  W: i32
  OH: i32
  OW: i32
  kernel: i32
  stride: i32
  /** First row and column of the first patch, in the frame. */
  top: i32
  left: i32
  /** The first displacement, how many there are, and how far they are apart. */
  down: i32
  across: i32
  rows: i32
  columns: i32
  step: i32
  subtract: bool
  /** Whether the gradient is that of the second picture. */
  second: bool
  /** Of the frame: zeros above and left, and the size with all. */
  above: i32
  before: i32
  FH: i32
  FW: i32
  /** Columns that are `split` apart lie beside each other, `part` of them. */
  split: i32
  part: i32
  x: usize
  y: usize
  /** Both pictures in their frames: (N, FH, C, split, part). */
  a: usize
  b: usize
  from: usize
  to: usize
}

@inline
export function described(): CostVolume {
  return changetype<CostVolume>(job)
}

/** Bytes from one channel of a row to the next. */
@inline
export function rowBytes(s: CostVolume): usize {
  return bytes(s.split * s.part)
}

/** Where a row of a framed picture begins, its first channel. */
@inline
export function rowOf(s: CostVolume, picture: usize, n: i32, row: i32): usize {
  return picture + <usize>((n * s.FH + row) * s.C) * rowBytes(s)
}

/** Which value of its row a column is. */
@inline
export function columnOf(s: CostVolume, column: i32): i32 {
  return (column % s.split) * s.part + column / s.split
}

/** Of the mean over channels and a patch. */
@inline
export function share(s: CostVolume): f32 {
  return <f32>(1 / (<f64>s.kernel * <f64>s.kernel * <f64>s.C))
}
