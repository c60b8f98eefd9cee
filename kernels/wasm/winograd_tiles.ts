/**
 * Winograd's minimal filtering with tiles of 6 × 6: 36 products stand for the 16·9 of F(4×4, 3×3) and for the 4·25 of
 * F(2×2, 5×5).
 *
 *   y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ x B)] A,   so   dU = (A dy Aᵀ) ⊙ (Bᵀ x B)  and  dg = Gᵀ dU G.
 *
 * The points are 0, ±√½, ±√2, ∞. A and G evaluate a polynomial (m outputs, r taps) at them, G with factors 1, −⅔, ⅙, 1;
 * only Bᵀ is a matrix of its own, the same for every split of 6 = m + r − 1. With these points the root mean square
 * error over random values is 1.9 times that of the plain sum for F(4×4, 3×3) and 1.3 times for F(2×2, 5×5); with the
 * textbook's 0, ±1, ±2 it is 4 and 2.7 times. Every function works in four lanes: four tiles, or four channels.
 */
import { madd } from './vector'

/** Points and vectors of a tile. */
export const POINTS: i32 = 36
export const VECTORS: usize = 576

const A: f32 = 0.70710678118654752
const A3: f32 = 0.35355339059327376
const B: f32 = 1.4142135623730951
const B3: f32 = 2.8284271247461903

/** Factors of G at ±√½ and ±√2. */
export const G1: f32 = -0.66666666666666667
export const G2: f32 = 0.16666666666666667

/** y[0…5] ← the polynomial with k coefficients x at the six points. */
@inline
function evaluate(k: i32, x: usize, xStep: usize, y: usize, yStep: usize, s1: f32, s2: f32): void {
  const x0 = v128.load(x)
  let last = v128.load(x + xStep)
  let even1 = x0
  let even2 = x0
  let odd1 = f32x4.mul(f32x4.splat(A), last)
  let odd2 = f32x4.mul(f32x4.splat(B), last)
  if (k > 2) {
    last = v128.load(x + 2 * xStep)
    even1 = madd(f32x4.splat(0.5), last, even1)
    even2 = madd(f32x4.splat(2), last, even2)
  }
  if (k > 3) {
    last = v128.load(x + 3 * xStep)
    odd1 = madd(f32x4.splat(A3), last, odd1)
    odd2 = madd(f32x4.splat(B3), last, odd2)
  }
  if (k > 4) {
    last = v128.load(x + 4 * xStep)
    even1 = madd(f32x4.splat(0.25), last, even1)
    even2 = madd(f32x4.splat(4), last, even2)
  }
  v128.store(y, x0)
  v128.store(y + yStep, f32x4.mul(f32x4.splat(s1), f32x4.add(even1, odd1)))
  v128.store(y + 2 * yStep, f32x4.mul(f32x4.splat(s1), f32x4.sub(even1, odd1)))
  v128.store(y + 3 * yStep, f32x4.mul(f32x4.splat(s2), f32x4.add(even2, odd2)))
  v128.store(y + 4 * yStep, f32x4.mul(f32x4.splat(s2), f32x4.sub(even2, odd2)))
  v128.store(y + 5 * yStep, last)
}

/** The adjoint: y[0…k−1] from the six values z. */
@inline
function combine(k: i32, z: usize, zStep: usize, y: usize, yStep: usize, s1: f32, s2: f32): void {
  const z1 = v128.load(z + zStep)
  const z2 = v128.load(z + 2 * zStep)
  const z3 = v128.load(z + 3 * zStep)
  const z4 = v128.load(z + 4 * zStep)
  const z5 = v128.load(z + 5 * zStep)
  const sum1 = f32x4.mul(f32x4.splat(s1), f32x4.add(z1, z2))
  const sum2 = f32x4.mul(f32x4.splat(s2), f32x4.add(z3, z4))
  const odd1 = f32x4.mul(f32x4.splat(s1), f32x4.sub(z1, z2))
  const odd2 = f32x4.mul(f32x4.splat(s2), f32x4.sub(z3, z4))
  v128.store(y, f32x4.add(v128.load(z), f32x4.add(sum1, sum2)))
  let v = madd(f32x4.splat(A), odd1, f32x4.mul(f32x4.splat(B), odd2))
  v128.store(y + yStep, k == 2 ? f32x4.add(v, z5) : v)
  if (k > 2) {
    v = madd(f32x4.splat(0.5), sum1, f32x4.mul(f32x4.splat(2), sum2))
    v128.store(y + 2 * yStep, k == 3 ? f32x4.add(v, z5) : v)
  }
  if (k > 3) {
    v = madd(f32x4.splat(A3), odd1, f32x4.mul(f32x4.splat(B3), odd2))
    v128.store(y + 3 * yStep, k == 4 ? f32x4.add(v, z5) : v)
  }
  if (k > 4) v128.store(y + 4 * yStep, f32x4.add(madd(f32x4.splat(0.25), sum1, f32x4.mul(f32x4.splat(4), sum2)), z5))
}

/**
 * The 36 points of a k × k square of vectors at `from`, `step` bytes from one to the next. `s` are factors, `temp`
 * holds VECTORS.
 */
@inline
function evaluateSquare(k: i32, from: usize, to: usize, step: usize, s1: f32, s2: f32, temp: usize): void {
  for (let r = 0; r < k; r++) evaluate(k, from + (<usize>(r * k) << 4), 16, temp + 96 * <usize>r, 16, s1, s2)
  for (let j = 0; j < 6; j++) evaluate(k, temp + (<usize>j << 4), 96, to + <usize>j * step, 6 * step, s1, s2)
}

