import type { Kernels } from '../../lib/engine.js'
import type { Gpu } from '../../lib/engines/gpu/gpu.js'
import type { Handle } from '../../lib/engines/gpu/queue.js'
import { type Constants, generatedKernel, gpuKernel, type Tensor, type View } from '../../lib/gpu_kernel.js'
import { storedRows } from './places.js'

/** Products of one round of the loop over k. */
const UNROLLED = 4

/** Rounds after which a long sum goes on with a new one: see sums.ts. */
const MOST_ROUNDS = 256

/** Neighbouring values of a row that a thread computes, where rows are long enough. */
const WIDE = 4

/** Rows that it computes, where the device can and enough threads remain. */
const TALL = 4

/** Threads below which a thread computes one row instead of several. */
const FEWEST_THREADS = 256

/**
 * α·Σₖ op(A)[m,k]·op(B)[k,n] for the `height` rows m from height·thread.y and the `width` places n from width·thread.x
 * on. A: (M, K), or (K, M) transposed; B: (K, N), or (N, K) transposed.
 */
function productSource({ transA, transB, M, N, K }: Constants, width: number, height: number): string {
  const columns = Array.from({ length: width }, (_, j) => j)
  const rows = Array.from({ length: height }, (_, q) => q)
  const sums = (name: string) => rows.flatMap(q => columns.map(j => `let ${name}${q}${j} = 0;`)).join(' ')
  const term = (k: string, sum = 's') => {
    const a = rows.map(q => `const a${q} = ${transA ? `a[0][${k}][m${q}]` : `a[0][m${q}][${k}]`};`)
    const b = columns.map(j => `const b${j} = ${transB ? `b[0][n${j}][${k}]` : `b[0][${k}][n${j}]`};`)
    const products = rows.flatMap(q => columns.map(j => `${sum}${q}${j} += a${q} * b${j};`))
    return `{ ${[...a, ...b, ...products].join(' ')} }`
  }
  const rounds = Math.floor(K / UNROLLED)
  const round = (sum: string) => Array.from({ length: UNROLLED }, (_, u) => term(`k + ${u}`, sum)).join('\n')
  const blocks = rounds > 2 * MOST_ROUNDS ? Math.floor(rounds / MOST_ROUNDS) : 0
  const done = blocks * MOST_ROUNDS
  const inBlocks = `for (let h = 0; h < ${blocks}; h++) {
    ${sums('p')}
    for (let i = 0; i < ${MOST_ROUNDS}; i++) { const k = (h * ${MOST_ROUNDS} + i) * ${UNROLLED}; ${round('p')} }
    ${rows.flatMap(q => columns.map(j => `s${q}${j} += p${q}${j};`)).join(' ')}
  }`
  const remaining = `for (let i = 0; i < ${rounds - done}; i++) { const k = (i + ${done}) * ${UNROLLED}; ${round('s')} }`
  const rest = Array.from({ length: K % UNROLLED }, (_, u) => term(String(rounds * UNROLLED + u))).join('\n')
  // past the end the last value is computed again
  const place = (first: string, i: number, size: number, step: number) =>
    size % step ? `Math.min(${first} + ${i}, ${size - 1})` : `${first} + ${i}`
  const results = rows.map(q => columns.map(j => `alpha * s${q}${j}`).join(', '))
  return `function (a, b, alpha) {
    const left = this.thread.x * ${width};
    const top = this.thread.y * ${height};
    ${columns.map(j => `const n${j} = ${place('left', j, N, width)};`).join(' ')}
    ${rows.map(q => `const m${q} = ${place('top', q, M, height)}; `).join('\n')}
    ${sums('s')}
    ${blocks ? inBlocks : ''}
    ${rounds > done ? remaining : ''}
    ${rest}
    ${storedRows(results)}
    return ${width === 1 ? results[0] : `[${results[0]}]`}
  }`
}

const product = generatedKernel('gemm', constants => productSource(constants, 1, 1))
const wideProduct = generatedKernel('gemm', constants => productSource(constants, WIDE, 1), WIDE)
const tallProduct = generatedKernel('gemm', constants => productSource(constants, WIDE, TALL), WIDE, TALL)
/** The rows without what was computed past their ends. */
const cutRows = gpuKernel('gemm, rows', function (x: Tensor) {
  return x[0][this.thread.y][this.thread.x]
})

/** α·op(A)·op(B) as a new handle. */
function multiplied(gpu: Gpu, args: readonly (View | number)[], M: number, N: number, constants: Constants): Handle {
  if (N < WIDE - 1) return gpu.compute(product, args, [N, M, 1], constants)
  const dims = [Math.ceil(N / WIDE) * WIDE, M, 1] as const
  const tall = gpu.backend.mostRows >= TALL && Math.ceil(N / WIDE) * Math.ceil(M / TALL) >= FEWEST_THREADS
  const rows = gpu.compute(tall ? tallProduct : wideProduct, args, dims, constants)
  if (N % WIDE === 0) return rows
  const result = gpu.compute(cutRows, [{ handle: rows, dims }], [N, M, 1])
  gpu.release(rows)
  return result
}

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
    const constants = { transA: Number(transA), transB: Number(transB), M, N, K }
    gpu.set(C, gpu.plus(multiplied(gpu, [a, b, alpha], M, N, constants), beta, C, M * N))
  },
})
