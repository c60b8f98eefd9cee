/**
 * Places along an axis made of other places along it: Padding, slices, pictures in other sizes. Where values lie side
 * by side behind the axis a place is a row; where it is the last axis, runs of neighbours are copied together.
 */
import { CHUNK_VALUES } from './elementwise'
import { isDry, job, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, fillValues, larger, madd, put, smaller } from './vector'

/** Bytes of a run: where it starts in x (−1: nowhere) and in y, and how long it is. */
const RUN: usize = 12

@unmanaged
class Mix {
  size: i32
  out: i32
  inner: i32
  taps: i32
  nothing: f32
  /** Rows of y, or stretches of all its places, a chunk; and how many there are. */
  block: i32
  blocks: i32
  runs: i32
  /** For each tap its place, or −1; the taps that there are come first. */
  table: usize
  /** Weights of those, in that order. */
  weights: usize
  list: usize
  x: usize
  y: usize
}

@inline
function described(): Mix {
  return changetype<Mix>(job)
}

export function mixAxis(
  outer: i32,
  size: i32,
  out: i32,
  inner: i32,
  taps: i32,
  nothing: f32,
  from: usize,
  weight: usize,
  x: usize,
  y: usize,
): void {
  const m = described()
  const places = bytes(out * taps)
  m.table = sharedWorkspace(2 * places + <usize>out * RUN)
  if (isDry()) return
  m.size = size
  m.out = out
  m.inner = inner
  m.taps = taps
  m.nothing = nothing
  m.weights = m.table + places
  m.list = m.weights + places
  m.x = x
  m.y = y
  const plain = tabulate(m, from, weight)
  if (inner >= 4) {
    m.block = larger(1, CHUNK_VALUES / inner)
    m.blocks = outer * out
    run(plain ? rowCopies : rowSums, ceilDiv(m.blocks, m.block))
    return
  }
  m.block = larger(1, CHUNK_VALUES / larger(1, out * inner))
  m.blocks = outer
  if (plain) listRuns(m)
  run(plain ? runCopies : valueSums, ceilDiv(outer, m.block))
}

/** Whether every place is another one as it is. */
function tabulate(m: Mix, from: usize, weight: usize): bool {
  let plain = true
  for (let j = 0; j < m.out; j++) {
    const first = bytes(j * m.taps)
    let found: usize = 0
    for (let k = 0; k < m.taps; k++) {
      const place = load<f32>(from + first + bytes(k))
      if (!(place >= 0 && place < <f32>m.size)) continue
      store<i32>(m.table + first + found, <i32>place)
      store<f32>(m.weights + first + found, load<f32>(weight + first + bytes(k)))
      if (found > 0 || load<f32>(weight + first + bytes(k)) != 1) plain = false
      found += 4
    }
    for (; found < bytes(m.taps); found += 4) store<i32>(m.table + first + found, -1)
  }
  return plain
}

@inline
function placeOf(m: Mix, j: i32): i32 {
  return m.taps ? load<i32>(m.table + bytes(j * m.taps)) : -1
}

/** Places of x that are neighbours in y, too, and places without any. */
function listRuns(m: Mix): void {
  m.runs = 0
  for (let j = 0; j < m.out; ) {
    const place = placeOf(m, j)
    let end = j + 1
    while (end < m.out && placeOf(m, end) == (place < 0 ? -1 : place + end - j)) end++
    const entry = m.list + <usize>m.runs * RUN
    m.runs++
    store<i32>(entry, place < 0 ? -1 : place * m.inner)
    store<i32>(entry, j * m.inner, 4)
    store<i32>(entry, (end - j) * m.inner, 8)
    j = end
  }
}

function runCopies(chunk: i32, _workspace: usize): void {
  const m = described()
  const last = smaller(m.blocks, (chunk + 1) * m.block)
  const end = m.list + <usize>m.runs * RUN
  for (let o = chunk * m.block; o < last; o++) {
    const x = m.x + bytes(o) * <usize>(m.size * m.inner)
    const y = m.y + bytes(o) * <usize>(m.out * m.inner)
    for (let entry = m.list; entry < end; entry += RUN) {
      const from = load<i32>(entry)
      const to = y + bytes(load<i32>(entry, 4))
      const length = load<i32>(entry, 8)
      if (from < 0) fillValues(to, length, m.nothing)
      else copyValues(to, x + bytes(from), length)
    }
  }
}

function rowCopies(chunk: i32, _workspace: usize): void {
  const m = described()
  const last = smaller(m.blocks, (chunk + 1) * m.block)
  const width = bytes(m.inner)
  for (let row = chunk * m.block; row < last; row++) {
    const o = row / m.out
    const place = placeOf(m, row - o * m.out)
    const y = m.y + <usize>row * width
    if (place < 0) fillValues(y, m.inner, m.nothing)
    else copyValues(y, m.x + <usize>(o * m.size + place) * width, m.inner)
  }
}

function rowSums(chunk: i32, _workspace: usize): void {
  const m = described()
  const last = smaller(m.blocks, (chunk + 1) * m.block)
  const width = bytes(m.inner)
  const span = bytes(m.taps)
  for (let row = chunk * m.block; row < last; row++) {
    const o = row / m.out
    const first = m.table + <usize>(row - o * m.out) * span
    const x = m.x + <usize>(o * m.size) * width
    const y = m.y + <usize>row * width
    if (m.taps == 0 || load<i32>(first) < 0) {
      fillValues(y, m.inner, m.nothing)
      continue
    }
    const weights = first + (m.weights - m.table)
    for (let i = 0; i < m.inner; i += 4) {
      const column = x + bytes(i)
      let sum = f32x4.mul(v128.load_splat<f32>(weights), v128.load(column + <usize>load<i32>(first) * width))
      for (let k: usize = 4; k < span && load<i32>(first + k) >= 0; k += 4) {
        sum = madd(v128.load_splat<f32>(weights + k), v128.load(column + <usize>load<i32>(first + k) * width), sum)
      }
      put(y + bytes(i), sum, m.inner - i)
    }
  }
}

function valueSums(chunk: i32, _workspace: usize): void {
  const m = described()
  const last = smaller(m.blocks, (chunk + 1) * m.block)
  const span = bytes(m.taps)
  const inner = m.inner
  let y = m.y + <usize>(chunk * m.block) * bytes(m.out * inner)
  for (let o = chunk * m.block; o < last; o++) {
    const x = m.x + <usize>o * bytes(m.size * inner)
    let table = m.table
    let weights = m.weights
    for (let j = 0; j < m.out; j++, table += span, weights += span) {
      for (let i = 0; i < inner; i++, y += 4) {
        let sum = m.nothing
        const column = x + bytes(i)
        if (span > 0 && load<i32>(table) >= 0) {
          sum = load<f32>(weights) * load<f32>(column + bytes(load<i32>(table) * inner))
          for (let k: usize = 4; k < span && load<i32>(table + k) >= 0; k += 4) {
            sum += load<f32>(weights + k) * load<f32>(column + bytes(load<i32>(table + k) * inner))
          }
        }
        store<f32>(y, sum)
      }
    }
  }
}
