/**
 * Convolutions with 3×3 or 5×5 kernels, stride 1, as 36 matrix products over tiles (winograd_tiles.ts), where they cost
 * less than the plain product. The input gradient is the same pass over dy with turned weights. A chunk takes a block
 * of tiles, of any images, and a block of output channels through all three steps, so that what lies between them stays
 * in the cache; where several chunks would transform the same block of tiles, that is a job before. Products have tiles
 * as rows and outputs as columns: weights are read once, in the order in which they lie, 8 outputs (or, for the
 * system's sgemm, all of a group) for each input.
 */
import { slopes } from './after'
import { sgemm } from './blas_import'
import { Convolution, convolutionJob, cut, zero } from './convolution_shape'
import { NR, ROW, rowsTile } from './micro_tile'
import { job, needWorkspace, run, sharedWorkspace } from './threads'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'
import { preparedPays, wholeTiles } from './winograd_cost'
import { finish, loadLanes, putFours, putLanes, putTwos } from './winograd_outputs'
import { gather, inputPoints, outputSquare, POINTS, VECTORS, weightPoints } from './winograd_tiles'

/**
 * Tiles of a chunk: enough to use weights from the L3 cache several times, and so few that they stay in the L2 cache.
 */
const LEAST_BLOCK: i32 = 16
const MOST_BLOCK: i32 = 64
const BLOCK_VALUES: i32 = 294912
/** Most outputs of a panel of weights, in columns of 8: a point of the tiles is in the L1 cache for all of them. */
const PANEL: i32 = 32
/**
 * Bytes of transformed tiles that a job of their own may make, inputs of tiles that must else be made again, and its
 * chunks.
 */
const SPLIT: usize = 4194304
const AGAIN: i32 = 1500
const SPLIT_CHUNKS: i32 = 8
/** Operations worth a chunk of their own, and how many chunks there should be. */
const CHUNK_WORK: f64 = 8e5
const MOST_CHUNKS: f64 = 16

/**
 * One pass over `images`, each with `groups` groups of `inputs` planes (H, W) that become `outputs` planes (OH, OW).
 */
@unmanaged
export class Winograd {
  images: i32
  groups: i32
  inputs: i32
  outputs: i32
  H: i32
  W: i32
  OH: i32
  OW: i32
  pad: i32
  /** Taps and outputs along one side of a tile: 3 and 4, or 5 and 2. */
  taps: i32
  side: i32
  /** Tiles of an image: rows, columns, all; and of all images. */
  rows: i32
  columns: i32
  tiles: i32
  total: i32
  /** Whether the system's sgemm multiplies. */
  blas: bool
  x: usize
  w: usize
  bias: usize
  y: usize
  /**
   * Where the transformed weights are, and bytes from one panel of outputs to the next. The weight gradient has rows of
   * inputs.
   */
  points: usize
  row: usize
  step: usize
  /** Outputs of a panel, bytes of one point of it, and how many a group has. */
  panel: i32
  panelBytes: usize
  panels: i32
  /** Bytes from one output's weights to the next one's, and from one input's. */
  wOutput: usize
  wInput: usize
  turned: bool
  /**
   * Blocks of tiles and parts of the outputs, and whether transformed tiles are shared by all parts: where, and parts
   * of the inputs.
   */
  block: i32
  blocks: i32
  part: i32
  parts: i32
  split: bool
  shared: usize
  inputPart: i32
  inputParts: i32
}

/** The job lies behind that of the convolution it belongs to. */
@inline
export function winogradJob(): Winograd {
  return changetype<Winograd>(job + 256)
}

/** What both passes and the weight gradient need to know. */
export function describe(s: Convolution, blas: bool): Winograd {
  const f = winogradJob()
  f.images = s.N
  f.groups = s.G
  f.inputs = s.groupC
  f.outputs = s.groupM
  f.H = s.H
  f.W = s.W
  f.OH = s.OH
  f.OW = s.OW
  f.pad = s.PH
  f.taps = s.KH
  f.side = s.KH == 3 ? 4 : 2
  f.blas = blas
  f.wOutput = bytes(s.groupC * s.taps)
  f.wInput = bytes(s.taps)
  f.turned = false
  countTiles(f)
  return f
}

