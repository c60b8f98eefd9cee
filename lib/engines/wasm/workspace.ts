/**
 * How much workspace a convolution's passes take beside their blobs: padded images, packed panels, Winograd's tiles,
 * written-out patches. The formulas are those of kernels/wasm, where they are explained; test/engines/workspace.test.ts
 * holds the two against each other.
 */
import type { ConvolutionPass, ConvolutionShape, Workspace } from '../../engine.js'

const [MR, NR, TILE, LINE] = [4, 8, 128, 64]
const POINTS = 36
const VECTORS = 576
const PIECE = 1 << 17
const MOST_CHUNKS = 16

const up = (n: number, unit: number): number => Math.ceil(n / unit) * unit
/** Integers divide as in WebAssembly. */
const quotient = (a: number, b: number): number => Math.trunc(a / b)
/** kernels/wasm/convolution_shape.ts: cut. */
const cut = (n: number, parts: number, unit: number, least: number): number =>
  Math.min(up(Math.max(Math.ceil(n / Math.max(1, parts)), least), unit), up(n, unit))

/** The module's view of a shape: kernels/wasm/convolution_shape.ts. */
function sizesOf(s: ConvolutionShape) {
  const [H0, W0] = s.input.length === 2 ? s.input : [1, s.input[0]]
  const [OH0, OW0] = s.output.length === 2 ? s.output : [1, s.output[0]]
  const two = (sizes: readonly number[], missing: number) => (sizes.length === 2 ? sizes : [missing, sizes[0]])
  const [[KH, KW], [SH, SW], [PH, PW], [DH, DW]] = [
    two(s.kernel, 1),
    two(s.stride, 1),
    two(s.pad, 0),
    two(s.dilation, 1),
  ]
  const pointwise = KH * KW === 1 && SH === 1 && SW === 1 && PH === 0 && PW === 0
  const [H, W, OH, OW] = pointwise ? [1, H0 * W0, 1, H0 * W0] : [H0, W0, OH0, OW0]
  const { batch: N, channels: C, outputs: M, group: G } = s
  const [groupC, groupM, taps, positions] = [quotient(C, G), quotient(M, G), KH * KW, OH * OW]
  const plane = 4 * (H + 2 * PH) * (W + 2 * PW)
  const operations = 2 * N * M * groupC * taps * positions
  const partsOf = Math.trunc(Math.max(1, Math.min(32, operations / 8e5)))
  const padded = PH > 0 || PW > 0
  return {
    N,
    C,
    M,
    G,
    H,
    W,
    OH,
    OW,
    KH,
    KW,
    SH,
    SW,
    PH,
    PW,
    DH,
    DW,
    groupC,
    groupM,
    taps,
    positions,
    plane,
    partsOf,
    padded,
    pointwise,
  }
}
type Sizes = ReturnType<typeof sizesOf>

/**
 * What one pass of a convolution of one or two axes takes; nothing for more axes, whose products are cut to the
 * engine's scratch.
 */
export function convolutionWorkspace(shape: ConvolutionShape, pass: ConvolutionPass, blas: boolean): Workspace {
  if (shape.input.length > 2 || shape.channels === 0) return { own: 0, shared: 0 }
  const s = sizesOf(shape)
  if (s.N * s.M * s.positions === 0) return { own: 0, shared: 0 }
  if (pass === 'prepared')
    return costsLess(s, s.OH, s.OW, blas, blas ? 30 : 20) ? tiledPass(s, pass, blas) : { own: 0, shared: 0 }
  const depthwise = !blas && s.groupC === 1 && s.groupM < 4 && s.taps > 1 && (pass !== 'weightGradient' || s.M >= 16)
  if (depthwise) return { own: s.plane + LINE, shared: 0 }
  const [height, width] = pass === 'inputGradient' ? [s.H, s.W] : [s.OH, s.OW]
  if (pays(s, height, width, blas)) return pass === 'weightGradient' ? tiledWeights(s) : tiledPass(s, pass, blas)
  if (blas) return pass === 'forward' ? blasForward(s) : pass === 'inputGradient' ? blasInput(s) : blasWeights(s)
  return pass === 'forward'
    ? implicit(s, s.groupC, s.groupM)
    : pass === 'inputGradient'
      ? inputGradient(s)
      : weightGradient(s)
}

/**
 * What the sequences of a recurrent layer take, at most: kernels/wasm/recurrence.ts puts the weights in order and
 * counts chunks.
 */
