import type { After } from '../../engine.js'
import { RandomStream } from '../../rng.js'
import { dims, type KernelCase, type KernelCases, type Kit, onHosts, withAfter } from './kit.js'

/** One vector and less, odd, several chunks; 157 everywhere. */
const counts = [1, 3, 4, 31, 16384, 16387, 70001]

/** The case of every n: 157 on every engine, the others on hosts. */
const lengths = (what: string, make: (n: number) => KernelCase['run']): KernelCase[] => [
  { name: `${what}of 157`, run: make(157) },
  ...onHosts(
    'large',
    counts.map(n => ({ name: `${what}of ${n}`, run: make(n) })),
  ),
]

const vectors = (kit: Kit, count: number, n: number) => Array.from({ length: count }, () => kit.random(n))
/** Few different values: ties are common. */
const whole = (kit: Kit, count: number, n: number, below: number) =>
  Array.from({ length: count }, () => kit.integers(n, below))
const coefficients = [1, -0.5, 2, 0.25, 3]

/** The case of `count` inputs of n values: the first counts at 157 on every engine, all at other sizes on hosts. */
const eltwise = (
  everywhere: readonly number[],
  make: (count: number, n: number) => KernelCase['run'],
): KernelCase[] => [
  ...everywhere.map(count => ({ name: `${count} of 157`, run: make(count, 157) })),
  ...onHosts(
    'large',
    [1, 7, 16387, 40001].flatMap(n => [1, 2, 3, 5].map(count => ({ name: `${count} of ${n}`, run: make(count, n) }))),
  ),
]
const sum =
  (after?: After) =>
  (count: number, n: number): KernelCase['run'] =>
  (k, kit) =>
    k.eltwiseSum(n, vectors(kit, count, n), coefficients.slice(0, count), kit.out(n), after)

/** Rows between arrays of other strides: rows × width. */
const blocks = '1×1 5×7 300×129 3×30001'.split(' ')

/** Elementwise arithmetic, masks, and copies. */
export const elementwise: KernelCases = {
  fill: lengths('', n => (k, kit) => k.fill(n, -2.5, kit.out(n))),
  copy: lengths('', n => (k, kit) => k.copy(n, kit.random(n), kit.out(n))),
  axpby: [
    ...[
      [2, 0],
      [1, 0],
      [0.5, -1.5],
    ].map(
      ([alpha, beta]): KernelCase => ({
        name: `α = ${alpha}, β = ${beta}`,
        run: (k, kit) => k.axpby(157, alpha, kit.random(157), beta, kit.out(kit.random(157))),
      }),
    ),
    ...[0, 1, -0.25].flatMap(beta =>
      lengths(`β = ${beta}, `, n => (k, kit) => {
        // with β = 0 what stood there may not be read
        k.axpby(n, 1.5, kit.random(n), beta, kit.out(beta === 0 ? n : kit.random(n)))
      }),
    ),
  ],
  multiply: [
    { name: 'of 157', run: (k, kit) => k.multiply(157, kit.random(157), kit.random(157), kit.out(157)) },
    ...onHosts(
      'in place',
      counts.map(n => ({
        name: `of ${n} in place`,
        run(k, kit) {
          const [a, y] = [kit.random(n), kit.random(n)]
          k.multiply(n, a, y, kit.out(y))
        },
      })),
    ),
  ],
  dropoutMask: [0.4, 0.5, 0.1, 0.9].flatMap(ratio =>
    lengths(`ratio ${ratio}, `, n => (k, kit) => {
      const stream = new RandomStream(2 ** 40 + 5, 'drop')
      stream.iteration = 2 ** 33 + 3
      k.dropoutMask(n, ratio, stream, kit.out(n))
    }),
  ),
  copyRows: [
    {
      name: '3×5 into wider rows',
      run: (k, kit) => k.copyRows(3, 5, kit.random(15), 0, 5, kit.out(kit.random(36)), 4, 12),
    },
    { name: '3×5 out of wider rows', run: (k, kit) => k.copyRows(3, 5, kit.random(36), 4, 12, kit.out(15), 0, 5) },
    { name: 'a run out of a longer one', run: (k, kit) => k.copyRows(1, 6, kit.random(24), 12, 6, kit.out(6), 0, 6) },
    {
      name: 'a run into a longer one',
      run: (k, kit) => k.copyRows(1, 6, kit.random(6), 0, 6, kit.out(kit.random(24)), 18, 6),
    },
    {
      name: '2×3 between wider rows',
      run: (k, kit) => k.copyRows(2, 3, kit.random(13), 1, 4, kit.out(kit.random(17)), 6, 5),
    },
    ...onHosts(
      'large',
      blocks.map(block => ({
        name: block,
        run(k, kit) {
          const [rows, width] = dims(block)
          const x = kit.random(rows * (width + 3) + 5)
          k.copyRows(rows, width, x, 5, width + 3, kit.out(kit.random(rows * (width + 2) + 9)), 9, width + 2)
        },
      })),
    ),
  ],
  eltwiseSum: [
    ...eltwise([1, 2, 4], sum()),
    ...withAfter(after => eltwise([1, 2, 4], sum(after))),
    {
      name: '70 of 9',
      hostOnly: 'large',
      run(k, kit) {
        const xs = vectors(kit, 70, 9)
        const factors = xs.map((_, i) => i / 10)
        k.eltwiseSum(9, xs, factors, kit.out(9))
      },
    },
  ],
  eltwiseProduct: eltwise([2, 3], (count, n) => (k, kit) => k.eltwiseProduct(n, vectors(kit, count, n), kit.out(n))),
  eltwiseProductGradient: [
    ...[0, 1].map(
      (index): KernelCase => ({
        name: `of input ${index} of 3`,
        run: (k, kit) => k.eltwiseProductGradient(157, index, vectors(kit, 3, 157), kit.random(157), kit.out(157)),
      }),
    ),
    ...eltwise([3], (count, n) => (k, kit) => {
      const xs = vectors(kit, count, n)
      k.eltwiseProductGradient(n, count - 1, xs, kit.random(n), kit.out(n))
    }),
  ],
  eltwiseMax: [
    ...eltwise([2, 3], (count, n) => (k, kit) => k.eltwiseMax(n, whole(kit, count, n, 3), kit.out(n), kit.out(n))),
    {
      name: '70 of 9',
      hostOnly: 'large',
      run: (k, kit) => k.eltwiseMax(9, vectors(kit, 70, 9), kit.out(9), kit.out(9)),
    },
  ],
  eltwiseMaxGradient: eltwise([2, 3], (count, n) => (k, kit) => {
    const mask = kit.integers(n, 5)
    k.eltwiseMaxGradient(n, count - 1, mask, kit.random(n), kit.out(n))
  }),
}
