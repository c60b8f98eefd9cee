import type { RegionKernels, RegionShape } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, refuse } from '../../bounds.js'
import { isSize } from '../../kernel_limits.js'

/** What the module exports for them. */
export interface RegionsExports {
  /** Sizes of the next call; `samples` is for roiAlign. */
  regionShape(
    regions: number,
    batch: number,
    channels: number,
    H: number,
    W: number,
    PH: number,
    PW: number,
    scale: number,
    samples: number,
  ): void
  /** A mask of 0 is none. */
  roiPool(x: number, rois: number, y: number, mask: number): void
  roiPoolGradient(dy: number, rois: number, mask: number, dx: number): void
  positionRoiPool(x: number, rois: number, y: number): void
  positionRoiPoolGradient(dy: number, rois: number, dx: number): void
  roiAlign(x: number, rois: number, y: number): void
  roiAlignGradient(dy: number, rois: number, dx: number): void
}

/** These kernels of the contract as calls of the module; roiAlignMax, which few nets have, is the plain loops'. */
export function bindRegions(wasm: RegionsExports) {
  const shape = (s: RegionShape, samples = 0) => {
    const [[H, W], [PH, PW]] = [s.input, s.output]
    wasm.regionShape(s.regions, s.batch, s.channels, H, W, PH, PW, s.scale, samples)
  }
  return {
    roiPool(s, x, rois, y, mask) {
      shape(s)
      wasm.roiPool(x.pointer, rois.pointer, y.pointer, mask ? mask.pointer : 0)
    },
    roiPoolGradient(s, dy, rois, mask, dx) {
      shape(s)
      wasm.roiPoolGradient(dy.pointer, rois.pointer, mask.pointer, dx.pointer)
    },
    positionRoiPool(s, x, rois, y) {
      shape(s)
      wasm.positionRoiPool(x.pointer, rois.pointer, y.pointer)
    },
    positionRoiPoolGradient(s, dy, rois, dx) {
      shape(s)
      wasm.positionRoiPoolGradient(dy.pointer, rois.pointer, dx.pointer)
    },
    roiAlign(s, x, rois, y) {
      shape(s, s.samples)
      wasm.roiAlign(x.pointer, rois.pointer, y.pointer)
    },
    roiAlignGradient(s, dy, rois, dx) {
      shape(s, s.samples)
      wasm.roiAlignGradient(dy.pointer, rois.pointer, dx.pointer)
    },
  } satisfies Partial<RegionKernels>
}

/** `planes` of x for each channel of y: all of its bins where they have planes of their own. */
function regions(
  s: RegionShape,
  planes: number,
  rois: Memory,
  inside: readonly Memory[],
  outside: readonly (Memory | null)[],
): void {
  const [[H, W], [PH, PW]] = [s.input, s.output]
  // indices of a plane are float32
  if (!(isSize(PH) && isSize(PW) && PH > 0 && PW > 0 && count(H, W) <= 2 ** 24))
    refuse(`planes of ${H}×${W} are not pooled to ${PH}×${PW}: there is a bin at least, and 2²⁴ pixels at most`)
  need(rois, count(s.regions, 5))
  for (const memory of inside) need(memory, count(s.batch, s.channels, planes) * H * W)
  for (const memory of outside) need(memory, count(s.regions, s.channels, PH, PW))
}

const bins = (s: RegionShape): number => s.output[0] * s.output[1]

/** What stands before these kernels. */
export const regionsBounds = {
  roiPool: (s, x, rois, y, mask) => regions(s, 1, rois, [x], [y, mask]),
  roiPoolGradient: (s, dy, rois, mask, dx) => regions(s, 1, rois, [dx], [dy, mask]),
  positionRoiPool: (s, x, rois, y) => regions(s, bins(s), rois, [x], [y]),
  positionRoiPoolGradient: (s, dy, rois, dx) => regions(s, bins(s), rois, [dx], [dy]),
  roiAlign: (s, x, rois, y) => regions(s, 1, rois, [x], [y]),
  roiAlignGradient: (s, dy, rois, dx) => regions(s, 1, rois, [dx], [dy]),
  roiAlignMax: (s, x, rois, y, mask) => regions(s, 1, rois, [x], [y, mask]),
  roiAlignMaxGradient: (s, dy, rois, mask, dx) => regions(s, 1, rois, [dx], [dy, mask]),
} satisfies Partial<Bounds>
