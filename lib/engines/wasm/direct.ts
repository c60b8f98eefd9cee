import type { Kernels } from '../../engine.js'
import type { Memory } from '../../memory.js'

/**
 * Kernels that the WebAssembly module has with the contract's own arguments, pointers in place of memories (0 for
 * none).
 */
export const directKernels = [
  'absolute',
  'absoluteGradient',
  'axpby',
  'biasGradient',
  'bnll',
  'bnllGradient',
  'channelStatistics',
  'clip',
  'clipGradient',
  'copy',
  'eltwiseMaxGradient',
  'elu',
  'eluGradient',
  'euclideanLoss',
  'exponential',
  'exponentialGradient',
  'fill',
  'gatherRows',
  'gemm',
  'logarithm',
  'logarithmGradient',
  'lstm',
  'lstmGradient',
  'lstmUnit',
  'lstmUnitGradient',
  'multiply',
  'normalizeChannelsGradient',
  'prelu',
  'preluGradient',
  'preluSlopeGradient',
  'relu',
  'reluGradient',
  'rnn',
  'rnnGradient',
  'scaleGradient',
  'scatterRows',
  'sigmoid',
  'sigmoidGradient',
  'softmax',
  'softmaxGradient',
  'sumMiddle',
  'swish',
  'swishGradient',
  'tanh',
  'tanhGradient',
  'threshold',
] as const satisfies readonly (keyof Kernels)[]

type DirectKernel = (typeof directKernels)[number]
type Pointers<Args extends unknown[]> = { [I in keyof Args]: Args[I] extends Memory | null ? number : Args[I] }

/** What the module exports for them. */
export type DirectExports = { [K in DirectKernel]: (...args: Pointers<Parameters<Kernels[K]>>) => void }

type Argument = number | boolean | Memory | null | undefined
type Plain = number | boolean | undefined

const pointed = (argument: Argument): Plain =>
  typeof argument === 'object' ? (argument === null ? 0 : argument.pointer) : argument

/** Arguments that are not given are undefined, and WebAssembly leaves them out. A rest array would be garbage. */
function direct(call: (...args: Plain[]) => void) {
  return (
    a: Argument,
    b: Argument,
    c: Argument,
    d: Argument,
    e: Argument,
    f: Argument,
    g: Argument,
    h: Argument,
    i: Argument,
    j: Argument,
  ): void =>
    call(
      pointed(a),
      pointed(b),
      pointed(c),
      pointed(d),
      pointed(e),
      pointed(f),
      pointed(g),
      pointed(h),
      pointed(i),
      pointed(j),
    )
}

export function bindDirect(wasm: DirectExports): Pick<Kernels, DirectKernel> {
  const kernels = directKernels.map(name => [name, direct(wasm[name] as (...args: Plain[]) => void)])
  return Object.fromEntries(kernels) as Pick<Kernels, DirectKernel>
}
