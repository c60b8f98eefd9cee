import type { Memory } from '../../lib/memory.js'

/**
 * y[r] ← table[index[r]] for r < rows; NaN where there is no such row.  table: (count, width), index: (rows), y: (rows,
 * width).
 */
export function gatherRows(rows: number, width: number, count: number, index: Memory, table: Memory, y: Memory): void {
  const indices = index.array
  const tables = table.array
  const ys = y.array
  for (let r = 0, o = 0; r < rows; r++) {
    const row = Math.trunc(indices[r])
    const inside = row >= 0 && row < count
    for (let i = 0; i < width; i++, o++) ys[o] = inside ? tables[row * width + i] : Number.NaN
  }
}

/**
 * dtable[index[r]] ← dtable[index[r]] + dy[r] for r < rows, where there is such a row: the adjoint of gatherRows,
 * added.
 */
export function scatterRows(
  rows: number,
  width: number,
  count: number,
  index: Memory,
  dy: Memory,
  dtable: Memory,
): void {
  const indices = index.array
  const dys = dy.array
  const dtables = dtable.array
  for (let r = 0; r < rows; r++) {
    const row = Math.trunc(indices[r])
    if (row >= 0 && row < count) for (let i = 0; i < width; i++) dtables[row * width + i] += dys[r * width + i]
  }
}
