import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import { type Constants, generatedKernel } from '../../lib/gpu_kernel.js'

/** Products of one round of the loop over k. */
const UNROLLED = 4

/**
 * α·Σₖ op(A)[m,k]·op(B)[k,n] for n = thread.x, m = thread.y.
 * A: (M, K), or (K, M) transposed; B: (K, N), or (N, K) transposed.
 */
const product = generatedKernel('gemm', ({ transA, transB, K }: Constants) => {
  const term = (k: string) => {
    const a = transA ? `a[0][${k}][this.thread.y]` : `a[0][this.thread.y][${k}]`
    const b = transB ? `b[0][this.thread.x][${k}]` : `b[0][${k}][this.thread.x]`
    return `sum += ${a} * ${b};`
  }
  const rounds = Math.floor(K / UNROLLED)
  const whole = Array.from({ length: UNROLLED }, (_, i) => term(`k + ${i}`)).join(' ')
  const rest = Array.from({ length: K % UNROLLED }, (_, i) => term(String(rounds * UNROLLED + i))).join(' ')
  const loop = rounds ? `for (let i = 0; i < ${rounds}; i++) { const k = i * ${UNROLLED}; ${whole} }` : ''
  return `function (a, b, alpha) { let sum = 0; ${loop} ${rest} return alpha * sum }`
})

export const gemm = (gpu: Gpu): Partial<Kernels> => ({
  gemm(transA, transB, M, N, K, alpha, A, B, beta, C) {
    const { kernels } = gpu
    if (K === 0) {
      if (beta === 0) kernels.fill(M * N, 0, C)
      else kernels.axpby(M * N, beta, C, 0, C)
      return
    }
    const a = { memory: A, dims: transA ? ([M, K, 1] as const) : ([K, M, 1] as const) }
    const b = { memory: B, dims: transB ? ([K, N, 1] as const) : ([N, K, 1] as const) }
    const constants = { transA: Number(transA), transB: Number(transB), K }
    const result = gpu.compute(product, [a, b, alpha], [N, M, 1], constants)
    gpu.set(C, gpu.plus(result, beta, C, M * N))
  },
})
