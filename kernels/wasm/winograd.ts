/**
 * Convolutions with 3×3 or 5×5 kernels, stride 1, as 36 matrix products over tiles (winograd_tiles.ts), where they cost less than the
 * plain product. The input gradient is the same pass over dy with turned weights. A chunk takes a block of tiles, of any images, and a
 * block of output channels through all three steps, so that what lies between them stays in the cache.
 */
import { sgemm } from './blas_import'
import { Convolution, convolutionJob, cut, zero } from './convolution_shape'
import { rectify } from './relu'
import { job, needWorkspace, run, sharedWorkspace } from './threads'
import { MR, NR, panels, ROW, TILE } from './tile'
import { bytes, ceilDiv, copyValues, larger, smaller } from './vector'
import { gather, inputPoints, outputSquare, POINTS, VECTORS, weightPoints } from './winograd_tiles'

/** Tiles of a chunk: enough to use weights from the L2 cache, and from the L3 cache, several times. */
const BLOCK: i32 = 32
const WIDE: i32 = 64
/** Bytes of transformed weights that do not stay in the L2 cache. */
const MANY: usize = 2097152
/** Filters whose 36 points would take too much memory: 86 MB. */
const MOST_FILTERS: f64 = 600000
/** Operations worth a chunk of their own, and how many chunks there should be. */
const CHUNK: f64 = 8e5
const MOST_CHUNKS: f64 = 16

/** One pass over `images`, each with `groups` groups of `inputs` planes (H, W) that become `outputs` planes (OH, OW). */
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
  /** Where the transformed weights are: bytes of a row of inputs, and from one point to the next. */
  points: usize
  row: usize
  step: usize
  /** Bytes from one output's weights to the next one's, and from one input's. */
  wOutput: usize
  wInput: usize
  turned: bool
  block: i32
  blocks: i32
  part: i32
  parts: i32
}

/** The job lies behind that of the convolution it belongs to. */
@inline
export function winogradJob(): Winograd {
  return changetype<Winograd>(job + 256)
}

/** Whether the kernel is one that tiles are made for. */
@inline
function isSquare(s: Convolution): bool {
  const plain = s.SH == 1 && s.SW == 1 && s.DH == 1 && s.DW == 1
  const whole = s.OH == s.H + 2 * s.PH - s.KH + 1 && s.OW == s.W + 2 * s.PW - s.KW + 1
  return plain && whole && s.KH == s.KW && (s.KH == 3 || s.KH == 5) && s.PH == s.PW && s.PH < s.KH
}

/**
 * Whether the pass that makes (OH, OW) outputs costs less this way. In cycles of a core: a multiply-add costs 1/8, with the system's
 * sgemm 1/24, where the plain pass also copies every patch; a tile has 36 of them for every pair of channels, about 40 cycles for
 * every channel, and its share of 36 calls of sgemm; a filter takes 60 cycles, since it becomes 36 values that pass through memory.
 */
export function pays(s: Convolution, OH: i32, OW: i32, blas: bool): bool {
  if (!isSquare(s)) return false
  // Exactness first: by 5×5 tiles LeNet left Caffe's recorded training run within 50 iterations (parameters off by 12 times the
  // tolerance, 0.003 times without them). The limit of 32 channels is a judgement: it keeps LeNet out and larger nets in.
  if (s.KH == 5 && (s.groupC < 32 || s.groupM < 32)) return false
  const side = s.KH == 3 ? 4 : 2
  const pairs = <f64>s.groupC * <f64>s.groupM
  if (pairs * <f64>s.G > MOST_FILTERS) return false
  const tiles = <f64>(ceilDiv(s.N * ceilDiv(OH, side) * ceilDiv(OW, side), NR) * NR)
  const each: f64 = blas ? 1 / 24.0 : 1 / 8.0
  const sums = <f64>s.taps * <f64>s.N * <f64>s.positions
  const plain = sums * (each * pairs + (blas ? 0.4 * <f64>s.groupC : 0))
  const tile = 36 * each * pairs + 40 * <f64>(s.groupC + s.groupM) + (blas ? 850 : 0)
  return tiles * tile + 60 * pairs < 0.8 * plain
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
  f.rows = ceilDiv(f.OH, f.side)
  f.columns = ceilDiv(f.OW, f.side)
  f.tiles = f.rows * f.columns
  f.total = f.images * f.tiles
}

