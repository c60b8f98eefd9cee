/** Copies pieces of matrices into the order in which tiles read them: panels of 8 columns, `ROW` bytes for each k. */
import { NR, ROW } from './tile'
import { bytes, ceilDiv, larger } from './vector'

/** Panels of B (K, N), whose row k starts at b + k·bRow. Missing columns of the last panel become 0. */
export function packRows(K: i32, N: i32, b: usize, bRow: usize, to: usize): void {
  let j = 0
  for (; j + NR <= N; j += NR) {
    let from = b + bytes(j)
    for (let k = 0; k < K; k++) {
      v128.store(to, v128.load(from))
      v128.store(to, v128.load(from, 16), 16)
      from += bRow
      to += ROW
    }
  }
  if (j < N) packElements(K, N - j, b + bytes(j), bRow, 4, to)
}

/** Panels of Bᵀ: column j of B (K, N) starts at b + j·bColumn and is contiguous. */
export function packColumns(K: i32, N: i32, b: usize, bColumn: usize, to: usize): void {
  let j = 0
  for (; j + NR <= N; j += NR) {
    const from = b + <usize>j * bColumn
    let k = 0
    for (; k + 4 <= K; k += 4) {
      const p = from + bytes(k)
      transpose(p, bColumn, to)
      transpose(p + 4 * bColumn, bColumn, to + 16)
      to += 4 * ROW
    }
    for (; k < K; k++) {
      let p = from + bytes(k)
      for (let i = 0; i < NR; i++) {
        store<f32>(to, load<f32>(p))
        p += bColumn
        to += 4
      }
    }
  }
  if (j < N) packElements(K, N - j, b + <usize>j * bColumn, 4, bColumn, to)
}

/** Four columns of four values each, at p, p + column …, become four rows of four at `to`. */
@inline
function transpose(p: usize, column: usize, to: usize): void {
  const r0 = v128.load(p)
  const r1 = v128.load(p + column)
  const r2 = v128.load(p + 2 * column)
  const r3 = v128.load(p + 3 * column)
  const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
  const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
  const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
  const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
  v128.store(to, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32)
  v128.store(to, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 64)
  v128.store(to, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), 96)
}

/** One panel of N ≤ 8 columns with any two strides, filled up with zeros. */
function packElements(K: i32, N: i32, b: usize, kStep: usize, jStep: usize, to: usize): void {
  for (let k = 0; k < K; k++) {
    let p = b
    for (let j = 0; j < NR; j++) {
      store<f32>(to, j < N ? load<f32>(p) : 0)
      p += jStep
      to += 4
    }
    b += kStep
  }
}

/** `n` cut into equal blocks of at most about `most`, each a multiple of `unit`: the size of a block. */
export function blockOf(n: i32, most: i32, unit: i32): i32 {
  return ceilDiv(ceilDiv(n, larger(1, ceilDiv(n, most))), unit) * unit
}
