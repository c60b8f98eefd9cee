import type { KernelCases } from './kit.js'
import {
  type Forward,
  forwardEverywhere,
  forwardOnHosts,
  forwards,
  type Gradient,
  gradientEverywhere,
  gradientOnHosts,
  gradients,
} from './neuron_kit.js'

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

const elu =
  (alpha: number): Forward =>
  (k, n, x, y) =>
    k.elu(n, alpha, x, y)
const eluGradient =
  (alpha: number): Gradient =>
  (k, n, x, dy, dx) =>
    k.eluGradient(n, alpha, x, dy, dx)

/** Activations: every formula, its gradient, both in place, and what it makes of numbers that are none. */
export const activations: KernelCases = {
  absolute: forwards((k, n, x, y) => k.absolute(n, x, y)),
  absoluteGradient: [
    gradientEverywhere('', (k, n, x, dy, dx) => k.absoluteGradient(n, x, dy, dx), [-2, 0, 3]),
    ...gradientOnHosts('', (k, n, x, dy, dx) => k.absoluteGradient(n, x, dy, dx)),
  ],
  bnll: forwards((k, n, x, y) => k.bnll(n, x, y), 'random', [-12, 12, 90, -90]),
  bnllGradient: gradients((k, n, x, dy, dx) => k.bnllGradient(n, x, dy, dx)),
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