function countTiles(f: Winograd): void {
  f.panels = f.blas ? 1 : ceilDiv(f.outputs, PANEL)
  f.panel = ceilDiv(ceilDiv(f.outputs, f.panels), NR) * NR
  // the odd cache line keeps the 36 points off each other's sets
  f.panelBytes = bytes(f.inputs * f.panel) + 64
  f.step = f.panelBytes * POINTS
  f.rows = ceilDiv(f.OH, f.side)
  f.columns = ceilDiv(f.OW, f.side)
  f.tiles = f.rows * f.columns
  f.total = f.images * f.tiles
}

/** y ← w ∗ x + bias. */
export function winograd(s: Convolution, x: usize, w: usize, bias: usize, y: usize, blas: bool): void {
  const f = describe(s, blas)
  cutTiles(f)
  const points = sharedWorkspace(pointsBytes(f) + sharedBytes(f))
  transformWeights(f, w, points)
  pass(f, x, points, points + pointsBytes(f), bias, y)
}

/** Values of the transformed weights of the next convolution; 0 if they do not pay. */
export function preparedLength(blas: bool): i32 {
  const s = convolutionJob()
  return preparedPays(s, blas) ? <i32>(pointsBytes(describe(s, blas)) >> 2) : 0
}

/** The 36 points of 3×3 filters, each a matrix (inputs, outputs) and 64 bytes: for products that oneDNN does. */
export function tilePoints(inputs: i32, outputs: i32, w: usize, to: usize): void {
  const f = winogradJob()
  f.groups = 1
  f.inputs = inputs
  f.outputs = outputs
  f.OH = f.OW = 1
  f.taps = 3
  f.side = 4
  f.blas = true
  f.wOutput = bytes(inputs * 9)
  f.wInput = bytes(9)
  f.turned = false
  countTiles(f)
  transformWeights(f, w, to)
}

/** Transforms weights for passes to come. */
export function prepareWeights(w: usize, prepared: usize, blas: bool): void {
  transformWeights(describe(convolutionJob(), blas), w, prepared)
}

/** y ← w ∗ x + bias with such weights. */
export function preparedConvolution(x: usize, prepared: usize, bias: usize, y: usize, blas: bool): void {
  const f = describe(convolutionJob(), blas)
  cutTiles(f)
  pass(f, x, prepared, sharedWorkspace(sharedBytes(f)), bias, y)
}

/** dx ← ∂E/∂x. */
export function winogradInputGradient(s: Convolution, dy: usize, w: usize, dx: usize, blas: bool): void {
  const f = describe(s, blas)
  f.inputs = s.groupM
  f.outputs = s.groupC
  f.H = s.OH
  f.W = s.OW
  f.OH = s.H
  f.OW = s.W
  f.pad = s.KH - 1 - s.PH
  const wInput = f.wOutput
  f.wOutput = f.wInput
  f.wInput = wInput
  f.turned = true
  countTiles(f)
  cutTiles(f)
  const points = sharedWorkspace(pointsBytes(f) + sharedBytes(f))
  transformWeights(f, w, points)
  pass(f, dy, points, points + pointsBytes(f), 0, dx)
}

/** Bytes of the transformed weights. */
@inline
function pointsBytes(f: Winograd): usize {
  return <usize>(f.groups * f.panels) * f.step
}

/** Bytes of transformed tiles that all parts of the outputs read. */
@inline
function sharedBytes(f: Winograd): usize {
  return f.split ? <usize>(f.groups * f.blocks) * POINTS * inputStep(f) : 0
}

function transformWeights(f: Winograd, w: usize, to: usize): void {
  f.w = w
  f.points = to
  // a chunk writes whole cache lines: what two threads write at the same time must not share any
  const unit = f.blas ? 16 : NR
  f.inputPart = larger(unit, (1024 / f.inputs) & ~(unit - 1))
  f.inputParts = ceilDiv(f.panels * f.panel, f.inputPart)
  needWorkspace(2 * VECTORS)
  run(weightsChunk, f.groups * f.inputParts)
}

