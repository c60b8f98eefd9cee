import type { MatrixKernels } from '../../../engine.js'
import { type Bounds, channelwise, count, need } from '../../bounds.js'
import { type AfterExports, fusing } from '../after.js'
import { bindDirect, type DirectExports } from './kit.js'

const direct = ['gemm', 'biasGradient'] as const

/** What the module exports for them. */
export interface MatricesExports extends DirectExports<typeof direct> {
  /** The same four passes with the native engine's sgemm. */
  blasGemm(
    transA: boolean,
    transB: boolean,
    M: number,
    N: number,
    K: number,
    alpha: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void
  addBias(batch: number, channels: number, inner: number, bias: number, y: number): void
}

/** These kernels of the contract as calls of the module. */
export function bindMatrices(wasm: MatricesExports & AfterExports) {
  const { begin, end } = fusing(wasm)
  return {
    ...bindDirect(wasm, direct),
    addBias(batch, channels, inner, bias, y, after) {
      const [pb, py] = [bias.pointer, y.pointer]
      begin(after)
      try {
        wasm.addBias(batch, channels, inner, pb, py)
      } finally {
        end(after)
      }
    },
  } satisfies MatrixKernels
}

/** What stands before these kernels. */
export const matricesBounds = {
  gemm(_transA, _transB, M, N, K, _alpha, A, B, _beta, C) {
    need(A, count(M, K))
    need(B, count(K, N))
    need(C, count(M, N))
  },
  addBias: channelwise(0),
  biasGradient: channelwise(1),
} satisfies Partial<Bounds>