/** y ← w ∗ x + bias. */
export function winograd(s: Convolution, x: usize, w: usize, bias: usize, y: usize, blas: bool): void {
  pass(describe(s, blas), x, w, bias, y)
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
  pass(f, dy, w, 0, dx)
}

function pass(f: Winograd, x: usize, w: usize, bias: usize, y: usize): void {
  f.x = x
  f.w = w
  f.bias = bias
  f.y = y
  f.row = bytes((f.inputs + 3) & ~3)
  f.step = <usize>(f.groups * f.outputs) * f.row + 64
  f.points = sharedWorkspace(f.step * POINTS)
  f.part = larger(1, 1024 / f.inputs)
  f.parts = ceilDiv(f.outputs, f.part)
  needWorkspace(2 * VECTORS)
  run(weightsChunk, f.groups * f.parts)

  f.block = smaller(f.blas || f.step * POINTS > MANY ? WIDE : BLOCK, ceilDiv(f.total, NR) * NR)
  f.blocks = ceilDiv(f.total, f.block)
  const operations = 72 * <f64>f.total * <f64>f.groups * <f64>f.inputs * <f64>f.outputs
  const wanted = <i32>Math.min(MOST_CHUNKS, 1 + operations / CHUNK)
  f.part = cut(f.outputs, ceilDiv(wanted, f.blocks * f.groups), MR, 32)
  f.parts = ceilDiv(f.outputs, f.part)
  needWorkspace(TILE + 2 * VECTORS + bytes(2 * f.block) + POINTS * (inputStep(f) + outputStep(f)) + imagesOf(f) * planeBytes(f) + 64)
  run(tilesChunk, f.groups * f.blocks * f.parts)
}

