/** Which of several libraries multiplies fastest here: no order of names holds on every processor. */
import { type BlasBinding, bindSgemm, type Sgemm } from './bind.js'

/** Products that nets are made of: a square one, convolutions of 3×3, fully connected layers of small and large batches. */
const PRODUCTS = [
  { M: 256, N: 256, K: 256 },
  { M: 64, N: 784, K: 576 },
  { M: 512, N: 16, K: 1024 },
  { M: 128, N: 1024, K: 1024 },
]
/** The smallest of so many times counts; the libraries take turns, so that what else the machine does meets all. */
const ROUNDS = 5
const PAGE = 65536

/** GFLOPS of one thread over `PRODUCTS`, of each library: some 40 ms each. Throws what a library does. */
export function speedsOf(require: (name: string) => unknown, bindings: readonly BlasBinding[]): number[] {
  const values = Math.max(...PRODUCTS.map(({ M, N, K }) => M * K + K * N + M * N))
  const pages = Math.ceil((4 * values) / PAGE)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  // pages that nobody wrote are all one page, and faster than any matrix
  new Float32Array(memory.buffer).fill(0.5)
  const libraries = bindings.map(binding => bindSgemm(require, binding, memory))
  const milliseconds = libraries.map(() => 0)
  for (const product of PRODUCTS) {
    const best = libraries.map(sgemm => timeOf(sgemm, product))
    for (let round = 0; round < ROUNDS; round++)
      // the first one woke the library up
      for (const [i, sgemm] of libraries.entries())
        best[i] = round === 0 ? timeOf(sgemm, product) : Math.min(best[i], timeOf(sgemm, product))
    for (const [i, time] of best.entries()) milliseconds[i] += time
  }
  const operations = PRODUCTS.reduce((sum, { M, N, K }) => sum + 2 * M * N * K, 0)
  return milliseconds.map(time => operations / time / 1e6)
}

function timeOf(sgemm: Sgemm, { M, N, K }: (typeof PRODUCTS)[number]): number {
  const b = 4 * M * K
  const start = performance.now()
  sgemm(0, 0, M, N, K, 1, 0, K, b, N, 0, b + 4 * K * N, N)
  return performance.now() - start
}
