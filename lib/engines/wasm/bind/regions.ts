import type { RegionShape } from '../../../engine.js'
import { isSize } from '../../../kernel_limits.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, count, need, refuse } from '../../bounds.js'

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
