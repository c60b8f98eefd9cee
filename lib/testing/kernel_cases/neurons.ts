import type { Kernels } from '../../engine.js'
import type { Memory } from '../../memory.js'
import { type KernelCase, type KernelCases, onHosts } from './kit.js'

type Forward = (k: Kernels, n: number, x: Memory, y: Memory) => void
type Gradient = (k: Kernels, n: number, given: Memory, dy: Memory, dx: Memory) => void

/** What every neuron meets: x of ±scale, whose powers below 0 would be the scale that all others are measured by. */
const awayFromZero = (memory: Memory) => {
  for (let i = 0; i < memory.length; i++) memory.array[i] += Math.sign(memory.array[i]) * 0.01
  return memory
}
const hostSizes = [
  { n: 31, scale: 20, inPlace: false },
  { n: 40001, scale: 1, inPlace: false },
  { n: 70001, scale: 12, inPlace: true },
]
const oddNumbers = [0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 100, -100, 1e-40, 3e38]
const spread = (scale: number, inPlace: boolean) => ` up to ±${scale}${inPlace ? ', in place' : ''}`

/** y of one neuron on host engines: several chunks, in place, and numbers that are none. */
function forwardOnHosts(what: string, forward: Forward): KernelCase[] {
  return [
    ...onHosts(
      'large',
      hostSizes.map(({ n, scale, inPlace }) => ({
        name: `${what}${n}${spread(scale, inPlace)}`,
        run(k, kit) {
          const x = awayFromZero(kit.random(n, scale))
          forward(k, n, x, kit.out(inPlace ? x : n))
        },
      })),
    ),
    {
      name: `${what}odd numbers`,
      hostOnly: 'not finite',
      // a value a call: an infinite one would hide the others
      run(k, kit) {
        for (const odd of oddNumbers) forward(k, 1, kit.values(odd), kit.out(1))
      },
    },
  ]
}

/** dx of one neuron on host engines, from x or y. */
function gradientOnHosts(what: string, gradient: Gradient): KernelCase[] {
  return [
    ...onHosts(
      'large',
      hostSizes.map(({ n, scale, inPlace }) => ({
        name: `${what}${n}${spread(scale, inPlace)}`,
        run(k, kit) {
          const [given, dy] = [awayFromZero(kit.random(n, scale)), kit.random(n)]
          gradient(k, n, given, dy, kit.out(inPlace ? dy : n))
        },
      })),
    ),
    {
      name: `${what}odd numbers`,
      hostOnly: 'not finite',
      run(k, kit) {
        for (const odd of oddNumbers) gradient(k, 1, kit.values(odd), kit.values(2), kit.out(1))
      },
    },
  ]
}

const N = 157
/** x in ±1, or 0.1 … 1.1, or the values given. */
type Given = 'random' | 'positive' | readonly number[]

const forwardEverywhere = (what: string, forward: Forward, given: Given = 'random'): KernelCase => ({
  name: `${what}${typeof given === 'string' ? `${N} ${given}` : `${given}`}`,
  run(k, kit) {
    const x = typeof given === 'string' ? kit[given](N) : kit.values(...given)
    forward(k, x.length, x, kit.out(x.length))
  },
})
const gradientEverywhere = (what: string, gradient: Gradient, given: Given = 'random'): KernelCase => ({
  name: `${what}${typeof given === 'string' ? `${N} ${given}` : `${given}`}`,
  run(k, kit) {
    const x = typeof given === 'string' ? kit[given](N) : kit.values(...given)
    gradient(k, x.length, x, kit.random(x.length), kit.out(x.length))
  },
})

/** The cases of y; `extra` are values that every engine meets beside random ones. */
const forwards = (forward: Forward, given: Given = 'random', extra?: readonly number[]): KernelCase[] => [
  forwardEverywhere('', forward, given),
  ...(extra ? [forwardEverywhere('', forward, extra)] : []),
  ...forwardOnHosts('', forward),
]
const gradients = (gradient: Gradient, given: Given = 'random'): KernelCase[] => [
  gradientEverywhere('', gradient, given),
  ...gradientOnHosts('', gradient),
]

// ---- those with constants: [what it says in the name, the call] ------------------------------------------------------
const exponentials = [
  [1.5, 0.5],
  [1, 1],
  [0.4, -2],
].map(([scale, factor]) => ({
  what: `scale ${scale}, factor ${factor}: `,
  forward: ((k, n, x, y) => k.exponential(n, scale, factor, x, y)) as Forward,
  gradient: ((k, n, x, dy, dx) => k.exponentialGradient(n, scale, factor, x, dy, dx)) as Gradient,
}))
const logarithms = [
  [1.5, 0.5, 2],
  [1, 0, 1],
  [0.5, 30, -1.5],
].map(([scale, shift, factor]) => ({
  what: `scale ${scale}, shift ${shift}, factor ${factor}: `,
  forward: ((k, n, x, y) => k.logarithm(n, scale, shift, factor, x, y)) as Forward,
  gradient: ((k, n, x, dy, dx) => k.logarithmGradient(n, scale, shift, factor, x, dy, dx)) as Gradient,
}))
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
const elu =
  (alpha: number): Forward =>
  (k, n, x, y) =>
    k.elu(n, alpha, x, y)
