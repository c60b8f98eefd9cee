import type { NeuronKernels } from '../../../engine.js'
import { type Bounds, each } from '../../bounds.js'
import { bindDirect, type DirectExports, isSmallPower } from './kit.js'

const direct = [
  'relu',
  'reluGradient',
  'sigmoid',
  'sigmoidGradient',
  'tanh',
  'tanhGradient',
  'clip',
  'clipGradient',
] as const

/** What the module exports for them. */
export interface NeuronsExports extends DirectExports<typeof direct> {
  power(n: number, exponent: number, scale: number, shift: number, x: number, y: number): void
  powerGradient(n: number, exponent: number, scale: number, shift: number, x: number, dy: number, dx: number): void
  dropoutMask(
    n: number,
    threshold: number,
    kept: number,
    k0: number,
    k1: number,
    c1: number,
    c2: number,
    c3: number,
    mask: number,
  ): void
}

/** These kernels of the contract as calls of the module. */
export function bindNeurons(wasm: NeuronsExports, plain: NeuronKernels) {
  return {
    ...bindDirect(wasm, direct),
    power(n, exponent, scale, shift, x, y) {
      if (isSmallPower(exponent)) wasm.power(n, exponent, scale, shift, x.pointer, y.pointer)
      else plain.power(n, exponent, scale, shift, x, y)
    },
    powerGradient(n, exponent, scale, shift, x, dy, dx) {
      if (isSmallPower(exponent)) wasm.powerGradient(n, exponent, scale, shift, x.pointer, dy.pointer, dx.pointer)
      else plain.powerGradient(n, exponent, scale, shift, x, dy, dx)
    },
    dropoutMask(n, ratio, stream, mask) {
      const [k0, k1, c1, c2, c3] = stream.key
      wasm.dropoutMask(n, Math.floor(ratio * 2 ** 32), 1 / (1 - ratio), k0, k1, c1, c2, c3, mask.pointer)
    },
  } satisfies NeuronKernels
}

/** What stands before these kernels. */
export const neuronsBounds = {
  relu: each,
  reluGradient: each,
  sigmoid: each,
  sigmoidGradient: each,
  tanh: each,
  tanhGradient: each,
  clip: each,
  clipGradient: each,
  power: each,
  powerGradient: each,
  dropoutMask: each,
} satisfies Partial<Bounds>