/** How a pass is cut: a part of the outputs is whole panels. */
function cutTiles(f: Winograd): void {
  const operations = 72 * <f64>f.total * <f64>f.groups * <f64>f.inputs * <f64>f.outputs
  const wanted = <i32>Math.min(MOST_CHUNKS, 1 + operations / CHUNK_WORK)
  const most = f.blas ? MOST_BLOCK : smaller(MOST_BLOCK, larger(LEAST_BLOCK, BLOCK_VALUES / POINTS / f.inputs))
  // where parts of the outputs are too few for all threads; the system's sgemm wants many tiles
  const more = f.blas ? 1 : smaller(ceilDiv(f.total, LEAST_BLOCK), ceilDiv(wanted, f.groups * ceilDiv(f.outputs, PANEL)))
  const blocks = larger(ceilDiv(f.total, most), more)
  f.block = wholeTiles(ceilDiv(f.total, blocks))
  f.blocks = ceilDiv(f.total, f.block)
  f.part = cut(f.outputs, ceilDiv(wanted, f.blocks * f.groups), f.blas ? NR : f.panel, 32)
  f.parts = ceilDiv(f.outputs, f.part)
  const again = (f.parts - 1) * f.groups * f.inputs * f.total
  f.split = again > AGAIN && <usize>(f.groups * f.blocks) * POINTS * inputStep(f) <= SPLIT
}

function pass(f: Winograd, x: usize, points: usize, shared: usize, bias: usize, y: usize): void {
  f.x = x
  f.points = points
  f.shared = shared
  f.bias = bias
  f.y = y
  const images = imagesOf(f) * planeBytes(f)
  const own: usize = 2 * VECTORS + bytes(3 * f.block) + 64
  if (f.split) {
    f.inputPart = larger(4, ceilDiv(f.inputs, ceilDiv(SPLIT_CHUNKS, f.groups * f.blocks)))
    f.inputParts = ceilDiv(f.inputs, f.inputPart)
    needWorkspace(own + images)
    run(inputsChunk, f.groups * f.blocks * f.inputParts)
    needWorkspace(own + POINTS * outputStep(f))
  } else needWorkspace(own + POINTS * (inputStep(f) + outputStep(f)) + images)
  run(tilesChunk, f.groups * f.blocks * f.parts)
}

/** Bytes of one point's inputs and outputs of a chunk, an odd cache line among them. */
@inline
function inputStep(f: Winograd): usize {
  return bytes(f.inputs * f.block) + 64
}
@inline
function outputStep(f: Winograd): usize {
  return bytes(widthOf(f) * f.block) + 64
}
/** Outputs of a chunk whose sums are made together. */
@inline
function widthOf(f: Winograd): i32 {
  return f.blas ? f.part : f.panel
}

/** Rows of a padded plane that holds whole tiles, their bytes, and the most images that a block of tiles touches. */
@inline
export function paddedRow(f: Winograd): usize {
  return bytes(f.columns * f.side + f.taps - 1)
}
@inline
export function planeBytes(f: Winograd): usize {
  return paddedRow(f) * <usize>(f.rows * f.side + f.taps - 1) + 64
}
@inline
function imagesOf(f: Winograd): usize {
  return <usize>((f.block + f.tiles - 2) / f.tiles + 1)
}

/** Transforms the filters of a block of outputs, four at a time. */
function weightsChunk(chunk: i32, workspace: usize): void {
  const f = winogradJob()
  const g = chunk / f.inputParts
  const o0 = (chunk % f.inputParts) * f.inputPart
  const o1 = smaller(f.panels * f.panel, o0 + f.inputPart)
  const taps = f.taps * f.taps
  const square = workspace + VECTORS
  const group = f.w + <usize>g * <usize>(f.outputs * f.inputs) * bytes(taps)
  const last = f.outputs - 1
  for (let o = o0; o < o1; o += 4) {
    // outputs past the end repeat the last one; nobody reads what they become
    let w0 = group + <usize>smaller(o, last) * f.wOutput
    let w1 = group + <usize>smaller(o + 1, last) * f.wOutput
    let w2 = group + <usize>smaller(o + 2, last) * f.wOutput
    let w3 = group + <usize>smaller(o + 3, last) * f.wOutput
    let to = f.points + <usize>(g * f.panels) * f.step + placeOf(f, o)
    const next = f.blas ? bytes(f.panel) : ROW
    for (let i = 0; i < f.inputs; i++, to += next) {
      gather(taps, w0, w1, w2, w3, square)
      if (f.turned) turn(taps, square)
      weightPoints(f.taps, square, to, f.panelBytes, workspace)
      w0 += f.wInput
      w1 += f.wInput
      w2 += f.wInput
      w3 += f.wInput
    }
  }
}

