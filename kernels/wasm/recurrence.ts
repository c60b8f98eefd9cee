/**
 * What the layers with a state have in common: step by step, products of the state with the same weights. A chunk is
 * some hidden units of some streams. Its part of the weights is put in order once, in the step before the first, and
 * then stays in the cache of the core that put it there.
 */
import { sgemm } from './blas_import'
import { packColumns, packFour, packRows } from './pack'
import { execute } from './primitives'
import { runApart, runSteps, stateOf, SteppedJob, StepTask } from './steps'
import { asSum, job, needWorkspace, sharedWorkspace } from './threads'
import { copyEdge, MR, NR, packedTile, ROW, TILE } from './micro_tile'
import { transposeFour } from './transpose'
import { bytes, ceilDiv, copyValues, fillValues, larger, madd, smaller } from './vector'

/**
 * Gate values of a stream in a chunk; sgemm wants more, most of all for one stream. Units of a chunk on the way back: more where there
 * are streams enough, since gates of few units are short pieces of memory.
 */
const WIDTH: i32 = 64
const BLAS_WIDTH: i32 = 128
const BLAS_WIDTH_OF_ONE: i32 = 256
const BACK: i32 = 32
const BACK_OF_MANY: i32 = 128
/** Chunks of a step, where there are enough streams to cut, and most streams of a chunk. */
const PARTS: i32 = 16
const STREAMS: i32 = 64
/** Operations of a step that two threads share gladly; a value of a gate costs as much as so many. */
const SHARED: f64 = 5e4
const GATE: f64 = 30
/** Streams up to which products of one stream at a time are fastest, and steps from which on they want an order. */
const FEW: i32 = 2
const MANY_STEPS: i32 = 6
/** Columns that such a product sums side by side, and bytes of a row of their weights. */
const COLUMNS: i32 = 24
const COLUMNS_ROW: usize = 96
/** Steps from which sgemm is faster on the way forward of one stream, though weights have to be put in order for it. */
const BLAS_STEPS: i32 = 8
/** Rows of a panel that stay in the L1 cache with what four streams have of them. */
const KC: i32 = 512

@unmanaged
export class Recurrence extends SteppedJob {
  blas: bool
  few: bool
  steps: i32
  batch: i32
  hidden: i32
  /** Gates of a unit. */
  gateCount: i32
  /** Units and streams of a chunk, and into how many groups the streams are cut. */
  units: i32
  streams: i32
  groups: i32
  chunks: i32
  /** Products of the state by oneDNN, one number for each chunk of each step, and where those go that no gates are there for; or 0. */
  table: usize
  products: usize
  packed: usize
  /** What is multiplied with them, of four streams side by side, for even and for odd steps. */
  turned: usize
  cont: usize
  wh: usize
  h0: usize
  gates: usize
  conted: usize
  c: usize
  h: usize
  dh: usize
  dc: usize
  dgates: usize
}

let blas: bool = false

/** The native engine: products by sgemm from now on. */
export function useBlas(): void {
  blas = true
}

let table: usize = 0
let streamsOfTable: i32 = 0
let productsOfTable: usize = 0

/**
 * Recurrent kernels have products by this table of primitives from now on, a chunk being so many streams with all their
 * units, and on the way back find them at `products` (batch, hidden). With 0 they multiply themselves.
 */
export function useTable(primitives: usize, streams: i32, products: usize): void {
  table = primitives
  streamsOfTable = streams
  productsOfTable = products
}

/** The arguments that both ways have, and how the work is cut. */
export function describe(steps: i32, batch: i32, hidden: i32, gateCount: i32, back: bool, cont: usize, wh: usize): Recurrence {
  const r = cutTable(steps, batch, hidden, hidden, table ? streamsOfTable : batch, table)
  r.products = productsOfTable
  r.blas = blas
  const bySgemm = blas && !back && batch == 1 && steps >= BLAS_STEPS
  r.few = batch <= FEW && !bySgemm
  r.gateCount = gateCount
  if (!table) {
    r.units = back ? backUnits(batch, hidden) : (r.few ? 2 * COLUMNS : widthOf(bySgemm)) / gateCount
    r.streams = smaller(STREAMS, ceilDiv(ceilDiv(batch, ceilDiv(PARTS, ceilDiv(hidden, r.units))), MR) * MR)
    r.groups = ceilDiv(batch, r.streams)
  }
  r.cont = cont
  r.wh = wh
  return r
}

