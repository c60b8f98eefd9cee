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
const everyWay = (sizes: string) =>
  sizes.split(' ').flatMap(size => normalizations.flatMap(way => [classLoss(size, way), classLoss(size, way, 1)]))

const everywhere = [
  classLoss('5×7×1', 'VALID'),
  classLoss('3×4×35', 'VALID', 2),
  classLoss('3×4×5', 'BATCH_SIZE', 1),
  classLoss('3×4×5', 'FULL'),
  classLoss('2×3×5', 'NONE', 0),
]
const softmaxShapes = everyWay('1×2×1 64×10×1 37×1001×1 2×21×350 7×3×5')
const sigmoidShapes = everyWay('1×1×1 5×1×3 64×1×784 3×1×16385')

type Make = (shape: Shape) => KernelCase['run']
const cases = (shapes: readonly Shape[], make: Make): KernelCase[] =>
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
/** 0 and 1 as well as what lies between and beyond. */
const targets = (kit: Kit, n: number) => {
  const target = kit.random(n, 2)
  for (let i = 0; i < n; i += 3) target.array[i] = i % 2
  return target
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
const squaredOrNot = [true, false].map(squared => ({ squared, name: squared ? '5×4, squared' : '5×4' }))
const pairs = [true, false].map(legacy => ({
  name: legacy ? '5×3, legacy' : '5×3',
  s: { batch: 5, size: 3, margin: 1.5, legacy },
}))

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
  sigmoidCrossEntropyLoss: [
    ...cases(everywhere, ({ s, labels: n }) => (k, kit) => {
      k.sigmoidCrossEntropyLoss(s, kit.random(n), kit.integers(n, 3), kit.out(1))
    }),
    ...onHosts(
      'large',
      cases(sigmoidShapes, ({ s, n }) => (k, kit) => {
        k.sigmoidCrossEntropyLoss(s, kit.random(n, 30), targets(kit, n), kit.out(1))
      }),
    ),
  ],
  sigmoidCrossEntropyLossGradient: [
    ...cases(everywhere, ({ s, labels: n }) => (k, kit) => {
      k.sigmoidCrossEntropyLossGradient(s, kit.random(n), kit.integers(n, 3), kit.values(2), kit.out(n))
    }),
    ...onHosts(
      'large',
      cases(sigmoidShapes, ({ s, n }) => (k, kit) => {
        k.sigmoidCrossEntropyLossGradient(s, kit.random(n, 30), targets(kit, n), kit.values(1.5), kit.out(n))
      }),
    ),
  ],
  infogainLoss: cases(everywhere, ({ s, n, labels }) => (k, kit) => {
    const H = kit.random(s.classes * s.classes)
    k.infogainLoss(s, kit.positive(n), kit.integers(labels, s.classes), H, kit.out(1))
  }),
  infogainLossGradient: cases(everywhere, ({ s, n, labels }) => (k, kit) => {
    const H = kit.random(s.classes * s.classes)
    k.infogainLossGradient(s, kit.positive(n), kit.integers(labels, s.classes), H, kit.values(2), kit.out(n))
  }),
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
  hingeLoss: squaredOrNot.map(({ squared, name }) => ({
    name,
    run: (k, kit) => k.hingeLoss(5, 4, squared, kit.random(20), kit.integers(5, 4), kit.out(1)),
  })),
  hingeLossGradient: squaredOrNot.map(({ squared, name }) => ({
    name,
    run: (k, kit) =>
      k.hingeLossGradient(5, 4, squared, kit.random(20), kit.integers(5, 4), kit.values(0.5), kit.out(20)),
  })),
  multinomialLogisticLoss: [
    {
      name: '5×4',
      run: (k, kit) => k.multinomialLogisticLoss(5, 4, kit.positive(20), kit.integers(5, 4), kit.out(1)),
    },
  ],
  multinomialLogisticLossGradient: [
    {
      name: '5×4',
      run(k, kit) {
        const [p, label] = [kit.positive(20), kit.integers(5, 4)]
        k.multinomialLogisticLossGradient(5, 4, p, label, kit.values(0.5), kit.out(20))
      },
    },
  ],
  contrastiveLoss: pairs.map(({ name, s }) => ({
    name,
    run(k, kit) {
      const [a, b, similar] = [kit.random(15), kit.random(15), kit.integers(5, 2)]
      k.contrastiveLoss(s, a, b, similar, kit.out(15), kit.out(5), kit.out(1))
    },
  })),
  contrastiveLossGradient: pairs.map(({ name, s }) => ({
    name,
    run(k, kit) {
      const [difference, distance, similar] = [kit.random(15), kit.positive(5), kit.integers(5, 2)]
      k.contrastiveLossGradient(s, -1, difference, distance, similar, kit.values(2), kit.out(15))
    },
  })),
}
