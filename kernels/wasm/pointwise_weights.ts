/**
 * dw ← dw + ∂E/∂w of 1×1 kernels that take every position: a product of rows, dY·Xᵀ, image by image in order. Panels
 * are packed from x, so that rows of dy are read where they lie and sums are added where dw has them. A chunk owns a
 * block of output channels and a block of input channels of one group.
 */
import { Convolution, convolutionJob, cut, partsOf } from './convolution_shape'
import { MR, NR, panels, ROW, TILE } from './micro_tile'
import { packColumns } from './pack'
import { needWorkspace, run } from './threads'
import { bytes, ceilDiv, smaller } from './vector'

/** Positions summed in registers at a time, and input channels packed at a time: 128 KiB of the L2 cache. */
const KC: i32 = 512
const NC: i32 = 64

/** With x, y and w of the job: x, dy and dw. */
export function pointwiseWeights(s: Convolution): void {
  const each = ceilDiv(partsOf(s), s.G)
  s.block = smaller(NC, cut(s.groupC, each, NR, 32))
  s.parts = ceilDiv(s.groupC, s.block)
  s.block2 = cut(s.groupM, ceilDiv(each, s.parts), MR, 64)
  s.parts2 = ceilDiv(s.groupM, s.block2)
  needWorkspace(TILE + <usize>smaller(s.positions, KC) * <usize>(s.block / NR) * ROW)
  run(pointwiseChunk, s.G * s.parts * s.parts2)
}

function pointwiseChunk(chunk: i32, workspace: usize): void {
  const s = convolutionJob()
  const m0 = (chunk % s.parts2) * s.block2
  const rest = chunk / s.parts2
  const c0 = (rest % s.parts) * s.block
  const g = rest / s.parts
  const rows = smaller(s.block2, s.groupM - m0)
  const columns = smaller(s.block, s.groupC - c0)
  const row = bytes(s.positions)
  const m = g * s.groupM + m0
  const c = g * s.groupC + c0
  const dw = s.w + <usize>m * bytes(s.groupC) + bytes(c0)
  const packed = workspace + TILE
  for (let n = 0; n < s.N; n++) {
    const x = s.x + <usize>(n * s.C + c) * row
    const dy = s.y + <usize>(n * s.M + m) * row
    for (let p = 0; p < s.positions; p += KC) {
      const count = smaller(KC, s.positions - p)
      packColumns(count, columns, x + bytes(p), row, packed)
      panels(rows, columns, count, dy + bytes(p), row, 4, packed, dw, bytes(s.groupC), 1, 1, 0, workspace)
    }
  }
}
