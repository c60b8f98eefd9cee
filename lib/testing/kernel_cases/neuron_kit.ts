import type { Kernels } from '../../engine.js'
import type { Memory } from '../../memory.js'
import { type KernelCase, onHosts } from './kit.js'

export type Forward = (k: Kernels, n: number, x: Memory, y: Memory) => void
export type Gradient = (k: Kernels, n: number, given: Memory, dy: Memory, dx: Memory) => void

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
export function forwardOnHosts(what: string, forward: Forward): KernelCase[] {
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
export function gradientOnHosts(what: string, gradient: Gradient): KernelCase[] {
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

export const N = 157
/** x in ±1, or 0.1 … 1.1, or the values given. */
export type Given = 'random' | 'positive' | readonly number[]

export const forwardEverywhere = (what: string, forward: Forward, given: Given = 'random'): KernelCase => ({
  name: `${what}${typeof given === 'string' ? `${N} ${given}` : `${given}`}`,
  run(k, kit) {
    const x = typeof given === 'string' ? kit[given](N) : kit.values(...given)
    forward(k, x.length, x, kit.out(x.length))
  },
})
export const gradientEverywhere = (what: string, gradient: Gradient, given: Given = 'random'): KernelCase => ({
  name: `${what}${typeof given === 'string' ? `${N} ${given}` : `${given}`}`,
  run(k, kit) {
    const x = typeof given === 'string' ? kit[given](N) : kit.values(...given)
    gradient(k, x.length, x, kit.random(x.length), kit.out(x.length))
  },
})

/** The cases of y; `extra` are values that every engine meets beside random ones. */
export const forwards = (forward: Forward, given: Given = 'random', extra?: readonly number[]): KernelCase[] => [
  forwardEverywhere('', forward, given),
  ...(extra ? [forwardEverywhere('', forward, extra)] : []),
  ...forwardOnHosts('', forward),
]
export const gradients = (gradient: Gradient, given: Given = 'random'): KernelCase[] => [
  gradientEverywhere('', gradient, given),
  ...gradientOnHosts('', gradient),
]
