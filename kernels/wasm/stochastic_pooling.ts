/**
 * One value of each window, drawn with probability max(x, 0) / Σ max(x, 0), or their mean. Sums are double, in the
 * order of the plain loops.
 */
import { sixteenWords } from './philox'
import { paddedLength, Pooling, pooling, begin, strided } from './pooling'
import { job, needWorkspace, run } from './threads'
import { bytes, demote, fillValues, high, larger, low, put, select, smaller } from './vector'

/** The stream's key, behind the sizes of the pooling. */
@unmanaged
class Stream {
  k0: i32
  k1: i32
  c1: i32
  c2: i32
  c3: i32
}

@inline
function stream(): Stream {
  return changetype<Stream>(job + offsetof<Pooling>())
}

/** A plane whose rows lie between zeros, which are never drawn and add nothing. */
function padPlane(s: Pooling, x: usize, padded: usize): void {
  const stride = bytes(paddedLength(s))
  for (let h = 0; h < s.H; h++, padded += stride, x += bytes(s.W)) memory.copy(padded + bytes(s.PW), x, bytes(s.W))
}

/** max(x, 0) of every `step`th value. */
function positive(p: usize, step: i32): v128 {
  return f32x4.max(strided(p, step), f32x4.splat(0))
}

export function stochasticPool(x: usize, k0: i32, k1: i32, c1: i32, c2: i32, c3: i32, y: usize, mask: usize): void {
  const s = pooling()
  const key = stream()
  key.k0 = k0
  key.k1 = k1
  key.c1 = c1
  key.c2 = c2
  key.c3 = c3
  needWorkspace(bytes(s.H * paddedLength(s) + s.OH * s.OW + 32))
  run(drawChunk, begin(x, y, mask))
}

function drawChunk(chunk: i32, padded: usize): void {
  const s = pooling()
  const key = stream()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  const count = s.OH * s.OW
  const words = padded + bytes(s.H * paddedLength(s))
  fillValues(padded, s.H * paddedLength(s), 0)
  for (let i = chunk * s.block; i < last; i++) {
    const x = s.x + <usize>i * bytes(s.H * s.W)
    const first = i * count
    for (let n = first & ~3; n < first + count; n += 16) {
      sixteenWords(n, key.k0, key.k1, key.c1, key.c2, key.c3, words + bytes(n - (first & ~3)))
    }
    padPlane(s, x, padded)
    drawPlane(s, x, padded, words + bytes(first & 3), s.y + bytes(first), s.mask + bytes(first))
  }
}

function drawPlane(s: Pooling, x: usize, padded: usize, words: usize, y: usize, mask: usize): void {
  const stride = bytes(paddedLength(s))
  const steps = f32x4.mul(f32x4(0, 1, 2, 3), f32x4.splat(<f32>s.SW))
  const share = f64x2.splat(1 / 4294967296.0)
  for (let oh = 0; oh < s.OH; oh++) {
    const top = oh * s.SH - s.PH
    const h0 = larger(top, 0)
    const h1 = smaller(top + s.KH, s.H)
    for (let i = 0; i < s.OW; i += 4) {
      const left = i * s.SW
      let a = f64x2.splat(0)
      let b = a
      for (let h = h0; h < h1; h++) {
        for (let k = 0; k < s.KW; k++) {
          const v = positive(padded + <usize>h * stride + bytes(left + k), s.SW)
          a = f64x2.add(a, low(v))
          b = f64x2.add(b, high(v))
        }
      }
      const at = oh * s.OW + i
      const random = v128.load(words + bytes(at))
      const wantedA = f64x2.mul(f64x2.mul(f64x2.convert_low_i32x4_u(random), share), a)
      const later = v128.shuffle<i32>(random, random, 2, 3, 2, 3)
      const wantedB = f64x2.mul(f64x2.mul(f64x2.convert_low_i32x4_u(later), share), b)
      // the first value of the clipped window, if there is one, stands for windows without a positive one
      const begin = f32x4.add(steps, f32x4.splat(<f32>(left - s.PW)))
      const inside = f32x4.max(begin, f32x4.splat(0))
      const end = f32x4.min(f32x4.add(begin, f32x4.splat(<f32>s.KW)), f32x4.splat(<f32>s.W))
      const exists = v128.and(f32x4.lt(inside, end), i32x4.splat(h0 < h1 ? -1 : 0))
      let from = select(f32x4.add(inside, f32x4.splat(<f32>(h0 * s.W))), f32x4.splat(-1), exists)
      // the value with which the sum first goes beyond what is wanted
      let beyond = i32x4.splat(0)
      a = f64x2.splat(0)
      b = a
      for (let h = h0; h < h1; h++) {
        for (let k = 0; k < s.KW; k++) {
          const v = positive(padded + <usize>h * stride + bytes(left + k), s.SW)
          a = f64x2.add(a, low(v))
          b = f64x2.add(b, high(v))
          const now = v128.shuffle<i32>(f64x2.gt(a, wantedA), f64x2.gt(b, wantedB), 0, 2, 4, 6)
          from = select(f32x4.add(begin, f32x4.splat(<f32>(h * s.W + k))), from, v128.andnot(now, beyond))
          beyond = now
        }
      }
      put(mask + bytes(at), from, s.OW - i)
      for (let j = 0; j < smaller(4, s.OW - i); j++) {
        const index = <i32>load<f32>(mask + bytes(at + j))
        store<f32>(y + bytes(at + j), index < 0 ? 0 : load<f32>(x + bytes(index)))
      }
    }
  }
}

export function stochasticMean(x: usize, y: usize): void {
  const s = pooling()
  needWorkspace(bytes(s.H * paddedLength(s)))
  run(meanChunk, begin(x, y, 0))
}

function meanChunk(chunk: i32, padded: usize): void {
  const s = pooling()
  const last = smaller(s.planes, (chunk + 1) * s.block)
  fillValues(padded, s.H * paddedLength(s), 0)
  for (let i = chunk * s.block; i < last; i++) {
    padPlane(s, s.x + <usize>i * bytes(s.H * s.W), padded)
    for (let oh = 0; oh < s.OH; oh++) meanRow(s, padded, oh, s.y + bytes((i * s.OH + oh) * s.OW))
  }
}

function meanRow(s: Pooling, padded: usize, oh: i32, y: usize): void {
  const stride = bytes(paddedLength(s))
  const top = oh * s.SH - s.PH
  const h1 = smaller(top + s.KH, s.H)
  for (let i = 0; i < s.OW; i += 4) {
    let a = f64x2.splat(0)
    let b = a
    let u = a
    let w = a
    for (let h = larger(top, 0); h < h1; h++) {
      for (let k = 0; k < s.KW; k++) {
        const v = positive(padded + <usize>h * stride + bytes(i * s.SW + k), s.SW)
        a = f64x2.add(a, low(v))
        b = f64x2.add(b, high(v))
        u = f64x2.add(u, f64x2.mul(low(v), low(v)))
        w = f64x2.add(w, f64x2.mul(high(v), high(v)))
      }
    }
    u = v128.and(f64x2.div(u, a), f64x2.gt(a, f64x2.splat(0)))
    w = v128.and(f64x2.div(w, b), f64x2.gt(b, f64x2.splat(0)))
    put(y + bytes(i), demote(u, w), s.OW - i)
  }
}