export function recurrentWorkspace(batch: number, hidden: number, gateCount: number): Workspace {
  // units of a chunk: forward, forward with sgemm, on the way back
  const cuts = [64 / gateCount, 128 / gateCount, 32].map(units => {
    const parts = Math.ceil(hidden / units)
    const streams = Math.min(64, up(Math.ceil(batch / Math.ceil(16 / parts)), MR))
    const chunks = parts * Math.ceil(batch / streams)
    return {
      own: 4 * streams * units * gateCount,
      shared: LINE * (2 + chunks) + 4 * parts * units * gateCount * hidden,
    }
  })
  return { own: Math.max(...cuts.map(({ own }) => own)), shared: Math.max(...cuts.map(({ shared }) => shared)) }
}

// ---- the wasm engine's products
// ------------------------------------------------------------------------------------------------

function implicit(s: Sizes, groupC: number, groupM: number): Workspace {
  const K = groupC * s.taps
  const operations = 2 * s.N * groupM * s.G * groupC * s.taps * s.positions
  const each = Math.ceil(Math.trunc(Math.max(1, Math.min(32, operations / 8e5))) / (s.N * s.G))
  const block = Math.min(256, cut(s.positions, each, NR, 32))
  return { own: TILE + 4 * Math.min(K, 512) * block + LINE + (s.padded ? s.plane * groupC + LINE : 0), shared: 4 * K }
}

function inputGradient(s: Sizes): Workspace {
  if (s.pointwise) {
    const { own } = implicit(s, s.groupM, s.groupC)
    return { own, shared: 4 * s.groupM + 128 + 4 * s.G * s.groupC * s.groupM }
  }
  const each = Math.ceil(s.partsOf / (s.N * s.G))
  const most = s.padded ? Math.max(MR, quotient(524288, s.plane / 4) & ~3) : s.groupC
  const block = Math.min(cut(s.groupC, each, MR, MR), up(most, MR))
  const panel = Math.min(s.groupM, 512) * Math.min(256, up(s.positions, NR))
  const upsampling = 4 * s.groupM * s.KW + LINE + s.plane
  return {
    own: Math.max(TILE + 4 * panel + LINE + (s.padded ? s.plane * block : 0), upsampling),
    shared: 4 * s.G * Math.ceil(s.groupC / MR) * s.taps * MR * s.groupM,
  }
}

function weightGradient(s: Sizes): Workspace {
  const K = s.groupC * s.taps
  const columns = up(s.groupM, NR)
  const small = s.G === 1 && s.N >= 8 && K * columns <= 4096
  const each = small ? 1 : Math.ceil(s.partsOf / s.G)
  const block = cut(K, each, MR, MR)
  const block2 = cut(columns, Math.ceil(each / Math.ceil(K / block)), NR, NR)
  const image = 4 * s.G * columns * s.positions + (s.padded ? s.plane * s.C : 0)
  const images = Math.min(s.N, Math.max(1, Math.trunc(16777216 / image)))
  const run =
    Math.min(images, Math.max(1, quotient(768, s.positions))) * Math.ceil(s.OH / Math.ceil(s.positions / 768)) * s.OW
  const sums = 4 * block * block2
  return { own: sums, shared: up(4 * (K + 3 + run), 64) + sums * (small ? Math.min(8, images) : 1) + image * images }
}

// ---- tiles of 6 × 6
// --------------------------------------------------------------------------------------------------------------

/** As kernels/wasm/winograd.ts decides. */
const pays = (s: Sizes, OH: number, OW: number, blas: boolean): boolean =>
  (s.KH !== 5 || (s.groupC >= 32 && s.groupM >= 32)) && costsLess(s, OH, OW, blas, 60)

function costsLess(s: Sizes, OH: number, OW: number, blas: boolean, filter: number): boolean {
  const plain = s.SH === 1 && s.SW === 1 && s.DH === 1 && s.DW === 1 && s.PH === s.PW && s.PH < s.KH
  if (!plain || s.KH !== s.KW || (s.KH !== 3 && s.KH !== 5)) return false
  if (s.OH !== s.H + 2 * s.PH - s.KH + 1 || s.OW !== s.W + 2 * s.PW - s.KW + 1) return false
  const pairs = s.groupC * s.groupM
  if (pairs * s.G > 600000) return false
  const tiles = up(s.N * Math.ceil(OH / sideOf(s)) * Math.ceil(OW / sideOf(s)), 4)
  const each = blas ? 1 / 24 : 1 / 8
  const cost = s.taps * s.N * s.positions * (each * pairs + (blas ? 0.4 * s.groupC : 0))
  return tiles * (36 * each * pairs + 40 * (s.groupC + s.groupM) + (blas ? 850 : 0)) + filter * pairs < 0.8 * cost
}