@inline
function widthOf(isOne: bool): i32 {
  if (!blas) return WIDTH
  return isOne ? BLAS_WIDTH_OF_ONE : BLAS_WIDTH
}

@inline
function backUnits(batch: i32, hidden: i32): i32 {
  const units = (hidden * ceilDiv(batch, MR)) / PARTS
  return blas ? BACK : larger(BACK, smaller(BACK_OF_MANY, units - (units % BACK)))
}

/** A sequence whose work is cut as its table of primitives is: so many units of so many streams. */
export function cutTable(steps: i32, batch: i32, hidden: i32, units: i32, streams: i32, primitives: usize): Recurrence {
  const r = changetype<Recurrence>(job)
  r.table = primitives
  r.steps = steps
  r.batch = batch
  r.hidden = hidden
  r.units = units
  r.streams = streams
  r.groups = ceilDiv(batch, streams)
  r.chunks = ceilDiv(hidden, units) * r.groups
  return r
}

/** Runs `task` for the step before the first and all time steps. Chunks that have all units wait for nobody. */
export function runTable(task: StepTask): void {
  const r = changetype<Recurrence>(job)
  const state = sharedWorkspace(stateOf(r.chunks))
  if (r.units >= r.hidden) runApart(task, r.steps + 1, r.chunks, state)
  else runSteps(task, r.steps + 1, r.chunks, state, false)
}

/** Runs `task` for the step that prepares, and all time steps after it. */
export function runRecurrence(task: StepTask, back: bool): void {
  const r = changetype<Recurrence>(job)
  if (r.table) {
    runTable(task)
    return
  }
  const parts = ceilDiv(r.hidden, r.units)
  const chunks = parts * r.groups
  const state = stateOf(chunks)
  const weights = inOrder(r, back) ? bytes(parts * r.units * r.gateCount * r.hidden) : 0
  const turned: usize = byTiles(r) ? turnedBytes(r, back ? r.gateCount * r.hidden : r.hidden) << 1 : 0
  const shared = sharedWorkspace(state + weights + turned)
  r.packed = shared + state
  r.turned = r.packed + weights
  needWorkspace(TILE + bytes(r.streams * r.units * (back ? 1 : r.gateCount)))
  const values = <f64>r.batch * <f64>r.hidden * <f64>r.gateCount
  runSteps(task, r.steps + 1, chunks, shared, values * (2 * <f64>r.hidden + GATE) < SHARED)
}

/** Whether products read weights that are put in order here. */
@inline
function inOrder(r: Recurrence, back: bool): bool {
  return r.table ? false : back ? r.steps > 1 : !r.few || r.steps >= MANY_STEPS
}

/** Whether products are made of tiles. */
@inline
function byTiles(r: Recurrence): bool {
  return !r.few && !r.blas && !r.table
}

/** Bytes of K values of all streams. */
@inline
function turnedBytes(r: Recurrence, K: i32): usize {
  return <usize>ceilDiv(r.batch, MR) * bytes(MR * K)
}

/** Where the K values of four streams from n on are, those of step t. */
@inline
function turnedOf(r: Recurrence, t: i32, K: i32, n: i32): usize {
  return r.turned + (t & 1 ? turnedBytes(r, K) : 0) + <usize>n * bytes(K)
}

/** Puts `count` of the K values of step t, from k on, of the streams n0 … n1 − 1 side by side; `from` has all of them. */
function turn(r: Recurrence, t: i32, K: i32, k: i32, count: i32, n0: i32, n1: i32, from: usize): void {
  const row = bytes(K)
  for (let n = n0; n < n1; n += MR) {
    packFour(count, smaller(MR, n1 - n), from + <usize>(t * r.batch + n) * row + bytes(k), row, turnedOf(r, t, K, n) + bytes(MR * k))
  }
}

// ---- where a chunk is
// ------------------------------------------------------------------------------------------------------------

@inline
export function firstUnit(r: Recurrence, chunk: i32): i32 {
  return (chunk / r.groups) * r.units
}
@inline
export function unitsFrom(r: Recurrence, u: i32): i32 {
  return smaller(r.units, r.hidden - u)
}
@inline
export function firstStream(r: Recurrence, chunk: i32): i32 {
  return (chunk % r.groups) * r.streams
}
@inline
export function lastStream(r: Recurrence, n: i32): i32 {
  return smaller(r.batch, n + r.streams)
}
/** The chunk's part of the weights, in order. */
@inline
function packedOf(r: Recurrence, u: i32): usize {
  return r.packed + bytes(u * r.gateCount * r.hidden)
}

