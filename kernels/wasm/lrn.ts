/** Local response normalization across channels, for β = 3/4: s^−¾ = 1 / (√s·√√s). */
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

/** Positions of a plane that one chunk takes through all channels. */
const STRIPE: i32 = 256

@unmanaged
class LRN {
  channels: i32
  plane: i32
  reach: i32
  factor: f32
  k: f32
  x: usize
  scale: usize
  y: usize
  dy: usize
  ratio: usize
}

/** scale ← k + α/size·Σ x² over the size channels around c; y ← x·scale^−¾.  All (N, C, plane). y may be x. */
export function lrnAcross(
  batch: i32,
  channels: i32,
  plane: i32,
  size: i32,
  alpha: f32,
  k: f32,
  x: usize,
  scale: usize,
  y: usize,
): void {
  const s = changetype<LRN>(job)
  s.channels = channels
  s.plane = plane
  s.reach = (size - 1) / 2
  s.factor = alpha / <f32>size
  s.k = k
  s.x = x
  s.scale = scale
  s.y = y
  run(acrossChunk, batch * ceilDiv(plane, STRIPE))
}

/** s^−¾ of four values. */
@inline
function power(s: v128): v128 {
  const root = f32x4.sqrt(s)
  return f32x4.div(f32x4.splat(1), f32x4.mul(root, f32x4.sqrt(root)))
}

/** Byte offset of channel 0 of a chunk's image. */
@inline
function imageOf(s: LRN, chunk: i32): usize {
  return <usize>(chunk / ceilDiv(s.plane, STRIPE)) * <usize>s.channels * bytes(s.plane)
}

function acrossChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<LRN>(job)
  const image = imageOf(s, chunk)
  const i0 = (chunk % ceilDiv(s.plane, STRIPE)) * STRIPE
  const i1 = smaller(s.plane, i0 + STRIPE)
  const step = bytes(s.plane)
  const factor = f32x4.splat(s.factor)
  const k = f32x4.splat(s.k)
  // all scales first: y may be x
  for (let c = 0; c < s.channels; c++) {
    const first = larger(c - s.reach, 0)
    const last = smaller(c + s.reach, s.channels - 1)
    for (let i = i0; i < i1; i += 4) {
      let sum = f32x4.splat(0)
      let p = s.x + image + <usize>first * step + bytes(i)
      for (let j = first; j <= last; j++, p += step) {
        const v = v128.load(p)
        sum = madd(v, v, sum)
      }
      put(s.scale + image + <usize>c * step + bytes(i), madd(factor, sum, k), i1 - i)
    }
  }
  for (let c = 0; c < s.channels; c++) {
    const at = image + <usize>c * step
    for (let i = i0; i < i1; i += 4) {
      const o = at + bytes(i)
      put(s.y + o, f32x4.mul(v128.load(s.x + o), power(v128.load(s.scale + o))), i1 - i)
    }
  }
}

/** dx ← dy·scale^−¾ − 1.5·α/size·x·Σ ratio over the size channels around c, ratio ← dy·x·scale^(−7/4) (workspace). dx may be dy. */
export function lrnAcrossGradient(
  batch: i32,
  channels: i32,
  plane: i32,
  size: i32,
  alpha: f32,
  x: usize,
  scale: usize,
  dy: usize,
  ratio: usize,
  dx: usize,
): void {
  const s = changetype<LRN>(job)
  s.channels = channels
  s.plane = plane
  s.reach = (size - 1) / 2
  s.factor = (1.5 * alpha) / <f32>size
  s.x = x
  s.scale = scale
  s.dy = dy
  s.ratio = ratio
  s.y = dx
  run(gradientChunk, batch * ceilDiv(plane, STRIPE))
}

function gradientChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<LRN>(job)
  const image = imageOf(s, chunk)
  const i0 = (chunk % ceilDiv(s.plane, STRIPE)) * STRIPE
  const i1 = smaller(s.plane, i0 + STRIPE)
  const step = bytes(s.plane)
  const factor = f32x4.splat(s.factor)
  for (let c = 0; c < s.channels; c++) {
    const at = image + <usize>c * step
    for (let i = i0; i < i1; i += 4) {
      const o = at + bytes(i)
      const scale = v128.load(s.scale + o)
      const start = f32x4.mul(v128.load(s.dy + o), power(scale))
      put(s.ratio + o, f32x4.div(f32x4.mul(start, v128.load(s.x + o)), scale), i1 - i)
      put(s.y + o, start, i1 - i)
    }
  }
  for (let c = 0; c < s.channels; c++) {
    const first = larger(c - s.reach, 0)
    const last = smaller(c + s.reach, s.channels - 1)
    for (let i = i0; i < i1; i += 4) {
      let sum = f32x4.splat(0)
      let p = s.ratio + image + <usize>first * step + bytes(i)
      for (let j = first; j <= last; j++, p += step) sum = f32x4.add(sum, v128.load(p))
      const o = image + <usize>c * step + bytes(i)
      put(s.y + o, f32x4.sub(v128.load(s.y + o), f32x4.mul(factor, f32x4.mul(v128.load(s.x + o), sum))), i1 - i)
    }
  }
}
