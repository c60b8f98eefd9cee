/** Local response normalization across channels. */
import { pow } from './log_lanes'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, madd, put, smaller } from './vector'

/** Positions of a plane that one chunk takes through all channels. */
const STRIPE: i32 = 256

/** Also that of lrn_within.ts, where `plane` is the height. */
@unmanaged
export class LRN {
  channels: i32
  plane: i32
  width: i32
  reach: i32
  block: i32
  factor: f32
  beta: f32
  k: f32
  x: usize
  scale: usize
  y: usize
  dy: usize
  ratio: usize
}

export function lrnAcross(
  batch: i32,
  channels: i32,
  plane: i32,
  size: i32,
  alpha: f32,
  beta: f32,
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
  s.beta = beta
  s.k = k
  s.x = x
  s.scale = scale
  s.y = y
  run(acrossChunk, batch * ceilDiv(plane, STRIPE))
}

/** scale^−β of four values. Caffe's default β = ¾ needs square roots only: 1 / (√s·√√s). */
@inline
function power(s: LRN, scale: v128): v128 {
  if (s.beta != 0.75) return pow(scale, -s.beta)
  const root = f32x4.sqrt(scale)
  return f32x4.div(f32x4.splat(1), f32x4.mul(root, f32x4.sqrt(root)))
}

/** y ← x·scale^−β at a byte offset. */
@inline
export function normalizeAt(s: LRN, o: usize, rest: i32): void {
  put(s.y + o, f32x4.mul(v128.load(s.x + o), power(s, v128.load(s.scale + o))), rest)
}

/** The part of a gradient that needs no neighbours: dx ← dy·scale^−β, ratio ← dx·x / scale. */
@inline
export function startGradientAt(s: LRN, o: usize, rest: i32): void {
  const scale = v128.load(s.scale + o)
  const start = f32x4.mul(v128.load(s.dy + o), power(s, scale))
  put(s.ratio + o, f32x4.div(f32x4.mul(start, v128.load(s.x + o)), scale), rest)
  put(s.y + o, start, rest)
}

/** The rest of it: dx ← dx − factor·x·sum. */
@inline
export function endGradientAt(s: LRN, o: usize, sum: v128, rest: i32): void {
  put(s.y + o, f32x4.sub(v128.load(s.y + o), f32x4.mul(f32x4.splat(s.factor), f32x4.mul(v128.load(s.x + o), sum))), rest)
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
    for (let i = i0; i < i1; i += 4) normalizeAt(s, at + bytes(i), i1 - i)
  }
}

export function lrnAcrossGradient(
  batch: i32,
  channels: i32,
  plane: i32,
  size: i32,
  alpha: f32,
  beta: f32,
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
  s.factor = (2 * alpha * beta) / <f32>size
  s.beta = beta
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
  for (let c = 0; c < s.channels; c++) {
    const at = image + <usize>c * step
    for (let i = i0; i < i1; i += 4) startGradientAt(s, at + bytes(i), i1 - i)
  }
  for (let c = 0; c < s.channels; c++) {
    const first = larger(c - s.reach, 0)
    const last = smaller(c + s.reach, s.channels - 1)
    for (let i = i0; i < i1; i += 4) {
      let sum = f32x4.splat(0)
      let p = s.ratio + image + <usize>first * step + bytes(i)
      for (let j = first; j <= last; j++, p += step) sum = f32x4.add(sum, v128.load(p))
      endGradientAt(s, image + <usize>c * step + bytes(i), sum, i1 - i)
    }
  }
}
