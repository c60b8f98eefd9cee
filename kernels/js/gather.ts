import type { Memory } from '../../lib/memory.js'

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
