/**
 * What poolings over planes (H, W) have in common: four windows of a row at a time; clipped windows are read from a
 * copy between pads.
 */
import { CHUNK_VALUES } from './elementwise'
import { job } from './threads'
import { bytes, ceilDiv, evens, larger, smaller } from './vector'

@unmanaged
export class Pooling {
  planes: i32
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
  x: usize
  y: usize
  mask: usize
  /** Planes of a chunk; windows first ≤ i < last of a row are not clipped at the sides. */
  block: i32
  first: i32
  last: i32
}

@inline
export function pooling(): Pooling {
  return changetype<Pooling>(job)
}

/** Sizes of the next call: kernel K, stride S and pad P along H and W. */
export function poolingShape(
  planes: i32,
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
): void {
  const s = pooling()
  s.planes = planes
  s.H = H
  s.W = W
  s.OH = OH
  s.OW = OW
  s.KH = KH
  s.KW = KW
  s.SH = SH
  s.SW = SW
  s.PH = PH
  s.PW = PW
  s.block = larger(1, CHUNK_VALUES / larger(1, H * W))
  s.first = smaller(OW, ceilDiv(PW, SW))
  s.last = W + PW < KW ? s.first : larger(s.first, smaller(OW, (W + PW - KW) / SW + 1))
}

/** How many chunks there are. */
@inline
export function begin(x: usize, y: usize, mask: usize): i32 {
  const s = pooling()
  s.x = x
  s.y = y
  s.mask = mask
  return ceilDiv(s.planes, s.block)
}

/** Every `step`th of the values from p on, four of them. */
@inline
export function strided(p: usize, step: i32): v128 {
  if (step == 1) return v128.load(p)
  if (step == 2) return evens(v128.load(p), v128.load(p, 16))
  const d = bytes(step)
  let v = v128.load_splat<f32>(p)
  v = v128.load_lane<f32>(p + d, v, 1)
  v = v128.load_lane<f32>(p + 2 * d, v, 2)
  return v128.load_lane<f32>(p + 3 * d, v, 3)
}

/** Output columns in whole vectors. */
@inline
export function roundedOW(s: Pooling): i32 {
  return (s.OW + 3) & ~3
}

/** A row of x between its pads, as far as whole vectors of windows reach. */
@inline
export function paddedLength(s: Pooling): i32 {
  return larger(s.PW + s.W, roundedOW(s) * s.SW + s.KW) + 8
}
