import type { Memory } from '../memory.js'
import type { After } from './after.js'

/** Products of matrices, and what is added to their rows. */
export interface MatrixKernels {
  /** C ← α·op(A)·op(B) + β·C, with op(A): (M, K), op(B): (K, N), C: (M, N); op transposes where asked. */
  gemm(
    transA: boolean,
    transB: boolean,
    M: number,
    N: number,
    K: number,
    alpha: number,
    A: Memory,
    B: Memory,
    beta: number,
    C: Memory,
  ): void
  /** y[n,c,i] ← after(y[n,c,i] + bias[c]).  y: (N, C, inner). */
  addBias(batch: number, channels: number, inner: number, bias: Memory, y: Memory, after?: After): void
  /** db[c] ← db[c] + Σₙᵢ dy[n,c,i].  dy: (N, C, inner), db: (C). */
  biasGradient(batch: number, channels: number, inner: number, dy: Memory, db: Memory): void
}