/** Bytes of one point's inputs and outputs of a chunk; the odd cache line keeps the 36 points off each other's sets. */
@inline
function inputStep(f: Winograd): usize {
  return bytes(f.inputs * f.block) + 64
}
@inline
function outputStep(f: Winograd): usize {
  return bytes(((f.part + 3) & ~3) * f.block) + 64
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

/** Transforms the filters of a block of outputs, four inputs at a time. */
function weightsChunk(chunk: i32, workspace: usize): void {
  const f = winogradJob()
  const g = chunk / f.parts
  const o0 = (chunk % f.parts) * f.part
  const o1 = smaller(f.outputs, o0 + f.part)
  const taps = f.taps * f.taps
  const square = workspace + VECTORS
  for (let o = o0; o < o1; o++) {
    const w = f.w + <usize>g * <usize>(f.outputs * f.inputs) * bytes(taps) + <usize>o * f.wOutput
    const to = f.points + <usize>(g * f.outputs + o) * f.row
    for (let i = 0; i < f.inputs; i += 4) {
      // inputs past the end repeat the last one; they are not read
      const p0 = w + <usize>i * f.wInput
      const p1 = w + <usize>smaller(i + 1, f.inputs - 1) * f.wInput
      const p2 = w + <usize>smaller(i + 2, f.inputs - 1) * f.wInput
      const p3 = w + <usize>smaller(i + 3, f.inputs - 1) * f.wInput
      gather(taps, p0, p1, p2, p3, square)
      if (f.turned) turn(taps, square)
      weightPoints(f.taps, square, to + bytes(i), f.step, workspace)
    }
  }
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

/** Copies rows first ≤ r < last of a plane (H, W) into a padded one, which has `pad` zeros before them and zeros behind. */
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

function tilesChunk(chunk: i32, workspace: usize): void {
  const f = winogradJob()
  const o0 = (chunk % f.parts) * f.part
  const rest = chunk / f.parts
  const q0 = (rest % f.blocks) * f.block
  const g = rest / f.blocks
  const count = smaller(f.block, f.total - q0)
  const whole = ceilDiv(count, NR) * NR
  const outputs = smaller(f.part, f.outputs - o0)
  const temp = workspace + TILE
  const from = temp + 2 * VECTORS
  const input = from + bytes(2 * f.block)
  const iStep = inputStep(f)
  const sums = input + POINTS * iStep
  const oStep = outputStep(f)
  const planes = sums + POINTS * oStep
  transformInput(f, g, q0, count, whole, from, input, iStep, planes, temp)

  const oRow = bytes(f.block)
  let a = f.points + <usize>(g * f.outputs + o0) * f.row
  for (let t = 0; t < POINTS; t++, a += f.step) {
    const b = input + <usize>t * iStep
    const c = sums + <usize>t * oStep
    if (f.blas) sgemm(false, false, outputs, whole, f.inputs, 1, a, <i32>(f.row >> 2), b, f.block, 0, c, f.block)
    else panels(outputs, whole, f.inputs, a, f.row, 4, b, c, oRow, 1, 0, 0, workspace)
  }

  const square = temp + VECTORS
  const plane = bytes(f.OH * f.OW)
  const first = f.y + <usize>(g * f.outputs + o0) * plane
  const biases = f.bias + bytes(g * f.outputs + o0)
  // an input gradient has none: its slope is 1
  const slope = convolutionJob().slope
  for (let i = 0; i < count; i += 4) {
    // where the four tiles start in the first output's plane, and whether all of them lie inside
    const lanes = smaller(4, count - i)
    let inside = lanes == 4
    for (let l = 0; l < 4; l++) {
      const q = q0 + smaller(i + l, count - 1)
      const n = q / f.tiles
      const row = (q - n * f.tiles) / f.columns
      const column = q - n * f.tiles - row * f.columns
      inside = inside && (row + 1) * f.side <= f.OH && (column + 1) * f.side <= f.OW
      store<usize>(from + bytes(l), first + <usize>(n * f.groups * f.outputs) * plane + bytes((row * f.OW + column) * f.side))
    }
    let y0 = load<usize>(from)
    let y1 = load<usize>(from, 4)
    let y2 = load<usize>(from, 8)
    let y3 = load<usize>(from, 12)
    for (let o = 0; o < outputs; o++) {
      outputSquare(f.side, sums + <usize>o * oRow + bytes(i), oStep, square, temp)
      finish(f.side * f.side, square, f.bias ? load<f32>(biases + bytes(o)) : 0, slope)
      if (!inside) putEdge(f, q0 + i, lanes, square, first + <usize>o * plane)
      else if (f.side == 4) putFours(square, bytes(f.OW), y0, y1, y2, y3)
      else putTwos(square, bytes(f.OW), y0, y1, y2, y3)
      y0 += plane
      y1 += plane
      y2 += plane
      y3 += plane
    }
  }
}

/** The 36 points of a block of tiles for all inputs of a group, as panels of 8 tiles or, for the system's sgemm, row by row. */
function transformInput(
  f: Winograd,
  g: i32,
  q0: i32,
  count: i32,
  whole: i32,
  table: usize,
  to: usize,
  step: usize,
  planes: usize,
  temp: usize,
): void {
  const row = paddedRow(f)
  const plane = planeBytes(f)
  const n0 = q0 / f.tiles
  const n1 = (q0 + count - 1) / f.tiles
  const r0 = ((q0 - n0 * f.tiles) / f.columns) * f.side
  const r1 = ((q0 + count - 1 - n1 * f.tiles) / f.columns) * f.side + 6
  // tiles past the end repeat the last one
  for (let i = 0; i < whole; i++) {
    const q = smaller(q0 + i, q0 + count - 1)
    const n = q / f.tiles
    const r = (q - n * f.tiles) / f.columns
    const c = q - n * f.tiles - r * f.columns
    store<u32>(table + bytes(i), <usize>(n - n0) * plane + <usize>(r * f.side) * row + bytes(c * f.side))
  }
  const cStep = f.blas ? bytes(f.block) : ROW
  const pStep = f.blas ? ROW : <usize>f.inputs * ROW
  for (let c = 0; c < f.inputs; c++, to += cStep) {
    for (let n = n0; n <= n1; n++) {
      const x = f.x + <usize>((n * f.groups + g) * f.inputs + c) * bytes(f.H * f.W)
      const last = n == n1 ? r1 : f.rows * f.side + f.taps - 1
      place(x, f.H, f.W, f.pad, planes + <usize>(n - n0) * plane, row, n == n0 ? r0 : 0, last)
    }
    for (let i = 0; i < whole; i += 4) {
      const t = table + bytes(i)
      const p0 = planes + load<u32>(t)
      const p1 = planes + load<u32>(t, 4)
      const p2 = planes + load<u32>(t, 8)
      const p3 = planes + load<u32>(t, 12)
      inputPoints(p0, p1, p2, p3, row, to + <usize>(i >> 3) * pStep + bytes(i & 4), step, temp)
    }
  }
}

/** Adds the bias to n vectors, and applies the ReLU, if one follows. */
function finish(n: i32, square: usize, bias: f32, slope: f32): void {
  const b = f32x4.splat(bias)
  const end = square + (<usize>n << 4)
  if (slope == 1) {
    for (; square < end; square += 16) v128.store(square, f32x4.add(v128.load(square), b))
    return
  }
  const s = f32x4.splat(slope)
  for (; square < end; square += 16) {
    const v = f32x4.add(v128.load(square), b)
    v128.store(square, rectify(v, v, s))
  }
}

/** Four squares of 4 × 4, one in each lane, to their places. */
function putFours(square: usize, row: usize, y0: usize, y1: usize, y2: usize, y3: usize): void {
  for (const end = square + 256; square < end; square += 64, y0 += row, y1 += row, y2 += row, y3 += row) {
    const a = v128.load(square)
    const b = v128.load(square, 16)
    const c = v128.load(square, 32)
    const d = v128.load(square, 48)
    const t0 = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const t1 = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    const t2 = v128.shuffle<f32>(c, d, 0, 4, 1, 5)
    const t3 = v128.shuffle<f32>(c, d, 2, 6, 3, 7)
    v128.store(y0, v128.shuffle<f32>(t0, t2, 0, 1, 4, 5))
    v128.store(y1, v128.shuffle<f32>(t0, t2, 2, 3, 6, 7))
    v128.store(y2, v128.shuffle<f32>(t1, t3, 0, 1, 4, 5))
    v128.store(y3, v128.shuffle<f32>(t1, t3, 2, 3, 6, 7))
  }
}

/** Four squares of 2 × 2. */
function putTwos(square: usize, row: usize, y0: usize, y1: usize, y2: usize, y3: usize): void {
  for (const end = square + 64; square < end; square += 32, y0 += row, y1 += row, y2 += row, y3 += row) {
    const a = v128.load(square)
    const b = v128.load(square, 16)
    const low = v128.shuffle<f32>(a, b, 0, 4, 1, 5)
    const high = v128.shuffle<f32>(a, b, 2, 6, 3, 7)
    v128.store64_lane(y0, low, 0)
    v128.store64_lane(y1, low, 1)
    v128.store64_lane(y2, high, 0)
    v128.store64_lane(y3, high, 1)
  }
}

/** Tiles q … q + lanes − 1, as far as they lie inside; y is a plane of the first image. */
function putEdge(f: Winograd, q: i32, lanes: i32, square: usize, y: usize): void {
  for (let l = 0; l < lanes; l++, q++) {
    const n = q / f.tiles
    const row = (q - n * f.tiles) / f.columns
    const h = row * f.side
    const w = (q - n * f.tiles - row * f.columns) * f.side
    const height = smaller(f.side, f.OH - h)
    const width = smaller(f.side, f.OW - w)
    let to = y + <usize>(n * f.groups * f.outputs) * bytes(f.OH * f.OW) + bytes(h * f.OW + w)
    let from = square + bytes(l)
    for (let r = 0; r < height; r++, to += bytes(f.OW), from += <usize>f.side << 4) {
      for (let c = 0; c < width; c++) store<f32>(to + bytes(c), load<f32>(from + (<usize>c << 4)))
    }
  }
}
