import { type KernelCases, type Kit, onHosts } from './kit.js'
import { cases, everyWay, everywhere } from './losses.js'

const sigmoidShapes = everyWay('1×1×1 5×1×3 64×1×784 3×1×16385')

/** 0 and 1 as well as what lies between and beyond. */
const targets = (kit: Kit, n: number) => {
  const target = kit.random(n, 2)
  for (let i = 0; i < n; i += 3) target.array[i] = i % 2
  return target
}
const squaredOrNot = [true, false].map(squared => ({ squared, name: squared ? '5×4, squared' : '5×4' }))
const pairs = [true, false].map(legacy => ({
  name: legacy ? '5×3, legacy' : '5×3',
  s: { batch: 5, size: 3, margin: 1.5, legacy },
}))

/** Losses of classes and pairs. */
export const otherLosses: KernelCases = {
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
