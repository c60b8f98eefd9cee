import type { ActivationKernels } from '../../../engine.js'
import { type Bounds, each } from '../../bounds.js'
import { bindDirect, type DirectExports } from './kit.js'

const direct = [
  'absolute',
  'absoluteGradient',
  'bnll',
  'bnllGradient',
  'elu',
  'eluGradient',
  'exponential',
  'exponentialGradient',
  'logarithm',
  'logarithmGradient',
  'swish',
  'swishGradient',
  'hardSigmoid',
  'hardSigmoidGradient',
  'hardSwish',
  'hardSwishGradient',
  'mish',
  'mishGradient',
  'threshold',
] as const

/** What the module exports for them. */
export interface ActivationsExports extends DirectExports<typeof direct> {}

/** These kernels of the contract as calls of the module. */
export const bindActivations = (wasm: ActivationsExports) => bindDirect(wasm, direct) satisfies ActivationKernels

/** What stands before these kernels. */
export const activationsBounds = {
  absolute: each,
  absoluteGradient: each,
  bnll: each,
  bnllGradient: each,
  elu: each,
  eluGradient: each,
  exponential: each,
  exponentialGradient: each,
  logarithm: each,
  logarithmGradient: each,
  swish: each,
  swishGradient: each,
  hardSigmoid: each,
  hardSigmoidGradient: each,
  hardSwish: each,
  hardSwishGradient: each,
  mish: each,
  mishGradient: each,
  threshold: each,
} satisfies Partial<Bounds>
