/**
 * Comparisons by products, of patches that are neighbours, as matrix products: places of one row that are `step` apart,
 * times those of the other row, of which a band along the diagonal is wanted. Four places times eight displaced ones are a
 * tile. A value that is not finite may reach the neighbours of what it belongs to.
 */
import { columnOf, CostVolume, rowBytes, rowOf, share } from './cost_frame'
import { ROW, tile } from './micro_tile'
import { bytes, ceilDiv, fillValues, larger, smaller } from './vector'

/** Values of a row of a tile's results: four places reach columns + 3 displaced ones. */
@inline
function bandWidth(s: CostVolume): i32 {
  return ceilDiv(s.columns + 3, 8) * 8
}

/** Bytes for results of a tile, or for a band of dy. */
export function bandWorkspace(s: CostVolume): usize {
  return <usize>larger(4 * bandWidth(s), 8 * (s.columns + 8)) * 4 + 64
}

/** Row i of y for the displacements of row r. */
export function bandRow(s: CostVolume, n: i32, r: i32, i: i32, workspace: usize): void {
  const channel = rowBytes(s)
  const width = bandWidth(s)
  const plane = bytes(s.OH * s.OW)
  const y = s.y + <usize>((n * s.rows + r) * s.columns) * plane + bytes(i * s.OW)
  const mean = share(s)
  for (let residue = 0; residue < smaller(s.step, s.OW); residue++) {
    const places = ceilDiv(s.OW - residue, s.step)
    for (let t = 0; t < places; t += 4) {
      const high = smaller(4, places - t)
      let beta: f32 = 0
      for (let v = 0; v < s.kernel; v++) {
        const a = rowOf(s, s.a, n, s.top + i + v)
        const b = rowOf(s, s.b, n, s.top + i + v + s.down + r * s.step)
        for (let u = 0; u < s.kernel; u++) {
          const column = s.left + u + residue
          const from = a + bytes(columnOf(s, column) + t)
          const moved = b + bytes(columnOf(s, column + s.across) + t)
          for (let m = 0; m < width; m += 8) {
            tile(s.C, from, 4, channel, moved + bytes(m), channel, workspace + bytes(m), bytes(width), high, mean, beta)
          }
          beta = 1
        }
      }
      for (let e = 0; e < high; e++) {
        const to = y + bytes(residue + s.step * (t + e))
        const from = workspace + bytes(e * width + e)
        for (let q = 0; q < s.columns; q++) store<f32>(to + <usize>q * plane, load<f32>(from + bytes(q)))
      }
    }
  }
}

/** sums ← sums + what row i of the displacements of row r gives, with the row of the other picture that it is of. */
export function bandGradient(s: CostVolume, n: i32, r: i32, i: i32, other: usize, sums: usize, band: usize): void {
  const dy = s.y + <usize>((n * s.rows + r) * s.columns) * bytes(s.OH * s.OW) + bytes(i * s.OW)
  for (let residue = 0; residue < smaller(s.step, s.OW); residue++) {
    const places = ceilDiv(s.OW - residue, s.step)
    const from = dy + bytes(residue)
    for (let u = 0; u < s.kernel; u++) {
      const column = s.left + u + residue
      const first = columnOf(s, column)
      const moved = columnOf(s, column + s.across)
      if (s.second) addSecond(s, places, from, other + bytes(first), sums + bytes(moved), band)
      else addFirst(s, places, from, other + bytes(moved), sums + bytes(first), band)
    }
  }
}

/** dy of a displacement at a place. */
@inline
function slopeAt(s: CostVolume, dy: usize, q: i32, t: i32): f32 {
  return load<f32>(dy + <usize>q * bytes(s.OH * s.OW) + bytes(s.step * t))
}

/** Eight places of the first picture: row m of the band is what place t + m of the other one is multiplied by. */
function addFirst(s: CostVolume, places: i32, dy: usize, other: usize, sums: usize, band: usize): void {
  const length = s.columns + 7
  for (let t = 0; t < places; t += 8) {
    fillValues(band, 8 * length, 0)
    for (let e = 0; e < smaller(8, places - t); e++) {
      for (let q = 0; q < s.columns; q++) store<f32>(band + bytes(8 * (e + q) + e), slopeAt(s, dy, q, t + e))
    }
    addTiles(s, length, other + bytes(t), band, sums + bytes(t))
  }
}

/** Eight places of the second picture, which places of the first reach that lie up to `columns` before. */
function addSecond(s: CostVolume, places: i32, dy: usize, other: usize, sums: usize, band: usize): void {
  for (let m = 0; m < places + s.columns - 1; m += 8) {
    const first = larger(0, m - s.columns + 1)
    const length = smaller(places, m + 8) - first
    fillValues(band, 8 * length, 0)
    for (let k = 0; k < length; k++) {
      const t = first + k
      for (let e = larger(0, t - m); e < 8; e++) {
        const q = m + e - t
        if (q < s.columns) store<f32>(band + bytes(8 * k + e), slopeAt(s, dy, q, t))
      }
    }
    addTiles(s, length, other + bytes(first), band, sums + bytes(m))
  }
}

function addTiles(s: CostVolume, length: i32, other: usize, band: usize, sums: usize): void {
  const channel = rowBytes(s)
  for (let c = 0; c < s.C; c += 4) {
    const at = <usize>c * channel
    tile(length, other + at, channel, 4, band, ROW, sums + at, channel, smaller(4, s.C - c), 1, 1)
  }
}