const eluGradient =
  (alpha: number): Gradient =>
  (k, n, x, dy, dx) =>
    k.eluGradient(n, alpha, x, dy, dx)

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
  absolute: forwards((k, n, x, y) => k.absolute(n, x, y)),
  absoluteGradient: [
    gradientEverywhere('', (k, n, x, dy, dx) => k.absoluteGradient(n, x, dy, dx), [-2, 0, 3]),
    ...gradientOnHosts('', (k, n, x, dy, dx) => k.absoluteGradient(n, x, dy, dx)),
  ],
  bnll: forwards((k, n, x, y) => k.bnll(n, x, y), 'random', [-12, 12, 90, -90]),
  bnllGradient: gradients((k, n, x, dy, dx) => k.bnllGradient(n, x, dy, dx)),
  clip: [
    forwardEverywhere('−0.3 … 0.6: ', (k, n, x, y) => k.clip(n, -0.3, 0.6, x, y)),
    ...forwardOnHosts('−0.5 … 0.7: ', (k, n, x, y) => k.clip(n, -0.5, 0.7, x, y)),
  ],
  clipGradient: [
    gradientEverywhere('−0.3 … 0.6: ', (k, n, x, dy, dx) => k.clipGradient(n, -0.3, 0.6, x, dy, dx)),
    ...gradientOnHosts('−0.5 … 0.7: ', (k, n, x, dy, dx) => k.clipGradient(n, -0.5, 0.7, x, dy, dx)),
  ],
  elu: [
    forwardEverywhere('α = 0.7: ', elu(0.7)),
    forwardEverywhere('α = 1: ', elu(1), [-1e-5, -80, 80]),
    ...forwardOnHosts('α = 0.3: ', elu(0.3)),
  ],
  eluGradient: [gradientEverywhere('α = 0.7: ', eluGradient(0.7)), ...gradientOnHosts('α = 0.3: ', eluGradient(0.3))],
  exponential: exponentials.flatMap(({ what, forward }) => [
    forwardEverywhere(what, forward),
    ...forwardOnHosts(what, forward),
  ]),
  exponentialGradient: exponentials.flatMap(({ what, gradient }) => [
    gradientEverywhere(what, gradient),
    ...gradientOnHosts(what, gradient),
  ]),
  // hosts meet the largest numbers, which a scale above 1 takes beyond float32
  logarithm: [
    ...logarithms.map(({ what, forward }) => forwardEverywhere(what, forward, 'positive')),
    ...logarithms.slice(1).flatMap(({ what, forward }) => forwardOnHosts(what, forward)),
  ],
  logarithmGradient: [
    ...logarithms.map(({ what, gradient }) => gradientEverywhere(what, gradient, 'positive')),
    ...logarithms.slice(1).flatMap(({ what, gradient }) => gradientOnHosts(what, gradient)),
  ],
  power: [
    ...powersEverywhere.map(({ what, given, forward }) => forwardEverywhere(what, forward, given)),
    ...powersOnHosts.flatMap(({ what, forward }) => forwardOnHosts(what, forward)),
  ],
  powerGradient: [
    ...powersEverywhere.map(({ what, given, gradient }) => gradientEverywhere(what, gradient, given)),
    ...powersOnHosts.flatMap(({ what, gradient }) => gradientOnHosts(what, gradient)),
  ],
  swish: forwards((k, n, x, y) => k.swish(n, 1.5, x, y)),
  swishGradient: gradients((k, n, x, dy, dx) => k.swishGradient(n, 1.5, x, dy, dx)),
  hardSigmoid: forwards((k, n, x, y) => k.hardSigmoid(n, 0.8, 0.4, x, y)),
  hardSigmoidGradient: gradients((k, n, x, dy, dx) => k.hardSigmoidGradient(n, 0.8, 0.4, x, dy, dx)),
  hardSwish: forwards((k, n, x, y) => k.hardSwish(n, 0.8, 0.4, x, y), 'random', [-3, 3, 0, 50]),
  hardSwishGradient: gradients((k, n, x, dy, dx) => k.hardSwishGradient(n, 0.8, 0.4, x, dy, dx)),
  mish: forwards((k, n, x, y) => k.mish(n, x, y), 'random', [-40, -5, 0, 19, 21, 200]),
  mishGradient: [
    ...gradients((k, n, x, dy, dx) => k.mishGradient(n, x, dy, dx)),
    gradientEverywhere('', (k, n, x, dy, dx) => k.mishGradient(n, x, dy, dx), [-40, -5, 0, 19, 21, 200]),
  ],
  threshold: [
    forwardEverywhere('limit 0.2: ', (k, n, x, y) => k.threshold(n, 0.2, x, y)),
    ...forwardOnHosts('limit 0.25: ', (k, n, x, y) => k.threshold(n, 0.25, x, y)),
  ],
}
