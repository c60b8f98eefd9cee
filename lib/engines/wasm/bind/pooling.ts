import type { PoolingKernels, PoolingShape } from '../../../engine.js'
import type { Memory } from '../../../memory.js'
import { type Bounds, need, product, refuse } from '../../bounds.js'
import { clampedKernel, clampedStride, poolingProblem } from '../../kernel_limits.js'

/** What the module exports for them. */
export interface PoolingExports {
  /** Sizes of the next pooling, as in PoolingShape. */
  poolingShape(
    planes: number,
    H: number,
    W: number,
    OH: number,
    OW: number,
    KH: number,
    KW: number,
    SH: number,
    SW: number,
    PH: number,
    PW: number,
  ): void
  maxPool(x: number, y: number, mask: number): void
  maxPoolGradient(dy: number, mask: number, dx: number): void
  averagePool(x: number, y: number): void
  averagePoolGradient(dy: number, dx: number): void
  stochasticPool(x: number, k0: number, k1: number, c1: number, c2: number, c3: number, y: number, mask: number): void
  stochasticMean(x: number, y: number): void
}

/** These kernels of the contract as calls of the module. */
export function bindPooling(wasm: PoolingExports) {
  const pool = (s: PoolingShape) => {
    const { planes, input, output, pad } = s
    wasm.poolingShape(
      planes,
      input[0],
      input[1],
      output[0],
      output[1],
      clampedKernel(s, 0),
      clampedKernel(s, 1),
      clampedStride(s, 0),
      clampedStride(s, 1),
      pad[0],
      pad[1],
    )
  }
  return {
    maxPool(s, x, y, mask) {
      pool(s)
      wasm.maxPool(x.pointer, y.pointer, mask ? mask.pointer : 0)
    },
    maxPoolGradient(s, dy, mask, dx) {
      pool(s)
      wasm.maxPoolGradient(dy.pointer, mask.pointer, dx.pointer)
    },
    averagePool(s, x, y) {
      pool(s)
      wasm.averagePool(x.pointer, y.pointer)
    },
    averagePoolGradient(s, dy, dx) {
      pool(s)
      wasm.averagePoolGradient(dy.pointer, dx.pointer)
    },
    stochasticPool(s, x, stream, y, mask) {
      pool(s)
      const [k0, k1, c1, c2, c3] = stream.key
      wasm.stochasticPool(x.pointer, k0, k1, c1, c2, c3, y.pointer, mask.pointer)
    },
    stochasticMean(s, x, y) {
      pool(s)
      wasm.stochasticMean(x.pointer, y.pointer)
    },
  } satisfies Partial<PoolingKernels>
}

function pooled(s: PoolingShape, inside: readonly Memory[], outside: readonly (Memory | null)[]): void {
  const problem = poolingProblem(s)
  if (problem !== undefined) refuse(problem)
  for (const memory of inside) need(memory, s.planes * product(s.input))
  for (const memory of outside) need(memory, s.planes * product(s.output))
}

/** What stands before these kernels. */
export const poolingBounds = {
  maxPool: (s, x, y, mask) => pooled(s, [x], [y, mask]),
  maxPoolGradient: (s, dy, mask, dx) => pooled(s, [dx], [dy, mask]),
  averagePool: (s, x, y) => pooled(s, [x], [y]),
  averagePoolGradient: (s, dy, dx) => pooled(s, [dx], [dy]),
  stochasticPool: (s, x, _stream, y, mask) => pooled(s, [x], [y, mask]),
  stochasticMean: (s, x, y) => pooled(s, [x], [y]),
  stochasticMeanGradient: (s, x, y, dy, dx) => pooled(s, [x, dx], [y, dy]),
} satisfies Partial<Bounds>
