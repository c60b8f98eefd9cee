/** Rows of a table by their indices: Embed. */
import { CHUNK_VALUES } from './elementwise'
import { job, run } from './threads'
import { bytes, ceilDiv, copyValues, larger, put, smaller } from './vector'

/** Columns of the table that one chunk of scatterRows adds to, at least. */
const COLUMNS: i32 = 64

@unmanaged
class Gather {
  rows: i32
  width: i32
  count: i32
  block: i32
  index: usize
  x: usize
  y: usize
}

@inline
function describe(rows: i32, width: i32, count: i32, block: i32, index: usize, x: usize, y: usize): void {
  const g = changetype<Gather>(job)
  g.rows = rows
  g.width = width
  g.count = count
  g.block = block
  g.index = index
  g.x = x
  g.y = y
}

/** The row that entry r names, or −1 if there is none. */
@inline
function rowOf(g: Gather, r: i32): i32 {
  const row = Mathf.trunc(load<f32>(g.index + bytes(r)))
  return row >= 0 && row < <f32>g.count ? <i32>row : -1
}

export function gatherRows(rows: i32, width: i32, count: i32, index: usize, table: usize, y: usize): void {
  const block = larger(1, CHUNK_VALUES / larger(1, width))
  describe(rows, width, count, block, index, table, y)
  run(gatherChunk, ceilDiv(rows, block))
}

function gatherChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<Gather>(job)
  const last = smaller(g.rows, (chunk + 1) * g.block)
  for (let r = chunk * g.block; r < last; r++) {
    const row = rowOf(g, r)
    const y = g.y + bytes(r * g.width)
    if (row >= 0) copyValues(y, g.x + bytes(row * g.width), g.width)
    else for (let i = 0; i < g.width; i++) store<f32>(y + bytes(i), NaN)
  }
}

/** In the order of r. A chunk is a block of columns: rows may meet. */
export function scatterRows(rows: i32, width: i32, count: i32, index: usize, dy: usize, dtable: usize): void {
  const block = larger(COLUMNS, ceilDiv(CHUNK_VALUES / larger(1, rows), 4) * 4)
  describe(rows, width, count, block, index, dy, dtable)
  run(scatterChunk, ceilDiv(width, block))
}

function scatterChunk(chunk: i32, _workspace: usize): void {
  const g = changetype<Gather>(job)
  const first = chunk * g.block
  const width = smaller(g.width - first, g.block)
  for (let r = 0; r < g.rows; r++) {
    const row = rowOf(g, r)
    if (row < 0) continue
    const x = g.x + bytes(r * g.width + first)
    const y = g.y + bytes(row * g.width + first)
    for (let i = 0; i < width; i += 4) put(y + bytes(i), f32x4.add(v128.load(y + bytes(i)), v128.load(x + bytes(i))), width - i)
  }
}
