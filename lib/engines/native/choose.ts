/** Which of several libraries multiplies fastest here: no order of names holds on every processor. */
import { type BlasBinding, bindSgemm, type Sgemm } from './bind.js'

interface Product {
  readonly M: number
  readonly N: number
  readonly K: number
  readonly transA?: true
  readonly transB?: true
}

/** What the engine asks for in convolutions of 1×1 and 3×3 and inner products, forward and backward. */
const PRODUCTS: readonly Product[] = [
  { M: 256, N: 256, K: 256 },
  { M: 64, N: 784, K: 64 },
  { M: 64, N: 784, K: 576 },
  { M: 64, N: 576, K: 392, transB: true },
  { M: 64, N: 500, K: 800, transB: true },
]
/** The smallest of so many times counts; the libraries take turns, so that what else the machine does meets all. */
const ROUNDS = 3
const PAGE = 65536

/**
 * GFLOPS of one thread, of each library: the geometric mean over `PRODUCTS`, some 10 ms each. Throws what a library
 * does.
 */
export function speedsOf(require: (name: string) => unknown, bindings: readonly BlasBinding[]): number[] {
  const values = Math.max(...PRODUCTS.map(({ M, N, K }) => M * K + K * N + M * N))
  const pages = Math.ceil((4 * values) / PAGE)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  // pages that nobody wrote are all one page, and faster than any matrix
  new Float32Array(memory.buffer).fill(0.5)
  const libraries = bindings.map(binding => bindSgemm(require, binding, memory))
  const logarithms = libraries.map(() => 0)
  for (const product of PRODUCTS) {
    // the first one wakes a library up
    for (const sgemm of libraries) timeOf(sgemm, product)
    const best = libraries.map(() => Number.POSITIVE_INFINITY)
    for (let round = 0; round < ROUNDS; round++)
      for (const [i, sgemm] of libraries.entries()) best[i] = Math.min(best[i], timeOf(sgemm, product))
    const operations = 2 * product.M * product.N * product.K
    for (const [i, time] of best.entries()) logarithms[i] += Math.log(operations / time / 1e6)
  }
  // libraries hold an address only: until here somebody must hold the memory
  keep(memory)
  return logarithms.map(sum => Math.exp(sum / PRODUCTS.length))
}

const keep = ({ buffer }: WebAssembly.Memory): number => Atomics.load(new Int32Array(buffer), 0)

/** Milliseconds. */
function timeOf(sgemm: Sgemm, { M, N, K, transA, transB }: Product): number {
  const b = 4 * M * K
  const start = performance.now()
  sgemm(transA ? 1 : 0, transB ? 1 : 0, M, N, K, 1, 0, transA ? M : K, b, transB ? K : N, 0, b + 4 * K * N, N)
  return performance.now() - start
}
