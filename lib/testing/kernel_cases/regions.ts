import type { RegionAlignShape } from '../../engine.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, product } from './kit.js'

/** '3 of 2×5×7×9 to 2×3' as a shape; scale ½. */
function regionShape(text: string): RegionAlignShape {
  const [of, to] = text.split(' to ')
  const [regions, sizes] = of.split(' of ')
  const [batch, channels, H, W] = dims(sizes)
  const [PH, PW] = dims(to)
  return { regions: Number(regions), batch, channels, input: [H, W], output: [PH, PW], scale: 0.5, samples: 0 }
}

/** Regions of sides up to about those of the pictures, some over the edge, one that ends before it starts. */
function roisOf(kit: Kit, s: RegionAlignShape) {
  const rois = kit.random(5 * s.regions)
  const [H, W] = s.input
  for (let r = 0; r < s.regions; r++) {
    const at = rois.array.subarray(5 * r, 5 * r + 5)
    const [, x, y, w, h] = at
    at.set([r % s.batch, W * (x + 0.7), H * (y + 0.7)])
    at.set([at[1] + (w + 0.9) * W, at[2] + (h + 0.9) * H], 3)
    // eighths: what is rounded is the same wherever it is computed
    for (let i = 1; i < 5; i++) at[i] = Math.round(8 * at[i]) / 8
  }
  return rois
}

const everywhere = ['3 of 2×5×7×9 to 2×3', '1 of 1×1×1×1 to 1×1', '5 of 1×3×6×5 to 7×4', '4 of 3×2×8×8 to 3×3']
const large = ['37 of 2×19×23×31 to 7×7', '60 of 1×40×14×14 to 6×6', '2 of 1×3×60×57 to 7×7', '0 of 1×3×4×4 to 2×2']

type Make = (s: RegionAlignShape, counts: { x: number; y: number }) => KernelCase['run']
const cases = (make: Make, note = '', bins = false): KernelCase[] => {
  const all = (texts: string[]) =>
    texts.map(text => {
      const s = regionShape(text)
      const x = s.batch * s.channels * product(s.input) * (bins ? product(s.output) : 1)
      return { name: `${text}${note}`, run: make(s, { x, y: s.regions * s.channels * product(s.output) }) }
    })
  return [...all(everywhere), ...onHosts('large', all(large))]
}

/** Pooling of regions. */
export const regionPoolings: KernelCases = {
  roiPool: [
    ...cases((s, n) => (k, kit) => {
      k.roiPool(s, kit.integers(n.x, 50), roisOf(kit, s), kit.out(n.y), kit.out(n.y))
    }),
    ...onHosts(
      'without an argument',
      cases(
        (s, n) => (k, kit) => k.roiPool(s, kit.random(n.x), roisOf(kit, s), kit.out(n.y), null),
        ', without a mask',
      ),
    ),
    {
      name: '57 rows in 7 bins, 60×1',
      run: (k, kit) => {
        const s = { regions: 1, batch: 1, channels: 1, input: [60, 1], output: [7, 1], scale: 1 } as const
        k.roiPool(s, kit.random(60), kit.values(0, 0, 0, 0, 56), kit.out(7), kit.out(7))
      },
    },
    {
      name: 'pictures that are not there',
      run: (k, kit) => {
        const s = { regions: 3, batch: 2, channels: 1, input: [2, 2], output: [1, 1], scale: 1 } as const
        const rois = kit.values(2, 0, 0, 1, 1, -1, 0, 0, 1, 1, 1, 0, 0, 1, 1)
        k.roiPool(s, kit.random(8), rois, kit.out(3), kit.out(3))
      },
    },
  ],
  roiPoolGradient: cases((s, n) => (k, kit) => {
    const [rois, y, mask] = [roisOf(kit, s), kit.random(n.y), kit.random(n.y)]
    k.roiPool(s, kit.random(n.x), rois, y, mask)
    k.roiPoolGradient(s, kit.random(n.y), rois, mask, kit.out(n.x))
  }),
  positionRoiPool: cases(
    (s, n) => (k, kit) => k.positionRoiPool(s, kit.random(n.x), roisOf(kit, s), kit.out(n.y)),
    '',
    true,
  ),
  positionRoiPoolGradient: cases(
    (s, n) => (k, kit) => k.positionRoiPoolGradient(s, kit.random(n.y), roisOf(kit, s), kit.out(n.x)),
    '',
    true,
  ),
  roiAlign: [
    ...cases((s, n) => (k, kit) => k.roiAlign({ ...s, samples: 2 }, kit.random(n.x), roisOf(kit, s), kit.out(n.y))),
    ...cases((s, n) => (k, kit) => k.roiAlign(s, kit.random(n.x), roisOf(kit, s), kit.out(n.y)), ', one a pixel'),
  ],
  roiAlignGradient: [
    ...cases(
      (s, n) => (k, kit) => k.roiAlignGradient({ ...s, samples: 2 }, kit.random(n.y), roisOf(kit, s), kit.out(n.x)),
    ),
    ...cases(
      (s, n) => (k, kit) => k.roiAlignGradient(s, kit.random(n.y), roisOf(kit, s), kit.out(n.x)),
      ', one a pixel',
    ),
  ],
  roiAlignMax: cases(
    (s, n) => (k, kit) => k.roiAlignMax(s, kit.random(n.x), roisOf(kit, s), kit.out(n.y), kit.out(n.y)),
  ),
  roiAlignMaxGradient: cases((s, n) => (k, kit) => {
    const [rois, y, mask] = [roisOf(kit, s), kit.random(n.y), kit.random(n.y)]
    k.roiAlignMax(s, kit.random(n.x), rois, y, mask)
    k.roiAlignMaxGradient(s, kit.random(n.y), rois, mask, kit.out(n.x))
  }),
}
