import type { ClassLossShape } from '../../engine.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts } from './kit.js'

const classLoss = (size: string, normalization: ClassLossShape['normalization'], ignoreLabel?: number) => {
  const [outer, classes, inner] = dims(size)
  const s: ClassLossShape = { outer, classes, inner, ignoreLabel, normalization }
  const name = `${size}, ${normalization}${ignoreLabel === undefined ? '' : `, without ${ignoreLabel}`}`
  return { s, name, n: outer * classes * inner, labels: outer * inner }
}
type Shape = ReturnType<typeof classLoss>
const normalizations = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE'] as const
export const everyWay = (sizes: string) =>
  sizes.split(' ').flatMap(size => normalizations.flatMap(way => [classLoss(size, way), classLoss(size, way, 1)]))

export const everywhere = [
  classLoss('5×7×1', 'VALID'),
  classLoss('3×4×35', 'VALID', 2),
  classLoss('3×4×5', 'BATCH_SIZE', 1),
  classLoss('3×4×5', 'FULL'),
  classLoss('2×3×5', 'NONE', 0),
]
const softmaxShapes = everyWay('1×2×1 64×10×1 37×1001×1 2×21×350 7×3×5')

type Make = (shape: Shape) => KernelCase['run']
export const cases = (shapes: readonly Shape[], make: Make): KernelCase[] =>
  shapes.map(shape => ({ name: shape.name, run: make(shape) }))

/** Probabilities of which some are 0. */
const probabilities = (kit: Kit, n: number) => {
  const p = kit.random(n)
  for (let i = 0; i < n; i++) p.array[i] = i % 7 ? Math.abs(p.array[i]) : 0
  return p
}
const softmaxLossGradient =
  (from: 'positive' | 'random'): Make =>
  ({ s, n, labels }) =>
  (k, kit) => {
    k.softmaxLossGradient(s, kit[from](n), kit.integers(labels, s.classes), kit.values(1.5), kit.out(n))
  }
const counts = [1, 3, 4, 31, 16384, 16387, 70001]

/** 'outer×channels×inner' of a softmax. */
const softmaxSizes = '1×1×1 64×10×1 3×1000×1 300×101×1 2×21×35 3×5×10000'.split(' ')
const softmax = (size: string, scale: number): KernelCase => {
  const [outer, channels, inner] = dims(size)
  const n = outer * channels * inner
  return {
    name: `${size} up to ±${scale}`,
    run: (k, kit) => k.softmax(outer, channels, inner, kit.random(n, scale), kit.out(n)),
  }
}
const softmaxGradient = (size: string): KernelCase => {
  const [outer, channels, inner] = dims(size)
  const n = outer * channels * inner
  return {
    name: size,
    run: (k, kit) => k.softmaxGradient(outer, channels, inner, kit.random(n), kit.random(n), kit.out(n)),
  }
}
/** Softmax and the losses. */
export const losses: KernelCases = {
  softmax: [
    softmax('3×11×5', 1),
    { name: 'large scores', run: (k, kit) => k.softmax(1, 3, 1, kit.values(500, -500, 499), kit.out(3)) },
    ...onHosts(
      'large',
      softmaxSizes.map(size => softmax(size, 20)),
    ),
  ],
  softmaxGradient: [softmaxGradient('3×11×5'), ...onHosts('large', softmaxSizes.map(softmaxGradient))],
  softmaxLoss: [
    ...cases(everywhere, ({ s, n, labels }) => (k, kit) => {
      k.softmaxLoss(s, kit.positive(n), kit.integers(labels, s.classes), kit.out(1))
    }),
    ...onHosts(
      'large',
      cases(softmaxShapes, ({ s, n, labels }) => (k, kit) => {
        k.softmaxLoss(s, probabilities(kit, n), kit.integers(labels, s.classes), kit.out(1))
      }),
    ),
  ],
  labelLosses: cases(softmaxShapes, ({ s, n, labels }) => (k, kit) => {
    k.labelLosses({ ...s, ignoreLabel: 1 }, kit.positive(n), kit.integers(labels, s.classes), kit.out(labels))
  }),
  softmaxLossGradient: [
    ...cases(everywhere, softmaxLossGradient('positive')),
    ...onHosts('large', cases(softmaxShapes, softmaxLossGradient('random'))),
  ],
  euclideanLoss: [
    {
      name: '157 in a batch of 3',
      run: (k, kit) => k.euclideanLoss(157, 3, kit.random(157), kit.random(157), kit.out(157), kit.out(1)),
    },
    ...onHosts(
      'large',
      counts.map(n => ({
        name: `${n} in a batch of 7`,
        run: (k, kit) => k.euclideanLoss(n, 7, kit.random(n), kit.random(n), kit.out(n), kit.out(1)),
      })),
    ),
  ],
  euclideanLossGradient: [
    {
      name: '157',
      run: (k, kit) => k.euclideanLossGradient(157, -0.25, kit.random(157), kit.values(2), kit.out(157)),
    },
    ...onHosts(
      'large',
      [1, 7, 16387, 40001].map(n => ({
        name: `${n}`,
        run: (k, kit) => k.euclideanLossGradient(n, -0.2, kit.random(n), kit.values(0.3), kit.out(n)),
      })),
    ),
  ],
}
