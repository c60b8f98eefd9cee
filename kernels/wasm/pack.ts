/** Copies pieces of matrices into the order in which tiles read them: panels of 8 columns, `ROW` bytes for each k. */
import { MR, NR, ROW } from './micro_tile'
import { transposeFour } from './transpose'
import { bytes, ceilDiv, larger } from './vector'

/**
 * Panels of B (K, N), whose row k starts at b + k·bRow. Missing columns of the last panel hold whatever follows the
 * row.
 */
export function packRows(K: i32, N: i32, b: usize, bRow: usize, to: usize): void {
  for (let j = 0; j < N; j += NR) {
    let from = b + bytes(j)
    for (let k = 0; k < K; k++) {
      v128.store(to, v128.load(from))
      v128.store(to, v128.load(from, 16), 16)
      from += bRow
      to += ROW
    }
  }
}

/**
 * Panels of Bᵀ: column j of B (K, N) starts at b + j·bColumn and is contiguous. Missing columns repeat the last one.
 */
export function packColumns(K: i32, N: i32, b: usize, bColumn: usize, to: usize): void {
  for (let j = 0; j < N; j += NR) {
    packFourColumns(K, N - j, b + <usize>j * bColumn, bColumn, to)
    const second = N - j > 4 ? j + 4 : j
    packFourColumns(K, N - second, b + <usize>second * bColumn, bColumn, to + 16)
    to += <usize>K * ROW
  }
}

/** The left half of one panel, of N columns or the first four of them. */
function packFourColumns(K: i32, N: i32, b: usize, bColumn: usize, to: usize): void {
  let p0 = b
  let p1 = N > 1 ? p0 + bColumn : p0
  let p2 = N > 2 ? p1 + bColumn : p1
  let p3 = N > 3 ? p2 + bColumn : p2
  let k = 0
  for (; k + 4 <= K; k += 4) {
    const r0 = v128.load(p0)
    const r1 = v128.load(p1)
    const r2 = v128.load(p2)
    const r3 = v128.load(p3)
    const t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
    const t2 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
    const t3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
    v128.store(to, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
    v128.store(to, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7), 32)
    v128.store(to, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5), 64)
    v128.store(to, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7), 96)
    p0 += 16
    p1 += 16
    p2 += 16
    p3 += 16
    to += 4 * ROW
  }
  for (; k < K; k++) {
    store<f32>(to, load<f32>(p0))
    store<f32>(to, load<f32>(p1), 4)
    store<f32>(to, load<f32>(p2), 8)
    store<f32>(to, load<f32>(p3), 12)
    p0 += 4
    p1 += 4
    p2 += 4
    p3 += 4
    to += ROW
  }
}

/** A panel of up to four rows of A: for each k its values side by side. Rows that do not exist leave theirs as they are. */
export function packFour(K: i32, rows: i32, a: usize, aRow: usize, to: usize): void {
  let k = 0
  if (rows == MR) for (; k + 4 <= K; k += 4, a += 16, to += 64) transposeFour(a, aRow, to, 16)
  for (; k < K; k++, a += 4, to += 16) for (let r = 0; r < rows; r++) store<f32>(to + bytes(r), load<f32>(a + <usize>r * aRow))
}

/** `n` cut into equal blocks of at most about `most`, each a multiple of `unit`: the size of a block. */
export function blockOf(n: i32, most: i32, unit: i32): i32 {
  return ceilDiv(ceilDiv(n, larger(1, ceilDiv(n, most))), unit) * unit
}
