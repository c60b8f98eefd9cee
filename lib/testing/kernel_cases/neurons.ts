import { type KernelCase, type KernelCases, onHosts } from './kit.js'
import {
  type Forward,
  forwardEverywhere,
  forwardOnHosts,
  forwards,
  type Given,
  type Gradient,
  gradientEverywhere,
  gradientOnHosts,
} from './neuron_kit.js'

// ---- those with constants: [what it says in the name, the call] ------------------------------------------------------
const powerOf = (exponent: number, scale: number, shift: number) => ({
  what: `exponent ${exponent}, scale ${scale}, shift ${shift}: `,
  /** A broken power of a number below 0 is none. */
  given: (Number.isInteger(exponent) ? 'random' : 'positive') as Given,
  forward: ((k, n, x, y) => k.power(n, exponent, scale, shift, x, y)) as Forward,
  gradient: ((k, n, x, dy, dx) => k.powerGradient(n, exponent, scale, shift, x, dy, dx)) as Gradient,
})
const powersEverywhere = [0, 1, 2, 3, 4, -1, 0.37].map(exponent => powerOf(exponent, 0.9, 1.1))
const powersOnHosts = [1, 2, 3, -1, -3, 8, 9, 12, 0.5, -0.5, 0.75, 2.5, -1.37, 200].flatMap(exponent => [
  powerOf(exponent, 1, 0),
  powerOf(exponent, 0.05, 1.5),
])

const relu =
  (slope: number): Forward =>
  (k, n, x, y) =>
    k.relu(n, slope, x, y)
const reluGradient =
  (slope: number): Gradient =>
  (k, n, x, dy, dx) =>
    k.reluGradient(n, slope, x, dy, dx)
const slopes = [0, 0.1, 0.2]
const counts = [1, 3, 4, 31, 16384, 16387, 70001]
/** More of sigmoid and tanh, at every length of a vector's end. */
const squash = (name: 'sigmoid' | 'tanh'): KernelCase[] =>
  onHosts(
    'large',
    counts.flatMap(n =>
      [1, 10, 200].map(scale => ({
        name: `of ${n} up to ±${scale}`,
        run: (k, kit) => k[name](n, kit.random(n, scale), kit.out(n)),
      })),
    ),
  )
const squashGradient = (name: 'sigmoidGradient' | 'tanhGradient'): KernelCase[] => [
  gradientEverywhere('', (k, n, y, dy, dx) => k[name](n, y, dy, dx)),
  ...onHosts(
    'in place',
    counts.map(n => ({
      name: `of ${n} in place`,
      run(k, kit) {
        const [y, dx] = [kit.random(n), kit.random(n)]
        k[name](n, y, dx, kit.out(dx))
      },
    })),
  ),
]

/** Neurons: every formula, its gradient, both in place, and what it makes of numbers that are none. */
export const neurons: KernelCases = {
  relu: [
    ...slopes.flatMap(slope => [
      forwardEverywhere(`slope ${slope}: `, relu(slope)),
      ...forwardOnHosts(`slope ${slope}: `, relu(slope)),
      ...onHosts(
        'in place',
        counts.map(n => ({
          name: `slope ${slope}: of ${n} in place`,
          run(k, kit) {
            const x = kit.random(n)
            k.relu(n, slope, x, kit.out(x))
          },
        })),
      ),
      ...onHosts(
        'large',
        counts.map(n => ({
          name: `slope ${slope}: of ${n}`,
          run: (k, kit) => k.relu(n, slope, kit.random(n), kit.out(n)),
        })),
      ),
    ]),
  ],
  reluGradient: slopes.flatMap(slope => [
    gradientEverywhere(`slope ${slope}: `, reluGradient(slope)),
    ...gradientOnHosts(`slope ${slope}: `, reluGradient(slope)),
    ...onHosts(
      'in place',
      counts.map(n => ({
        name: `slope ${slope}: of ${n} in place`,
        run(k, kit) {
          const [x, dx] = [kit.random(n), kit.random(n)]
          k.reluGradient(n, slope, x, dx, kit.out(dx))
        },
      })),
    ),
  ]),
  sigmoid: [...forwards((k, n, x, y) => k.sigmoid(n, x, y), 'random', [-200, 200, 0]), ...squash('sigmoid')],
  sigmoidGradient: squashGradient('sigmoidGradient'),
  tanh: [...forwards((k, n, x, y) => k.tanh(n, x, y), 'random', [-100, 100, 0, 1e-4, -0.11]), ...squash('tanh')],
  tanhGradient: squashGradient('tanhGradient'),
  clip: [
    forwardEverywhere('−0.3 … 0.6: ', (k, n, x, y) => k.clip(n, -0.3, 0.6, x, y)),
    ...forwardOnHosts('−0.5 … 0.7: ', (k, n, x, y) => k.clip(n, -0.5, 0.7, x, y)),
  ],
  clipGradient: [
    gradientEverywhere('−0.3 … 0.6: ', (k, n, x, dy, dx) => k.clipGradient(n, -0.3, 0.6, x, dy, dx)),
    ...gradientOnHosts('−0.5 … 0.7: ', (k, n, x, dy, dx) => k.clipGradient(n, -0.5, 0.7, x, dy, dx)),
  ],
  power: [
    ...powersEverywhere.map(({ what, given, forward }) => forwardEverywhere(what, forward, given)),
    ...powersOnHosts.flatMap(({ what, forward }) => forwardOnHosts(what, forward)),
  ],
  powerGradient: [
    ...powersEverywhere.map(({ what, given, gradient }) => gradientEverywhere(what, gradient, given)),
    ...powersOnHosts.flatMap(({ what, gradient }) => gradientOnHosts(what, gradient)),
  ],
}