const sideOf = (s: Sizes): number => (s.KH === 3 ? 4 : 2)

function tiledPass(s: Sizes, pass: ConvolutionPass, blas: boolean): Workspace {
  const [inputs, outputs, OH, OW] =
    pass === 'inputGradient' ? [s.groupM, s.groupC, s.H, s.W] : [s.groupC, s.groupM, s.OH, s.OW]
  const side = sideOf(s)
  const [rows, columns] = [Math.ceil(OH / side), Math.ceil(OW / side)]
  const total = s.N * rows * columns
  const panels = blas ? 1 : Math.ceil(outputs / 32)
  const panel = up(Math.ceil(outputs / panels), NR)
  const most = blas ? 64 : Math.min(64, Math.max(16, quotient(quotient(294912, POINTS), inputs)))
  const wanted = Math.trunc(Math.min(MOST_CHUNKS, 1 + (72 * total * s.G * inputs * outputs) / 8e5))
  const more = blas ? 1 : Math.min(Math.ceil(total / 16), Math.ceil(wanted / (s.G * Math.ceil(outputs / 32))))
  const cuts = Math.max(Math.ceil(total / most), more)
  const block = up(Math.ceil(total / cuts), 4)
  const blocks = Math.ceil(total / block) * s.G
  const part = cut(outputs, Math.ceil(wanted / blocks), blas ? NR : panel, 32)
  const points = POINTS * (4 * inputs * block + LINE)
  const again = (Math.ceil(outputs / part) - 1) * s.G * inputs * total
  const split = again > 1500 && blocks * points <= 4194304
  const images =
    (quotient(block + rows * columns - 2, rows * columns) + 1) *
    (4 * (columns * side + s.KH - 1) * (rows * side + s.KH - 1) + LINE)
  const sums = POINTS * (4 * (blas ? part : panel) * block + LINE)
  return {
    own: 2 * VECTORS + 12 * block + LINE + (split ? Math.max(images, sums) : images + sums + points),
    shared:
      (split ? blocks * points : 0) + (pass === 'prepared' ? 0 : POINTS * s.G * panels * (4 * inputs * panel + LINE)),
  }
}

function tiledWeights(s: Sizes): Workspace {
  const side = sideOf(s)
  const [rows, columns] = [Math.ceil(s.OH / side), Math.ceil(s.OW / side)]
  const channels = up(s.groupC, NR)
  const perImage = POINTS * 4 * rows * columns * s.G * (channels + s.groupM)
  const sums = POINTS * 4 * s.G * channels * s.groupM
  const count = Math.min(s.N, Math.max(1, Math.trunc(Math.min(33554432, Math.max(1572864, 2 * sums)) / perImage)))
  const sum = count * rows * columns
  const step = s.G * s.groupM * 4 * channels + LINE
  const imageStep = 4 * s.G * channels * sum + LINE
  const gradientStep = s.G * s.groupM * (up(4 * sum, LINE) + LINE) + LINE
  const plane = 4 * (columns * side + s.KH - 1) * (rows * side + s.KH - 1) + LINE
  const gradientPlane = 4 * columns * side * rows * side + LINE
  const temporary = Math.max(4 * plane, 4 * (sum + 4) + LINE + count * gradientPlane)
  return { own: Math.max(2 * VECTORS + temporary, 3 * VECTORS), shared: (step + imageStep + gradientStep) * POINTS }
}

// ---- the native engine's patches
// -------------------------------------------------------------------------------------------------

const shiftsOf = (s: Sizes): number =>
  s.SH === 1 && s.KH > 1 && s.groupC * s.KW >= 32 && s.N * s.positions >= 2 * s.groupM ? s.KH : 1

function spaced(n: number): number {
  const whole = up(n, 16)
  return whole & 255 ? whole : whole + 16
}

const strideOf = (s: Sizes, rows: number): number => spaced((shiftsOf(s) > 1 ? rows + (s.KH - 1) * s.DH : rows) * s.OW)

function rowsThatFit(s: Sizes, channels: number): number {
  const overlap = shiftsOf(s) > 1 ? (s.KH - 1) * s.DH : 0
  const fit = quotient(PIECE, channels * (s.taps / shiftsOf(s)) * s.OW) - overlap
  return Math.min(s.OH, Math.max(1, 2 * overlap, fit))
}

function sharesOf(s: Sizes, most: number): number {
  const images = s.N * s.G
  if (images >= MOST_CHUNKS) return 1
  const operations = 2 * s.groupM * s.groupC * s.taps * s.positions
  const shares = Math.max(1, Math.min(most, Math.ceil(MOST_CHUNKS / images), Math.trunc(operations / 4e6) + 1))
  return shares > 1 && images & 1 ? shares & ~1 : shares
}

