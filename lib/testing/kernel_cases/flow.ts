import type { CostVolumeShape, Kernels } from '../../engine.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, product } from './kit.js'

type Sizes = Pick<CostVolumeShape, 'kernel' | 'stride' | 'step'> & { radius: readonly [number, number]; pad: number }

/** 'N×C×H×W', with pictures padded and displaced to all sides by radius steps (rows, columns). */
function volumeCase(size: string, { radius, pad, ...s }: Sizes, subtract = false) {
  const [batch, channels, H, W] = dims(size)
  const start = radius.map(r => r * s.step - pad) as [number, number]
  const output = [H, W].map((n, i) => Math.ceil((n - 2 * start[i] - s.kernel + 1) / s.stride)) as [number, number]
  const shape: CostVolumeShape = {
    ...s,
    batch,
    channels,
    input: [H, W],
    output,
    start,
    shift: [-radius[0] * s.step, -radius[1] * s.step],
    shifts: [2 * radius[0] + 1, 2 * radius[1] + 1],
    subtract,
  }
  const what = `kernel ${s.kernel} stride ${s.stride} step ${s.step} radius ${radius.join('×')} pad ${pad}`
  return { name: `${size} ${what}${subtract ? ' subtracts' : ''}`, shape }
}

const volumes = [
  volumeCase('2×3×6×7', { kernel: 1, stride: 1, step: 2, radius: [1, 1], pad: 2 }),
  volumeCase('1×2×9×23', { kernel: 3, stride: 1, step: 1, radius: [2, 2], pad: 4 }),
  volumeCase('1×2×9×10', { kernel: 3, stride: 2, step: 1, radius: [1, 2], pad: 0 }),
  volumeCase('1×5×1×1', { kernel: 1, stride: 1, step: 1, radius: [0, 0], pad: 0 }),
  volumeCase('2×2×7×8', { kernel: 1, stride: 3, step: 2, radius: [1, 1], pad: 3 }, true),
  volumeCase('1×3×5×21', { kernel: 3, stride: 1, step: 1, radius: [0, 3], pad: 3 }, true),
]
const large = [volumeCase('2×33×24×37', { kernel: 1, stride: 1, step: 2, radius: [4, 4], pad: 8 })]

const sizes = (s: CostVolumeShape) => ({
  picture: s.batch * s.channels * product(s.input),
  volume: s.batch * product(s.shifts) * product(s.output),
})
const forwards = (list: typeof volumes): KernelCase[] =>
  list.map(({ name, shape }) => ({
    name,
    run(k, kit) {
      const { picture, volume } = sizes(shape)
      k.costVolume(shape, kit.random(picture), kit.random(picture), kit.out(volume))
    },
  }))
const gradients = (list: typeof volumes): KernelCase[] =>
  list.flatMap(({ name, shape }) =>
    [false, true].map(second => ({
      name: `${name}, ${second ? 'second' : 'first'} picture`,
      run(k, kit) {
        const { picture, volume } = sizes(shape)
        const [x, other] = [kit.random(picture), kit.random(picture)]
        k.costVolumeGradient(shape, second, x, other, kit.random(volume), kit.out(picture))
      },
    })),
  )

/** Pictures of these sizes, flows of up to `reach` pixels. */
const warps = [
  ['2×3×5×6', 2],
  ['1×1×1×1', 0.5],
  ['1×7×4×1', 1.5],
  ['2×2×9×37', 40],
  ['3×2×40×50', 5],
].map(([size, reach]) => {
  const [batch, channels, height, width] = dims(size as string)
  const shape = { batch, channels, height, width, outside: 0 }
  return { name: `${size}, up to ${reach}`, shape, reach: reach as number, count: product(dims(size as string)) }
})
const flowCount = (s: { batch: number; height: number; width: number }) => s.batch * 2 * s.height * s.width
const warpCases = (run: (k: Kernels, kit: Kit, warp: (typeof warps)[number]) => void): KernelCase[] =>
  onHosts(
    'scatters',
    // in single precision a place far from the corner has few digits behind the point
    warps.map(warp => ({ name: warp.name, tolerance: 2e-5, run: (k, kit) => run(k, kit, warp) })),
  )

/** Pictures beside each other, and moved. */
export const flows: KernelCases = {
  costVolume: [...forwards(volumes), ...onHosts('large', forwards(large))],
  costVolumeGradient: [...gradients(volumes), ...onHosts('large', gradients(large))],
  flowWarp: warpCases((k, kit, { shape, reach, count }) =>
    k.flowWarp(shape, kit.random(count), kit.random(flowCount(shape), reach), kit.out(count)),
  ),
  flowWarpGradient: warpCases((k, kit, { shape, reach, count }) =>
    k.flowWarpGradient(shape, kit.random(flowCount(shape), reach), kit.random(count), kit.out(count)),
  ),
  flowWarpFlowGradient: warpCases((k, kit, { shape, reach, count }) =>
    k.flowWarpFlowGradient(
      shape,
      kit.random(count),
      kit.random(flowCount(shape), reach),
      kit.random(count),
      kit.out(flowCount(shape)),
    ),
  ),
}
