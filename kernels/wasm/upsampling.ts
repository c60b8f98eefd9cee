/**
 * The input gradient of wide kernels that move in wide steps, which is what nets scale up with (FCN's 64 × 64 at stride
 * 32). One output position times eight neighbouring taps is eight neighbouring values of the image: tiles of 4
 * positions by 8 taps are added straight in.
 */
import { Convolution, convolutionJob, isPadded, paddedBytes, zero } from './convolution_shape'
import { packRows } from './pack'
import { needWorkspace, run } from './threads'
import { NR, ROW, tile } from './micro_tile'
import { bytes, copyValues, smaller } from './vector'

/** dx ← ∂E/∂x, or false where the general pass is the better one. A chunk is a channel of an image. */
export function upsample(dy: usize, w: usize, dx: usize): bool {
  const s = convolutionJob()
  // the tile's four rows of eight values must not meet
  if (s.KW % NR != 0 || s.SW < NR || s.DW != 1) return false
  s.x = dx
  s.w = w
  s.y = dy
  needWorkspace(bytes(s.groupM * s.KW) + 64 + (isPadded(s) ? paddedBytes(s, 1) : 0))
  run(channelChunk, s.N * s.C)
  return true
}

function channelChunk(chunk: i32, panels: usize): void {
  const s = convolutionJob()
  const n = chunk / s.C
  const c = chunk % s.C
  const g = c / s.groupC
  const plane = s.x + <usize>chunk * bytes(s.H * s.W)
  const padded = isPadded(s)
  const sums = padded ? panels + bytes(s.groupM * s.KW) + 64 : plane
  zero(sums, s.padH * s.padW)
  const dy = s.y + <usize>((n * s.G + g) * s.groupM) * bytes(s.positions)
  const w = s.w + <usize>(g * s.groupM * s.groupC + (c - g * s.groupC)) * bytes(s.taps)
  for (let r = 0; r < s.KH; r++) {
    packRows(s.groupM, s.KW, w + bytes(r * s.KW), <usize>s.groupC * bytes(s.taps), panels)
    addRows(s, dy, panels, sums + bytes(r * s.DH * s.padW))
  }
  if (!padded) return
  for (let h = 0; h < s.H; h++) copyValues(plane + bytes(h * s.W), sums + bytes((h + s.PH) * s.padW + s.PW), s.W)
}

/** One row of the kernel at all positions. */
function addRows(s: Convolution, dy: usize, panels: usize, sums: usize): void {
  for (let h = 0; h < s.OH; h++) {
    const row = sums + bytes(h * s.SH * s.padW)
    for (let k = 0; k < s.KW; k += NR) {
      const panel = panels + bytes(k * s.groupM)
      for (let p = 0; p < s.OW; p += 4) {
        const a = dy + bytes(h * s.OW + p)
        tile(s.groupM, a, 4, bytes(s.positions), panel, ROW, row + bytes(p * s.SW + k), bytes(s.SW), smaller(4, s.OW - p), 1, 1)
      }
    }
  }
}