/** Bytes from the weights of a group to those of output o, a multiple of 4. */
@inline
function placeOf(f: Winograd, o: i32): usize {
  const p = o / f.panel
  const rest = o - p * f.panel
  return <usize>p * f.step + (f.blas ? bytes(rest) : bytes((rest & ~7) * f.inputs + (rest & 7)))
}

/** Reverses the order of n vectors. */
function turn(n: i32, p: usize): void {
  let last = p + (<usize>(n - 1) << 4)
  for (; p < last; p += 16, last -= 16) {
    const v = v128.load(p)
    v128.store(p, v128.load(last))
    v128.store(last, v)
  }
}

/**
 * Copies rows first ≤ r < last of a plane (H, W) into a padded one, which has `pad` zeros before them and zeros behind.
 */
export function place(from: usize, H: i32, W: i32, pad: i32, to: usize, row: usize, first: i32, last: i32): void {
  const behind = <i32>(row >> 2) - pad - W
  for (let r = first; r < last; r++) {
    const d = to + <usize>r * row
    const h = r - pad
    if (<u32>h >= <u32>H) {
      zero(d, <i32>(row >> 2))
    } else {
      zero(d, pad)
      copyValues(d + bytes(pad), from + bytes(h * W), W)
      zero(d + bytes(pad + W), behind)
    }
  }
}

/** Transforms a block of tiles for a part of the inputs. */
function inputsChunk(chunk: i32, workspace: usize): void {
  const f = winogradJob()
  const c0 = (chunk % f.inputParts) * f.inputPart
  const at = chunk / f.inputParts
  const to = f.shared + <usize>at * POINTS * inputStep(f)
  transformInput(f, at / f.blocks, (at % f.blocks) * f.block, c0, smaller(f.inputs, c0 + f.inputPart), to, workspace)
}

function tilesChunk(chunk: i32, workspace: usize): void {
  const f = winogradJob()
  const o0 = (chunk % f.parts) * f.part
  const at = chunk / f.parts
  const q0 = (at % f.blocks) * f.block
  const g = at / f.blocks
  const o1 = smaller(f.outputs, o0 + f.part)
  const tiles = wholeTiles(smaller(f.block, f.total - q0))
  const sums = workspace + 2 * VECTORS + bytes(3 * f.block)
  let input = f.shared + <usize>at * POINTS * inputStep(f)
  if (!f.split) {
    input = sums + POINTS * outputStep(f)
    transformInput(f, g, q0, 0, f.inputs, input, workspace)
  }
  const table = workspace + 2 * VECTORS
  describeTiles(f, q0, table)
  for (let o = o0; o < o1; o += widthOf(f)) {
    const outputs = smaller(widthOf(f), o1 - o)
    multiply(f, g, o, outputs, tiles, input, sums)
    transformOutput(f, g, o, outputs, q0, sums, workspace)
  }
}

/**
 * Sums over the inputs, point by point and tile by tile, of a panel of outputs or, by the system's sgemm, of all
 * outputs of the chunk.
 */
function multiply(f: Winograd, g: i32, o: i32, outputs: i32, tiles: i32, a: usize, c: usize): void {
  const K = f.inputs
  let w = f.points + <usize>(g * f.panels) * f.step + placeOf(f, o)
  const aStep = inputStep(f)
  const cStep = outputStep(f)
  for (let t = 0; t < POINTS; t++, a += aStep, w += f.panelBytes, c += cStep) {
    if (f.blas) {
      sgemm(true, false, tiles, outputs, K, 1, a, f.block, w, f.panel, 0, c, f.part)
      continue
    }
    for (let j = 0; j < outputs; j += NR) {
      for (let i = 0; i < tiles; i += 4) rowsTile(K, a + bytes(i * K), w + bytes(j * K), c + bytes(j * f.block + i * NR))
    }
  }
}

/**
 * The points of a block of tiles for inputs c0 ≤ c < c1 of a group: four tiles, then inputs or, for the system's sgemm,
 * all tiles.
 */