// ---- forward
// ---------------------------------------------------------------------------------------------------------------------

/** The weights of some units in the order in which products read them. */
export function packUnits(r: Recurrence, u: i32): void {
  if (!inOrder(r, false)) return
  const H = r.hidden
  const count = unitsFrom(r, u)
  const to = packedOf(r, u)
  for (let g = 0; g < r.gateCount; g++) {
    const from = r.wh + bytes(g * H + u) * <usize>H
    if (r.few) packBeside(H, count, g * r.units, from, to)
    else if (r.blas) packTransposed(H, count, from, bytes(H), to + bytes(g * count), bytes(count * r.gateCount))
    else packColumns(H, count, from, bytes(H), to + bytes(g * r.units * H))
  }
}

/** Rows of K weights as `count` columns from `column` on of blocks of 24, of which each has all of its k in order. */
function packBeside(K: i32, count: i32, column: i32, from: usize, to: usize): void {
  for (let j = 0; j < count; ) {
    const at = column + j
    const width = smaller(count - j, COLUMNS - at % COLUMNS)
    const block = to + <usize>(at / COLUMNS) * <usize>K * COLUMNS_ROW
    packTransposed(K, width, from + bytes(j) * <usize>K, bytes(K), block + bytes(at % COLUMNS), COLUMNS_ROW)
    j += width
  }
}

/** to[k][j] ← from[j][k] for k < K, j < count; rows are `row` and toRow bytes apart. */
function packTransposed(K: i32, count: i32, from: usize, row: usize, to: usize, toRow: usize): void {
  let j = 0
  for (; j + 4 <= count; j += 4, from += 4 * row, to += 16) {
    let p = from
    let q = to
    let k = 0
    for (; k + 4 <= K; k += 4, p += 16, q += 4 * toRow) transposeFour(p, row, q, toRow)
    for (; k < K; k++, p += 4, q += toRow) {
      for (let i = 0; i < 4; i++) store<f32>(q + bytes(i), load<f32>(p + <usize>i * row))
    }
  }
  for (; j < count; j++, from += row, to += 4) {
    for (let k = 0; k < K; k++) store<f32>(to + <usize>k * toRow, load<f32>(from + bytes(k)))
  }
}

/** The state that goes into the gates of a step, for some units of a stream: cont·h, or 0 even if h is not finite. */
export function carry(r: Recurrence, t: i32, n: i32, u: i32, h: usize): void {
  const cont = load<f32>(r.cont + bytes(t * r.batch + n))
  const count = bytes(unitsFrom(r, u))
  const to = r.conted + bytes((t * r.batch + n) * r.hidden + u)
  const factor = f32x4.splat(cont)
  if (cont == 0) {
    for (let i: usize = 0; i < count; i += 4) store<f32>(to + i, 0)
    return
  }
  let i: usize = 0
  for (; i + 16 <= count; i += 16) v128.store(to + i, f32x4.mul(factor, v128.load(h + i)))
  for (; i < count; i += 4) store<f32>(to + i, cont * load<f32>(h + i))
}

/** The same for the streams n0 … n1 − 1 of the states at h. */
export function carryAll(r: Recurrence, t: i32, u: i32, n0: i32, n1: i32, h: usize): void {
  for (let n = n0; n < n1; n++) carry(r, t, n, u, h + bytes(n * r.hidden + u))
  if (byTiles(r)) turn(r, t, r.hidden, u, unitsFrom(r, u), n0, n1, r.conted)
}

/** gates[t] ← gates[t] + conted[t]·Whᵀ for the units from u on of the streams n0 … n1 − 1. */
export function addProducts(r: Recurrence, t: i32, u: i32, n0: i32, n1: i32, workspace: usize): void {
  if (r.table) {
    execute(r.table, t * r.groups + n0 / r.streams)
    return
  }
  const H = r.hidden
  const G = r.gateCount
  const count = unitsFrom(r, u)
  if (byTiles(r)) {
    for (let g = 0; g < G; g++) {
      const to = r.gates + bytes(((t * r.batch + n0) * G + g) * H + u)
      products(r, t, H, n0, n1, count, packedOf(r, u) + bytes(g * r.units * H), to, bytes(G * H), 1, workspace)
    }
    return
  }
  const x = r.conted + bytes((t * r.batch + n0) * H)
  const packed = packedOf(r, u)
  // values of a gate of a stream that products leave in the workspace
  let width = r.units
  if (!inOrder(r, false)) {
    for (let n = 0; n < n1 - n0; n++) {
      for (let g = 0; g < G; g++) dots(H, count, x + bytes(n * H), r.wh + bytes(g * H + u) * <usize>H, workspace + bytes((n * G + g) * width))
    }
  } else if (r.few) {
    const block = <usize>H * COLUMNS_ROW
    for (let n = 0; n < n1 - n0; n++) {
      for (let j = 0; j < G * width; j += COLUMNS) {
        columns(H, x + bytes(n * H), packed + <usize>(j / COLUMNS) * block, workspace + bytes(n * G * width + j))
      }
    }
  } else {
    width = count
    sgemm(false, false, n1 - n0, G * count, H, 1, x, H, packed, G * count, 0, workspace, G * count)
  }
  for (let n = n0; n < n1; n++) {
    const gate = r.gates + bytes((t * r.batch + n) * G * H + u)
    for (let g = 0; g < G; g++) add(count, workspace + bytes(((n - n0) * G + g) * width), gate + bytes(g * H))
  }
}

