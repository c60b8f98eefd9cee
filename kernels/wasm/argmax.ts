import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, larger, put, select, smaller } from './vector'

@unmanaged
class ArgMax {
  outer: i32
  size: i32
  inner: i32
  topK: i32
  depth: i32
  block: i32
  x: usize
  /** Where indices and values go, 0 for nowhere. */
  index: usize
  value: usize
}

/** Indices and values, each with `depth` rows an item, 0 for those that are not wanted; size below 2²⁴. */
export function argMax(outer: i32, size: i32, inner: i32, topK: i32, depth: i32, x: usize, index: usize, value: usize): void {
  const s = changetype<ArgMax>(job)
  s.outer = outer
  s.size = size
  s.inner = inner
  s.topK = topK
  s.depth = depth
  s.x = x
  s.index = index
  s.value = value
  // a column is looked through once for each of its largest, four columns at a time where they lie side by side
  s.block = larger(1, <i32>(<f64>CHUNK_VALUES / (<f64>size * <f64>topK * (inner == 1 ? 1 : 4))))
  run(inner == 1 ? rowsChunk : stripesChunk, ceilDiv(outer * ceilDiv(inner, 4), s.block))
}

/** All bits of the lanes where v comes after `value` at place `index`, and is not below `best`. */
@inline
function displaces(v: v128, at: v128, value: v128, index: v128, best: v128): v128 {
  const follows = v128.or(f32x4.lt(v, value), v128.and(f32x4.eq(v, value), f32x4.lt(at, index)))
  return v128.and(follows, f32x4.ge(v, best))
}

function stripesChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ArgMax>(job)
  const stripes = ceilDiv(s.inner, 4)
  const last = smaller(s.outer * stripes, (chunk + 1) * s.block)
  const step = bytes(s.inner)
  const size = s.size
  for (let t = chunk * s.block; t < last; t++) {
    const o = t / stripes
    const i = (t % stripes) * 4
    let value = f32x4.splat(Infinity)
    let index = f32x4.splat(<f32>size)
    for (let k = 0; k < s.topK; k++) {
      let best = f32x4.splat(-Infinity)
      let from = f32x4.splat(-1)
      let x = s.x + bytes(o * size * s.inner + i)
      for (let j = 0; j < size; j++, x += step) {
        const v = v128.load(x)
        const at = f32x4.splat(<f32>j)
        const wins = displaces(v, at, value, index, best)
        best = select(v, best, wins)
        from = select(at, from, wins)
      }
      value = best
      index = from
      const to = bytes((o * s.depth + k) * s.inner + i)
      if (s.index) put(s.index + to, index, s.inner - i)
      if (s.value) put(s.value + to, value, s.inner - i)
    }
  }
}

function rowsChunk(chunk: i32, _workspace: usize): void {
  const s = changetype<ArgMax>(job)
  const last = smaller(s.outer, (chunk + 1) * s.block)
  const size = s.size
  for (let o = chunk * s.block; o < last; o++) {
    const x = s.x + bytes(o * size)
    let value: f32 = Infinity
    let index = <f32>size
    for (let k = 0; k < s.topK; k++) {
      let best = f32x4.splat(-Infinity)
      let from = f32x4.splat(-1)
      const before = f32x4.splat(value)
      const place = f32x4.splat(index)
      const end = f32x4.splat(<f32>size)
      let at = f32x4(0, 1, 2, 3)
      for (let j = 0; j < size; j += 4) {
        const v = v128.load(x + bytes(j))
        const wins = v128.and(displaces(v, at, before, place, best), f32x4.lt(at, end))
        best = select(v, best, wins)
        from = select(at, from, wins)
        at = f32x4.add(at, f32x4.splat(4))
      }
      // of the four lanes, the largest value, and of equal ones the larger index
      for (let lane = 0; lane < 2; lane++) {
        const v = lane == 0 ? v128.shuffle<f32>(best, best, 2, 3, 0, 1) : v128.shuffle<f32>(best, best, 1, 0, 3, 2)
        const i = lane == 0 ? v128.shuffle<f32>(from, from, 2, 3, 0, 1) : v128.shuffle<f32>(from, from, 1, 0, 3, 2)
        const wins = v128.or(f32x4.gt(v, best), v128.and(f32x4.eq(v, best), f32x4.gt(i, from)))
        best = select(v, best, wins)
        from = select(i, from, wins)
      }
      value = f32x4.extract_lane(best, 0)
      index = f32x4.extract_lane(from, 0)
      const to = bytes(o * s.depth + k)
      if (s.index) store<f32>(s.index + to, index)
      if (s.value) store<f32>(s.value + to, value)
    }
  }
}