function transformInput(f: Winograd, g: i32, q0: i32, c0: i32, c1: i32, to: usize, workspace: usize): void {
  const table = workspace + 2 * VECTORS
  const planes = table + bytes(3 * f.block) + (f.split ? 0 : POINTS * (inputStep(f) + outputStep(f)))
  const row = paddedRow(f)
  const plane = planeBytes(f)
  const end = smaller(q0 + f.block, f.total) - 1
  const tiles = wholeTiles(end + 1 - q0)
  const n0 = q0 / f.tiles
  const n1 = end / f.tiles
  const r0 = ((q0 - n0 * f.tiles) / f.columns) * f.side
  const r1 = ((end - n1 * f.tiles) / f.columns) * f.side + 6
  // tiles past the end repeat the last one
  for (let i = 0; i < tiles; i++) {
    const q = smaller(q0 + i, end)
    const n = q / f.tiles
    const r = (q - n * f.tiles) / f.columns
    const c = q - n * f.tiles - r * f.columns
    store<u32>(table + bytes(i), <usize>(n - n0) * plane + <usize>(r * f.side) * row + bytes(c * f.side))
  }
  const cStep = f.blas ? bytes(f.block) : 16
  const iStep = f.blas ? 4 : bytes(f.inputs)
  to += <usize>c0 * cStep
  for (let c = c0; c < c1; c++, to += cStep) {
    for (let n = n0; n <= n1; n++) {
      const x = f.x + <usize>((n * f.groups + g) * f.inputs + c) * bytes(f.H * f.W)
      const last = n == n1 ? r1 : f.rows * f.side + f.taps - 1
      place(x, f.H, f.W, f.pad, planes + <usize>(n - n0) * plane, row, n == n0 ? r0 : 0, last)
    }
    for (let i = 0; i < tiles; i += 4) {
      const t = table + bytes(i)
      const p0 = planes + load<u32>(t)
      const p1 = planes + load<u32>(t, 4)
      const p2 = planes + load<u32>(t, 8)
      const p3 = planes + load<u32>(t, 12)
      inputPoints(p0, p1, p2, p3, row, to + <usize>i * iStep, inputStep(f), workspace)
    }
  }
}

/** Where each tile of a block starts in the first output's plane, and how much of it lies inside. */
function describeTiles(f: Winograd, q0: i32, table: usize): void {
  const plane = bytes(f.OH * f.OW)
  for (let q = q0, last = smaller(f.total, q0 + f.block); q < last; q++, table += 12) {
    const n = q / f.tiles
    const r = (q - n * f.tiles) / f.columns
    const h = r * f.side
    const w = (q - n * f.tiles - r * f.columns) * f.side
    store<usize>(table, <usize>(n * f.groups * f.outputs) * plane + bytes(h * f.OW + w))
    store<i32>(table, smaller(f.side, f.OH - h), 4)
    store<i32>(table, smaller(f.side, f.OW - w), 8)
  }
}

/** Outputs o0 ≤ o < o0 + outputs of a block of tiles from their sums, four at a time. */
function transformOutput(f: Winograd, g: i32, o0: i32, outputs: i32, q0: i32, sums: usize, workspace: usize): void {
  const square = workspace + VECTORS
  const table = workspace + 2 * VECTORS
  const plane = bytes(f.OH * f.OW)
  const row = bytes(f.OW)
  const count = smaller(f.block, f.total - q0)
  const first = f.y + <usize>(g * f.outputs + o0) * plane
  const iStep = f.blas ? bytes(f.part) : ROW
  const step = outputStep(f)
  const slope = slopes()
  for (let o = 0; o < outputs; o += 4) {
    const lanes = smaller(4, outputs - o)
    const bias = f.bias ? loadLanes(f.bias + bytes(g * f.outputs + o0 + o), lanes) : f32x4.splat(0)
    let from = sums + (f.blas ? bytes(o) : bytes((o & ~7) * f.block + (o & 7)))
    const y = first + <usize>o * plane
    for (let i = 0; i < count; i++, from += iStep) {
      outputSquare(f.side, from, step, square, workspace)
      finish(f.side * f.side, square, bias, slope)
      const entry = table + bytes(3 * i)
      const to = y + load<usize>(entry)
      const height = load<i32>(entry, 4)
      const width = load<i32>(entry, 8)
      if (lanes < 4) putLanes(f.side, square, lanes, height, width, to, row, plane)
      else if (f.side == 4) putFours(square, height, width, to, row, plane)
      else putTwos(square, height, width, to, row, plane)
    }
  }
}