const reordered = (s: Sizes): number => (shiftsOf(s) > 1 ? 4 * s.M * s.groupC * s.taps + LINE : 0)

function joinedOf(s: Sizes): number {
  const most = Math.min(s.N, quotient(784, s.positions))
  const rest = s.positions & 15
  if (most < 2 || rest === 0) return 1
  const sums = s.groupC * s.taps
  const lost = ((24 - rest) * s.groupM * sums) / 36
  const lowered = s.pointwise ? 0 : quotient(sums, shiftsOf(s))
  const copied = 0.5 * s.positions * (s.groupM + sums - lowered)
  if (lost < copied) return 1
  const images = Math.min(most, Math.max(quotient(s.N * s.G, 4), Math.ceil(192 / s.positions)))
  return Math.ceil(s.N / Math.ceil(s.N / images))
}

function blasForward(s: Sizes): Workspace {
  const images = joinedOf(s)
  const narrow = !s.pointwise && s.N * s.G < 4 && s.positions < 128
  if (images > 1 || narrow) {
    const stride = spaced(images * s.positions)
    const channels = Math.ceil(s.groupC / Math.ceil(s.groupC / Math.max(1, quotient(PIECE, s.taps * stride))))
    const parts = sharesOf(s, Math.min(Math.ceil(4 / (Math.ceil(s.N / images) * s.G)), quotient(s.groupM, 32)))
    const outputs = 8 * Math.ceil(Math.ceil(s.groupM / 8) / parts)
    return { own: 4 * (channels * s.taps + outputs) * stride + LINE, shared: 0 }
  }
  if (s.pointwise) return { own: 0, shared: 0 }
  const parts = Math.max(sharesOf(s, quotient(s.OH, Math.ceil(32 / s.OW))), Math.ceil(s.OH / rowsThatFit(s, s.groupC)))
  const rows = Math.ceil(s.OH / parts)
  return { own: 4 * s.groupC * (s.taps / shiftsOf(s)) * strideOf(s, rows) + LINE, shared: reordered(s) }
}

function blasInput(s: Sizes): Workspace {
  const images = Math.min(joinedOf(s), Math.ceil(192 / s.positions))
  if (s.pointwise && images === 1) return { own: 64, shared: 0 }
  const columns = spaced(images * s.positions)
  const depth = images > 1 ? s.taps : s.taps / shiftsOf(s)
  const rows = s.groupC * depth
  const each = depth * (images > 1 ? columns : strideOf(s, s.OH))
  const parts = Math.max(
    Math.ceil(s.groupC / Math.max(1, quotient(PIECE, Math.max(1, each)))),
    sharesOf(s, Math.min(quotient(rows, 8), quotient(rows * s.positions, 8192))),
  )
  const gathered = images > 1 ? s.groupM * columns : 0
  return { own: 4 * (Math.ceil(s.groupC / parts) * each + gathered) + LINE, shared: images > 1 ? 0 : reordered(s) }
}

function blasWeights(s: Sizes): Workspace {
  const size = s.M * s.groupC * s.taps
  const depth = s.taps / shiftsOf(s)
  const width = s.groupC * depth
  const copies = Math.max(1, Math.min(8, quotient(1 << 20, Math.max(1, size)), Math.trunc((s.N * s.positions) / 512)))
  const share =
    copies * s.G >= 8 ? 1 : Math.min(Math.ceil(MOST_CHUNKS / (copies * s.G)), Math.max(1, quotient(width, 32)))
  const block = Math.ceil(s.groupC / Math.max(share, s.pointwise ? 1 : Math.ceil((width * s.OW) / PIECE)))
  const rows = s.pointwise ? 0 : rowsThatFit(s, block)
  const pieces =
    s.N *
    (s.pointwise
      ? Math.ceil(s.positions / Math.ceil(s.positions / Math.ceil(s.positions / 784)))
      : Math.ceil(s.OH / rows))
  const parts = Math.ceil(pieces / Math.ceil(pieces / Math.min(copies, pieces)))
  const turned = s.groupM <= 32 && s.groupM < block * depth && (s.positions & 1023) !== 0
  // a single copy whose values lie as those of the gradient is the gradient itself
  const direct = parts === 1 && shiftsOf(s) === 1 && !turned
  return {
    own: s.pointwise ? 64 : 4 * block * depth * strideOf(s, rows) + LINE,
    shared: direct ? 0 : 4 * size * parts + LINE,
  }
}