/**
 * c ← β·c + x·w for the streams n0 … n1 − 1 and `count` columns, where x is what was turned of step t, K values of each stream, and w
 * lies in panels. Rows of c are cRow bytes apart.
 */
function products(r: Recurrence, t: i32, K: i32, n0: i32, n1: i32, count: i32, w: usize, c: usize, cRow: usize, beta: f32, edge: usize): void {
  for (let j = 0; j < count; j += NR) {
    const whole = j + NR <= count
    for (let k = 0; k < K; k += KC) {
      const panel = w + bytes(j * K + k * NR)
      const scale: f32 = k == 0 ? beta : 1
      for (let n = n0; n < n1; n += MR) {
        const rows = smaller(MR, n1 - n)
        const x = turnedOf(r, t, K, n) + bytes(MR * k)
        const to = c + <usize>(n - n0) * cRow + bytes(j)
        packedTile(smaller(KC, K - k), x, panel, whole ? to : edge, whole ? cRow : ROW, rows, 1, whole ? scale : 0)
        if (!whole) copyEdge(rows, count - j, edge, scale, to, cRow)
      }
    }
  }
}

/** y ← y + x. */
function add(n: i32, x: usize, y: usize): void {
  let i: usize = 0
  for (; i + 16 <= bytes(n); i += 16) v128.store(y + i, f32x4.add(v128.load(y + i), v128.load(x + i)))
  for (; i < bytes(n); i += 4) store<f32>(y + i, load<f32>(y + i) + load<f32>(x + i))
}

/**
 * y[j] ← Σₖ x[k]·w[j][k] for j < n, four at a time; w: (n, K). Up to three values behind the last are overwritten. Two
 * roundings, since a load can be a part of a multiplication, but not of a fused one, and every product has one of its
 * own.
 */
function dots(K: i32, n: i32, x: usize, w: usize, y: usize): void {
  const row = bytes(K)
  for (let j = 0; j < n; j += 4, w += 4 * row, y += 16) {
    // rows that do not exist repeat the first one
    const w1 = j + 1 < n ? w + row : w
    const w2 = j + 2 < n ? w1 + row : w
    const w3 = j + 3 < n ? w2 + row : w
    let s0 = f32x4.splat(0)
    let s1 = s0
    let s2 = s0
    let s3 = s0
    let k: usize = 0
    for (const end = bytes(K & ~3); k < end; k += 16) {
      const a = v128.load(x + k)
      s0 = f32x4.add(f32x4.mul(a, v128.load(w + k)), s0)
      s1 = f32x4.add(f32x4.mul(a, v128.load(w1 + k)), s1)
      s2 = f32x4.add(f32x4.mul(a, v128.load(w2 + k)), s2)
      s3 = f32x4.add(f32x4.mul(a, v128.load(w3 + k)), s3)
    }
    let sums = sumsOf(s0, s1, s2, s3)
    for (; k < row; k += 4) {
      sums = madd(v128.load_splat<f32>(x + k), f32x4(load<f32>(w + k), load<f32>(w1 + k), load<f32>(w2 + k), load<f32>(w3 + k)), sums)
    }
    v128.store(y, sums)
  }
}

