import { job, run } from './threads'
import { bytes, ceilDiv, smaller } from './vector'

/** Columns of a chunk: a cache line of each row. */
const BLOCK: i32 = 16

@unmanaged
class TransposeJob {
  rows: i32
  columns: i32
  from: usize
  to: usize
}

/** to (columns, rows) ← from (rows, columns), turned. */
export function transpose(rows: i32, columns: i32, from: usize, to: usize): void {
  const t = changetype<TransposeJob>(job)
  t.rows = rows
  t.columns = columns
  t.from = from
  t.to = to
  run(transposeChunk, ceilDiv(columns, BLOCK))
}

/** to[j][i] ← from[i][j] for i, j < 4; rows are `row` and `column` bytes apart. */
@inline
export function transposeFour(from: usize, row: usize, to: usize, column: usize): void {
  const a = v128.load(from)
  const b = v128.load(from + row)
  const c = v128.load(from + 2 * row)
  const d = v128.load(from + 3 * row)
  const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
  const t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
  const t2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
  const t3 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
  v128.store(to + column, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7))
  v128.store(to + 2 * column, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5))
  v128.store(to + 3 * column, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7))
}

function transposeChunk(chunk: i32, _workspace: usize): void {
  const t = changetype<TransposeJob>(job)
  const last = smaller(t.columns, (chunk + 1) * BLOCK)
  const row = bytes(t.columns)
  const column = bytes(t.rows)
  for (let i = 0; i < t.rows; i += 4) {
    const squares = i + 4 <= t.rows
    for (let j = chunk * BLOCK; j < last; j += 4) {
      let p = t.from + <usize>i * row + bytes(j)
      let q = t.to + <usize>j * column + bytes(i)
      if (squares && j + 4 <= last) {
        transposeFour(p, row, q, column)
        continue
      }
      const height = smaller(4, t.rows - i)
      const width = smaller(4, last - j)
      for (let y = 0; y < height; y++, p += row, q += 4) {
        for (let x = 0; x < width; x++) store<f32>(q + <usize>x * column, load<f32>(p + bytes(x)))
      }
    }
  }
}