/** The adjoint: a k × k square of vectors at `to` from 36 points. */
@inline
function combineSquare(k: i32, from: usize, step: usize, to: usize, s1: f32, s2: f32, temp: usize): void {
  for (let j = 0; j < 6; j++) combine(k, from + <usize>j * step, 6 * step, temp + (<usize>j << 4), 96, s1, s2)
  for (let r = 0; r < k; r++) combine(k, temp + 96 * <usize>r, 16, to + (<usize>(r * k) << 4), 16, s1, s2)
}

/** U = G g Gᵀ for k = 3 or 5 taps. */
export function weightPoints(k: i32, from: usize, to: usize, step: usize, temp: usize): void {
  if (k == 3) evaluateSquare(3, from, to, step, G1, G2, temp)
  else evaluateSquare(5, from, to, step, G1, G2, temp)
}

/** dg = Gᵀ dU G. */
export function weightSquare(k: i32, from: usize, step: usize, to: usize, temp: usize): void {
  if (k == 3) combineSquare(3, from, step, to, G1, G2, temp)
  else combineSquare(5, from, step, to, G1, G2, temp)
}

/** A dy Aᵀ for m = 4 or 2 outputs. */
export function outputPoints(m: i32, from: usize, to: usize, step: usize, temp: usize): void {
  if (m == 4) evaluateSquare(4, from, to, step, 1, 1, temp)
  else evaluateSquare(2, from, to, step, 1, 1, temp)
}

/** y = Aᵀ z A. */
export function outputSquare(m: i32, from: usize, step: usize, to: usize, temp: usize): void {
  if (m == 4) combineSquare(4, from, step, to, 1, 1, temp)
  else combineSquare(2, from, step, to, 1, 1, temp)
}

/** Row by row of Bᵀ. */
@inline
export function filter(x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, y: usize, step: usize): void {
  const even1 = madd(f32x4.splat(-2), x2, x4)
  const even2 = madd(f32x4.splat(-0.5), x2, x4)
  const odd1 = madd(f32x4.splat(A), x3, f32x4.mul(f32x4.splat(-B), x1))
  const odd2 = madd(f32x4.splat(B), x3, f32x4.mul(f32x4.splat(-A), x1))
  v128.store(y, madd(f32x4.splat(-2.5), x2, f32x4.add(x0, x4)))
  v128.store(y + step, f32x4.add(even1, odd1))
  v128.store(y + 2 * step, f32x4.sub(even1, odd1))
  v128.store(y + 3 * step, f32x4.add(even2, odd2))
  v128.store(y + 4 * step, f32x4.sub(even2, odd2))
  v128.store(y + 5 * step, madd(f32x4.splat(-2.5), x3, f32x4.add(x1, x5)))
}

/** Bᵀ x B of the four 6 × 6 tiles at p0 … p3 in planes with rows of `row` bytes. */
export function inputPoints(p0: usize, p1: usize, p2: usize, p3: usize, row: usize, to: usize, step: usize, temp: usize): void {
  let t = temp
  for (const end = temp + VECTORS; t < end; t += 96) {
    const a0 = v128.load(p0)
    const a1 = v128.load(p1)
    const a2 = v128.load(p2)
    const a3 = v128.load(p3)
    const b0 = v128.load(p0, 8)
    const b1 = v128.load(p1, 8)
    const b2 = v128.load(p2, 8)
    const b3 = v128.load(p3, 8)
    const t0 = v128.shuffle<f32>(a0, a1, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(a0, a1, 2, 6, 3, 7)
    const t2 = v128.shuffle<f32>(a2, a3, 0, 4, 1, 5)
    const t3 = v128.shuffle<f32>(a2, a3, 2, 6, 3, 7)
    const u1 = v128.shuffle<f32>(b0, b1, 2, 6, 3, 7)
    const u3 = v128.shuffle<f32>(b2, b3, 2, 6, 3, 7)
    const x0 = v128.shuffle<f32>(t0, t2, 0, 1, 4, 5)
    const x1 = v128.shuffle<f32>(t0, t2, 2, 3, 6, 7)
    const x2 = v128.shuffle<f32>(t1, t3, 0, 1, 4, 5)
    const x3 = v128.shuffle<f32>(t1, t3, 2, 3, 6, 7)
    const x4 = v128.shuffle<f32>(u1, u3, 0, 1, 4, 5)
    const x5 = v128.shuffle<f32>(u1, u3, 2, 3, 6, 7)
    filter(x0, x1, x2, x3, x4, x5, t, 16)
    p0 += row
    p1 += row
    p2 += row
    p3 += row
  }
  for (let j: usize = 0; j < 6; j++) {
    const q = temp + (j << 4)
    filter(
      v128.load(q),
      v128.load(q, 96),
      v128.load(q, 192),
      v128.load(q, 288),
      v128.load(q, 384),
      v128.load(q, 480),
      to + j * step,
      6 * step,
    )
  }
}

/** `count` vectors of the values at p0 … p3, p0 + xStep …: the squares of four tiles or filters, one lane each. */
@inline
export function gather(count: i32, p0: usize, p1: usize, p2: usize, p3: usize, to: usize): void {
  for (let i = 0; i < count; i++, p0 += 4, p1 += 4, p2 += 4, p3 += 4, to += 16) {
    let v = v128.load_splat<f32>(p0)
    v = v128.load_lane<f32>(p1, v, 1)
    v = v128.load_lane<f32>(p2, v, 2)
    v128.store(to, v128.load_lane<f32>(p3, v, 3))
  }
}