/** y[j] ← Σₖ x[k]·w[k][j] for j < 24: weights pass in order, and no sum waits for another one. */
@inline
function columns(K: i32, x: usize, w: usize, y: usize): void {
  let s0 = f32x4.splat(0)
  let s1 = s0
  let s2 = s0
  let s3 = s0
  let s4 = s0
  let s5 = s0
  let a = asSum(x)
  let p = asSum(w)
  for (const end = p + <usize>K * COLUMNS_ROW; p != end; p += COLUMNS_ROW, a += 4) {
    const v = v128.load_splat<f32>(a)
    s0 = madd(v, v128.load(p), s0)
    s1 = madd(v, v128.load(p, 16), s1)
    s2 = madd(v, v128.load(p, 32), s2)
    s3 = madd(v, v128.load(p, 48), s3)
    s4 = madd(v, v128.load(p, 64), s4)
    s5 = madd(v, v128.load(p, 80), s5)
  }
  v128.store(y, s0)
  v128.store(y, s1, 16)
  v128.store(y, s2, 32)
  v128.store(y, s3, 48)
  v128.store(y, s4, 64)
  v128.store(y, s5, 80)
}

/** The sums of the lanes of four vectors. */
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7))
}

// ---- backward
// --------------------------------------------------------------------------------------------------------------------

/** The columns of the weights that belong to some units. */
export function packGradientUnits(r: Recurrence, u: i32): void {
  const H = r.hidden
  const rows = r.gateCount * H
  const count = unitsFrom(r, u)
  const from = r.wh + bytes(u)
  const to = packedOf(r, u)
  if (!inOrder(r, true)) return
  if (r.few) packTransposed(count, rows, from, bytes(H), to, bytes(rows))
  else if (r.blas) for (let k = 0; k < rows; k++) copyValues(to + bytes(k * count), from + bytes(k * H), count)
  else packRows(rows, count, from, bytes(H), to)
}

/** Where the gradients of the states of the streams from n on are put together. */
@inline
export function gradientsAt(r: Recurrence, n: i32, workspace: usize): usize {
  return r.table ? r.products + bytes(n * r.hidden) : workspace + TILE
}

/**
 * The gradient of h[t]: dh[t] and what the step after it sends back, cont[t + 1]·(dgates[t + 1]·Wh), or nothing where
 * that cont is 0. For the units from u on of the streams n0 … n1 − 1, at `at`; the answer is how many bytes apart
 * streams lie there.
 */
export function hiddenGradients(r: Recurrence, t: i32, u: i32, n0: i32, n1: i32, at: usize): usize {
  const H = r.hidden
  const K = r.gateCount * H
  const count = unitsFrom(r, u)
  const last = t + 1 == r.steps
  const width = r.blas && !r.few ? count : r.units
  const from = r.dgates + bytes(((t + 1) * r.batch + n0) * K)
  const packed = packedOf(r, u)
  const row = bytes(width)
  if (last) fillValues(at, (n1 - n0) * width, 0)
  else if (r.table) execute(r.table, (t + 1) * r.groups + n0 / r.streams)
  else if (r.few) for (let n = 0; n < n1 - n0; n++) dots(K, count, from + bytes(n * K), packed, at + <usize>n * row)
  else if (r.blas) sgemm(false, false, n1 - n0, count, K, 1, from, K, packed, count, 0, at, count)
  else products(r, t + 1, K, n0, n1, count, packed, at, row, 0, at - TILE)
  for (let n = n0; n < n1; n++) {
    const cont: f32 = last ? 0 : load<f32>(r.cont + bytes((t + 1) * r.batch + n))
    sentBack(count, cont, r.dh + bytes((t * r.batch + n) * H + u), at + <usize>(n - n0) * row)
  }
  return row
}

/** y ← x + cont·y, or x even if y is not finite. */
function sentBack(n: i32, cont: f32, x: usize, y: usize): void {
  if (cont == 0) {
    copyValues(y, x, n)
    return
  }
  const factor = f32x4.splat(cont)
  let i: usize = 0
  for (; i + 16 <= bytes(n); i += 16) v128.store(y + i, f32x4.add(v128.load(x + i), f32x4.mul(factor, v128.load(y + i))))
  for (; i < bytes(n); i += 4) store<f32>(y + i, load<f32>(x + i) + cont * load<f32>(y + i))
}

/** For the step before t: what it sends back, once dgates[t] are there for the units from u on of the streams n0 … n1 − 1. */
export function sendBack(r: Recurrence, t: i32, u: i32, n0: i32, n1: i32): void {
  if (!byTiles(r) || t == 0) return
  const K = r.gateCount * r.hidden
  for (let g = 0; g < r.gateCount; g++) turn(r, t, K, g * r.hidden + u, unitsFrom(r, u), n0, n1, r.dgates)
}
