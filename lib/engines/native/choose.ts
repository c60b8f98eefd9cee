/** Which of several libraries multiplies fastest here: no order of names holds on every processor. */
import { type BlasBinding, bindSgemm, type Sgemm } from './bind.js'

interface Product {
  readonly M: number
  readonly N: number
  readonly K: number
  readonly transA?: true
  readonly transB?: true
  /** Values from one row of both operands to the next; default: none between them. */
  readonly apart?: number
}

/** GFLOPS of one thread. */
export interface Speed {
  /** The geometric mean over `PRODUCTS`. */
  readonly usual: number
  /** Where rows of both operands lie a multiple of 2 KB apart. */
  readonly aliased: number
}

/** What the engine asks for in convolutions of 1×1 and 3×3 and inner products, forward and backward. */
const PRODUCTS: readonly Product[] = [
  { M: 256, N: 256, K: 256 },
  { M: 64, N: 784, K: 64 },
  { M: 64, N: 784, K: 576 },
  { M: 64, N: 576, K: 392, transB: true },
  { M: 64, N: 500, K: 800, transB: true },
]
/** A chunk of what the engine asks for in inner products and recurrences of 1024 values. */
const FAR_APART: Product = { M: 128, N: 128, K: 512, transA: true, apart: 1024 }
/** The smallest of so many times counts; the libraries take turns, so that what else the machine does meets all. */
const ROUNDS = 3
const PAGE = 65536

/** The speed of each library, some 20 ms for each. Throws what a library does. */
export function speedsOf(require: (name: string) => unknown, bindings: readonly BlasBinding[]): Speed[] {
  const values = Math.max(
    ...[...PRODUCTS, FAR_APART].map(({ M, N, K, apart = 0 }) => M * K + K * N + M * N + 2 * K * apart),
  )
  const pages = Math.ceil((4 * values) / PAGE)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  // pages that nobody wrote are all one page, and faster than any matrix
  new Float32Array(memory.buffer).fill(0.5)
  const libraries = bindings.map(binding => bindSgemm(require, binding, memory))
  const logarithms = libraries.map(() => 0)
  for (const product of PRODUCTS)
    for (const [i, speed] of speedsAt(product, libraries).entries()) logarithms[i] += Math.log(speed)
  const aliased = speedsAt(FAR_APART, libraries)
  // libraries hold an address only: until here somebody must hold the memory
  keep(memory)
  return logarithms.map((sum, i) => ({ usual: Math.exp(sum / PRODUCTS.length), aliased: aliased[i] }))
}

/** GFLOPS of each library. */
function speedsAt(product: Product, libraries: readonly Sgemm[]): number[] {
  // the first one wakes a library up
  for (const sgemm of libraries) timeOf(sgemm, product)
  const best = libraries.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, sgemm] of libraries.entries()) best[i] = Math.min(best[i], timeOf(sgemm, product))
  return best.map(time => (2 * product.M * product.N * product.K) / time / 1e6)
}

const keep = ({ buffer }: WebAssembly.Memory): number => Atomics.load(new Int32Array(buffer), 0)

/** Milliseconds. */
function timeOf(sgemm: Sgemm, { M, N, K, transA, transB, apart }: Product): number {
  const [lda, ldb] = [apart ?? (transA ? M : K), apart ?? (transB ? K : N)]
  const b = 4 * (transA ? K : M) * lda
  const c = b + 4 * (transB ? N : K) * ldb
  const start = performance.now()
  sgemm(transA ? 1 : 0, transB ? 1 : 0, M, N, K, 1, 0, lda, b, ldb, 0, c, N)
  return performance.now() - start
}
