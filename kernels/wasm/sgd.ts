import { CHUNK, chunksOf } from './elementwise'
import { job, run } from './threads'
import { bytes, madd, smaller, storeLanes } from './vector'

@unmanaged
class SgdJob {
  n: i32
  l1: bool
  rate: f32
  scale: f32
  decay: f32
  momentum: f32
  w: usize
  dw: usize
  h: usize
}

/** h ← rate·g + momentum·h; dw ← h; w ← w − h, where g = scale·dw + decay·w, or with L1 scale·dw + decay·sign(w). */
export function sgdUpdate(n: i32, rate: f32, scale: f32, decay: f32, l1: bool, momentum: f32, w: usize, dw: usize, h: usize): void {
  const s = changetype<SgdJob>(job)
  s.n = n
  s.l1 = l1
  s.rate = rate
  s.scale = scale
  s.decay = decay
  s.momentum = momentum
  s.w = w
  s.dw = dw
  s.h = h
  run(sgdChunk, chunksOf(n))
}

@inline
function sign(w: v128): v128 {
  const zero = f32x4.splat(0)
  const size = v128.or(v128.and(w, f32x4.splat(-0)), f32x4.splat(1))
  return v128.and(size, f32x4.ne(w, zero))
}

function sgdChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<SgdJob>(job)
  const rate = f32x4.splat(s.rate)
  const scale = f32x4.splat(s.scale)
  const decay = f32x4.splat(s.decay)
  const momentum = f32x4.splat(s.momentum)
  const last = smaller(s.n, (chunk + 1) * CHUNK)
  for (let i = chunk * CHUNK; i < last; i += 4) {
    const at = bytes(i)
    const w = v128.load(s.w + at)
    const g = madd(decay, s.l1 ? sign(w) : w, f32x4.mul(scale, v128.load(s.dw + at)))
    const h = madd(momentum, v128.load(s.h + at), f32x4.mul(rate, g))
    const updated = f32x4.sub(w, h)
    if (i + 4 <= last) {
      v128.store(s.h + at, h)
      v128.store(s.dw + at, h)
      v128.store(s.w + at, updated)
    } else {
      storeLanes(s.h + at, h, last - i)
      storeLanes(s.dw + at, h, last - i)
      storeLanes(s.w + at, updated, last - i)
    }
  }
}
