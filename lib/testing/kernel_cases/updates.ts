import type { Kernels, UpdateRule } from '../../engine.js'
import type { Memory } from '../../memory.js'
import { type KernelCase, type KernelCases, onHosts } from './kit.js'

const counts = [1, 3, 4, 31, 16384, 16387, 70001]
const rules: UpdateRule[] = [
  { rate: 0.1, scale: 0.5, decay: 0.01, regularization: 'L2' },
  { rate: 0.05, scale: 1, decay: 0.02, regularization: 'L1' },
]
const hostRules = (['L1', 'L2'] as const).map(
  (regularization): UpdateRule => ({ rate: 0.01, scale: 0.5, decay: 0.3, regularization }),
)

/** w, dw, and two histories, the second of squares, as the first where `squares` says so. */
type Update = (k: Kernels, n: number, rule: UpdateRule, w: Memory, dw: Memory, h: Memory, h2: Memory) => void

function updates(squares: boolean, everywhere: Update, onlyHosts: Update): KernelCase[] {
  const make = (update: Update, n: number, rule: UpdateRule): KernelCase => ({
    name: `${n}, ${rule.regularization}`,
    run(k, kit) {
      const w = kit.random(n)
      // sign(0) is 0
      w.array[0] = 0
      const dw = kit.random(n)
      update(
        k,
        n,
        rule,
        kit.out(w),
        kit.out(dw),
        kit.out(squares ? kit.positive(n) : kit.random(n)),
        kit.out(kit.positive(n)),
      )
    },
  })
  return [
    ...rules.map(rule => make(everywhere, 157, rule)),
    ...onHosts(
      'large',
      hostRules.flatMap(rule => counts.map(n => make(onlyHosts, n, rule))),
    ),
  ]
}

/** The same on every engine. */
const alike = (squares: boolean, update: Update) => updates(squares, update, update)

/** Sums for clipping, and a step of every solver. */
export const solverUpdates: KernelCases = {
  sumOfSquares: [
    ...[3, 157, 5001].map(
      (n): KernelCase => ({
        name: `${n}`,
        run: (k, kit) => k.sumOfSquares(n, kit.random(n), kit.out(kit.random(3)), 1),
      }),
    ),
    ...onHosts(
      'large',
      counts.map(n => ({
        name: `${n}, one of three sums`,
        run: (k, kit) => k.sumOfSquares(n, kit.random(n), kit.out(kit.values(1, 2, 3)), 1),
      })),
    ),
  ],
  sgdUpdate: alike(false, (k, n, rule, w, dw, h) => k.sgdUpdate(n, rule, 0.9, w, dw, h)),
  nesterovUpdate: alike(false, (k, n, rule, w, dw, h) => k.nesterovUpdate(n, rule, 0.9, w, dw, h)),
  adagradUpdate: updates(
    true,
    (k, n, rule, w, dw, h) => k.adagradUpdate(n, rule, 1e-4, w, dw, h),
    (k, n, rule, w, dw, h) => k.adagradUpdate(n, rule, 1e-3, w, dw, h),
  ),
  rmspropUpdate: updates(
    true,
    (k, n, rule, w, dw, h) => k.rmspropUpdate(n, rule, 0.98, 1e-4, w, dw, h),
    (k, n, rule, w, dw, h) => k.rmspropUpdate(n, rule, 0.98, 1e-3, w, dw, h),
  ),
  adadeltaUpdate: updates(
    true,
    (k, n, rule, w, dw, h, h2) => k.adadeltaUpdate(n, rule, 0.95, 1e-4, w, dw, h, h2),
    (k, n, rule, w, dw, h, h2) => k.adadeltaUpdate(n, rule, 0.95, 1e-3, w, dw, h, h2),
  ),
  adamUpdate: updates(
    false,
    (k, n, rule, w, dw, m, v) => k.adamUpdate(n, rule, 0.9, 0.999, 1e-6, 0.3, w, dw, m, v),
    (k, n, rule, w, dw, m, v) => k.adamUpdate(n, rule, 0.9, 0.999, 1e-3, 0.7, w, dw, m, v),
  ),
}
