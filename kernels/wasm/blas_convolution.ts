/**
 * The forward pass of convolutions of the native engine (blas_pieces.ts): a chunk is some rows of one group of one image,
 * or one group of some small images.
 */
import { finished, hasAfter, slopes } from './after'
import { sgemm } from './blas_import'
import {
  beginOf,
  COLUMNS,
  depthOf,
  isPointwise,
  joinedOf,
  LEAST_CHUNKS,
  LEAST_WIDTH,
  lower,
  NARROW,
  OUTPUTS,
  PIECE,
  ROWS,
  rowsThatFit,
  sharesOf,
  shiftsOf,
  spaced,
  strideOf,
  weightsOf,
  WIDE,
} from './blas_pieces'
import { Convolution, convolutionJob } from './convolution_shape'
import { needWorkspace, run } from './threads'
import { bytes, ceilDiv, larger, smaller, storeLanes } from './vector'
import { winograd } from './winograd'
import { pays } from './winograd_cost'

/** Whether there are so few positions that only outputs can be cut. */
@inline
function isNarrow(s: Convolution): bool {
  return !isPointwise(s) && s.N * s.G < LEAST_CHUNKS && s.positions < LEAST_CHUNKS * LEAST_WIDTH
}

@inline
function columnsOf(s: Convolution): i32 {
  return larger(NARROW, smaller(WIDE, OUTPUTS / s.groupM))
}

export function blasConvolution(x: usize, w: usize, bias: usize, y: usize): void {
  const s = convolutionJob()
  if (s.N * s.M * s.positions == 0) return
  if (pays(s, s.OH, s.OW, true)) {
    winograd(s, x, w, bias, y, true)
    return
  }
  s.images = joinedOf(s)
  const joined = s.images > 1 || isNarrow(s)
  s.shifts = joined ? 1 : shiftsOf(s)
  s.x = x
  s.w = weightsOf(s, w)
  s.bias = bias
  s.y = y
  s.parts = 1
  s.parts2 = 1
  if (joined) {
    const stride = spaced(s.images * s.positions)
    const groups = ceilDiv(s.N, s.images) * s.G
    s.block = channelsThatFit(s, stride)
    s.parts2 = sharesOf(s, smaller(ceilDiv(LEAST_CHUNKS, groups), s.groupM / LEAST_WIDTH))
    const outputs = ceilDiv(ceilDiv(s.groupM, ROWS), s.parts2) * ROWS
    needWorkspace(bytes((s.block * s.taps + outputs) * stride) + 64)
    run(joinedChunk, groups * s.parts2)
    return
  }
  if (isPointwise(s)) {
    // one long row: cut by positions, or by outputs if there are more
    if (s.groupM > s.positions) s.parts2 = sharesOf(s, s.groupM / LEAST_WIDTH)
    else s.parts = sharesOf(s, s.positions / LEAST_WIDTH)
    s.parts = larger(s.parts, ceilDiv(s.positions, columnsOf(s)))
  } else {
    s.parts = larger(sharesOf(s, s.OH / ceilDiv(LEAST_WIDTH, s.OW)), ceilDiv(s.OH, rowsThatFit(s, s.groupC)))
    s.block = ceilDiv(s.OH, s.parts)
    s.block2 = ceilDiv(s.block, ceilDiv(s.block, larger(1, columnsOf(s) / s.OW)))
    needWorkspace(bytes(s.groupC * depthOf(s) * strideOf(s, s.block)) + 64)
  }
  run(forwardChunk, s.N * s.G * s.parts * s.parts2)
}

/** Channels of a piece with rows of `stride` values, all taps. */
function channelsThatFit(s: Convolution, stride: i32): i32 {
  const most = larger(1, PIECE / (s.taps * stride))
  return ceilDiv(s.groupC, ceilDiv(s.groupC, most))
}

function forwardChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const part2 = chunk % s.parts2
  chunk /= s.parts2
  const part = chunk % s.parts
  const image = chunk / s.parts
  const g = image % s.G
  const n = image / s.G
  const depth = s.groupC * depthOf(s)
  const plane = bytes(s.positions)
  const x = s.x + <usize>((n * s.G + g) * s.groupC) * bytes(s.H * s.W)
  const y = s.y + <usize>(n * s.M + g * s.groupM) * plane
  if (isPointwise(s)) {
    const units = ceilDiv(s.positions, COLUMNS)
    const begin = COLUMNS * beginOf(units, s.parts, part)
    const count = smaller(s.positions, COLUMNS * beginOf(units, s.parts, part + 1)) - begin
    const m = firstOutput(s, part2)
    const outputs = firstOutput(s, part2 + 1) - m
    const to = y + <usize>m * plane + bytes(begin)
    const w = s.w + bytes((g * s.groupM + m) * depth)
    sgemm(false, false, outputs, count, depth, 1, w, depth, x + bytes(begin), s.positions, 0, to, s.positions)
    finishOutputs(s, g * s.groupM + m, outputs, to, plane, to, plane, count)
    return
  }
  const begin = beginOf(s.OH, s.parts, part)
  const rows = beginOf(s.OH, s.parts, part + 1) - begin
  const stride = strideOf(s, rows)
  lower(s, x, s.groupC, begin, rows, workspace, stride)
  for (let row = 0; row < rows; row += s.block2) {
    const count = smaller(s.block2, rows - row) * s.OW
    const to = y + bytes((begin + row) * s.OW)
    for (let r = 0; r < s.shifts; r++) {
      const w = s.w + bytes((r * s.M + g * s.groupM) * depth)
      const seen = workspace + bytes((row + r * s.DH) * s.OW)
      sgemm(false, false, s.groupM, count, depth, 1, w, depth, seen, stride, r > 0 ? 1 : 0, to, s.positions)
    }
    finishOutputs(s, g * s.groupM, s.groupM, to, plane, to, plane, count)
  }
}

/** Where part i of a group's outputs begins. */
@inline
function firstOutput(s: Convolution, i: i32): i32 {
  return smaller(s.groupM, ROWS * beginOf(ceilDiv(s.groupM, ROWS), s.parts2, i))
}

/** Some outputs of one group of one or more images: their patches side by side, some channels at a time. */
function joinedChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const m = firstOutput(s, chunk % s.parts2)
  const outputs = firstOutput(s, (chunk % s.parts2) + 1) - m
  chunk /= s.parts2
  const g = chunk % s.G
  const first = (chunk / s.G) * s.images
  const count = smaller(s.images, s.N - first)
  const stride = spaced(s.images * s.positions)
  const depth = s.groupC * s.taps
  const sums = workspace + bytes(s.block * s.taps * stride)
  for (let c = 0; c < s.groupC; c += s.block) {
    const channels = smaller(s.block, s.groupC - c)
    for (let n = 0; n < count; n++) {
      const x = s.x + <usize>(((first + n) * s.G + g) * s.groupC + c) * bytes(s.H * s.W)
      lower(s, x, channels, 0, s.OH, workspace + bytes(n * s.positions), stride)
    }
    const w = s.w + bytes((g * s.groupM + m) * depth + c * s.taps)
    sgemm(false, false, outputs, count * s.positions, channels * s.taps, 1, w, depth, workspace, stride, c > 0 ? 1 : 0, sums, stride)
  }
  const plane = bytes(s.positions)
  for (let n = 0; n < count; n++) {
    const y = s.y + <usize>((first + n) * s.M + g * s.groupM + m) * plane
    finishOutputs(s, g * s.groupM + m, outputs, sums + bytes(n * s.positions), bytes(stride), y, plane, s.positions)
  }
}

/** y ← after(sums + bias), n values of some outputs from m on, while they are in the cache; sums may be y itself. */
function finishOutputs(s: Convolution, m: i32, outputs: i32, sums: usize, step: usize, y: usize, plane: usize, n: i32): void {
  if (sums == y && s.bias == 0 && !hasAfter()) return
  const slope = slopes()
  for (const last = m + outputs; m < last; m++, sums += step, y += plane) {
    const b = f32x4.splat(s.bias ? load<f32>(s.bias + bytes(m)) : 0)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const v = f32x4.add(v128.load(sums + bytes(i)), b)
      v128.store(y + bytes(i), finished(v, slope))
    }
    if (i < n) {
      const v = f32x4.add(v128.load(sums + bytes(i)), b)
      storeLanes(y + bytes(i), finished(v, slope), n - i)
    }
  }
}
