import type { Memory } from '../../lib/memory.js'

export function gemm(
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
): void {
  const a = A.array
  const b = B.array
  const c = C.array
  const sums = new Float64Array(N)
  // op(A)[m, k] lies at m·rowA + k·columnA
  const rowA = transA ? 1 : K
  const columnA = transA ? M : 1
  for (let m = 0; m < M; m++) {
    sums.fill(0)
    if (transB) {
      for (let n = 0; n < N; n++) {
        let sum = 0
        for (let k = 0, i = m * rowA, j = n * K; k < K; k++, i += columnA, j++) sum += a[i] * b[j]
        sums[n] = sum
      }
    } else {
      for (let k = 0; k < K; k++) {
        const value = a[m * rowA + k * columnA]
        for (let n = 0, j = k * N; n < N; n++, j++) sums[n] += value * b[j]
      }
    }
    // β = 0 must not read C, which may hold anything
    const out = m * N
    if (beta === 0) for (let n = 0; n < N; n++) c[out + n] = alpha * sums[n]
    else for (let n = 0; n < N; n++) c[out + n] = alpha * sums[n] + beta * c[out + n]
  }
}
