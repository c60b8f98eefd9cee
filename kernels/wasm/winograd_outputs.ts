/** Squares of outputs, four channels in the lanes of a vector, on their way to the planes. */
import { finished, hasAfter } from './after'
import { bytes, put } from './vector'

/** Adds the bias to n vectors, and does what follows. */
export function finish(n: i32, square: usize, bias: v128, slope: v128): void {
  const end = square + (<usize>n << 4)
  if (!hasAfter()) {
    for (; square < end; square += 16) v128.store(square, f32x4.add(v128.load(square), bias))
    return
  }
  for (; square < end; square += 16) v128.store(square, finished(f32x4.add(v128.load(square), bias), slope))
}

/** What lies inside of four squares of 4 × 4, one in each lane, to four planes. */
export function putFours(square: usize, height: i32, width: i32, y0: usize, row: usize, plane: usize): void {
  let y1 = y0 + plane
  let y2 = y1 + plane
  let y3 = y2 + plane
  for (const end = square + (<usize>height << 6); square < end; square += 64, y0 += row, y1 += row, y2 += row, y3 += row) {
    const a = v128.load(square)
    const b = v128.load(square, 16)
    const c = v128.load(square, 32)
    const d = v128.load(square, 48)
    const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const t2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
    const t3 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
    put(y0, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5), width)
    put(y1, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), width)
    put(y2, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), width)
    put(y3, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), width)
  }
}

/** The same for squares of 2 × 2. */
export function putTwos(square: usize, height: i32, width: i32, y: usize, row: usize, plane: usize): void {
  if (width < 2) {
    putLanes(2, square, 4, height, width, y, row, plane)
    return
  }
  for (const end = square + (<usize>height << 5); square < end; square += 32, y += row) {
    const a = v128.load(square)
    const b = v128.load(square, 16)
    const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const high = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    v128.store64_lane(y, low, 0)
    v128.store64_lane(y + plane, low, 1)
    v128.store64_lane(y + 2 * plane, high, 0)
    v128.store64_lane(y + 3 * plane, high, 1)
  }
}

/** The first lanes, value by value. */
export function putLanes(side: i32, square: usize, lanes: i32, height: i32, width: i32, y: usize, row: usize, plane: usize): void {
  for (let l = 0; l < lanes; l++, y += plane) {
    let from = square + bytes(l)
    let to = y
    for (let r = 0; r < height; r++, to += row, from += <usize>side << 4) {
      for (let c = 0; c < width; c++) store<f32>(to + bytes(c), load<f32>(from + (<usize>c << 4)))
    }
  }
}

/** The first `count` ≤ 4 values at p. */
@inline
export function loadLanes(p: usize, count: i32): v128 {
  if (count == 4) return v128.load(p)
  let v = v128.load_splat<f32>(p)
  if (count > 1) v = v128.load_lane<f32>(p, v, 1, 4)
  return count > 2 ? v128.load_lane<f32>(p, v, 2, 8) : v
}
