/** Calls the system's sgemm on a WebAssembly memory. Runs on every thread of the pool. */
import { signals } from './signals.js'

/** How to get at the library; travels to the workers. */
export interface BlasBinding {
  /** Where the koffi package is. */
  readonly koffi: string
  readonly file: string
  readonly kind: 'cblas' | 'dnnl'
  /** Another one, for what this one is slow at. */
  readonly beside?: BlasBinding
}

/** C ← α·op(A)·op(B) + β·C, row-major; pointers are byte offsets, leading dimensions count values. */
export type Sgemm = (
  transA: number,
  transB: number,
  M: number,
  N: number,
  K: number,
  alpha: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void

/**
 * Some libraries pack columns of a matrix whose rows are so many values apart, 2 KB, through the same few lines of the
 * cache: with so many rows, and so many of the other matrix, oneDNN 2.6 takes up to twice as long as OpenBLAS (Zen 3).
 */
const ALIASED = 512
const DEEP = 128
const WIDE = 32

const ROW_MAJOR = 101
const PLAIN = 111
const TRANSPOSED = 112

/** Bind on this thread. */
export function bindSgemm(require: (name: string) => unknown, binding: BlasBinding, memory: WebAssembly.Memory): Sgemm {
  const sgemm = bindOne(require, binding, memory)
  if (!binding.beside) return sgemm
  const other = bindOne(require, binding.beside, memory)
  return (transA, transB, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc) => {
    const isAliased = (transA && N >= WIDE && lda % ALIASED === 0) || (!transB && M >= WIDE && ldb % ALIASED === 0)
    const multiply = isAliased && K >= DEEP ? other : sgemm
    multiply(transA, transB, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc)
  }
}

/** The library is held to one thread: the pool shares the work out. */
function bindOne(require: (name: string) => unknown, binding: BlasBinding, memory: WebAssembly.Memory): Sgemm {
  const koffi = require(binding.koffi) as typeof import('koffi')
  const library = koffi.load(binding.file)
  // shared memory stays where it is when it grows; addresses of user space are exact as numbers
  const base = Number(koffi.address(new Uint8Array(memory.buffer)))
  oneThread(koffi, library, binding)
  if (binding.kind === 'dnnl') {
    const sgemm = library.func(
      'int dnnl_sgemm(char, char, int64_t, int64_t, int64_t, float, uintptr_t, int64_t, uintptr_t, int64_t, float, uintptr_t, int64_t)',
    )
    const [plain, transposed] = ['N'.charCodeAt(0), 'T'.charCodeAt(0)]
    const { block, restore } = signals(koffi)
    return (transA, transB, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc) => {
      const [ta, tb] = [transA ? transposed : plain, transB ? transposed : plain]
      block()
      const status: number = sgemm(
        ta,
        tb,
        M,
        N,
        K,
        alpha,
        base + (a >>> 0),
        lda,
        base + (b >>> 0),
        ldb,
        beta,
        base + (c >>> 0),
        ldc,
      )
      restore()
      if (status !== 0) throw new Error(`dnnl_sgemm refused ${M}×${N}×${K} with status ${status}`)
    }
  }
  const sgemm = library.func(
    'void cblas_sgemm(int, int, int, int, int, int, float, uintptr_t, int, uintptr_t, int, float, uintptr_t, int)',
  )
  return (transA, transB, M, N, K, alpha, a, lda, b, ldb, beta, c, ldc) => {
    const [ta, tb] = [transA ? TRANSPOSED : PLAIN, transB ? TRANSPOSED : PLAIN]
    sgemm(ROW_MAJOR, ta, tb, M, N, K, alpha, base + (a >>> 0), lda, base + (b >>> 0), ldb, beta, base + (c >>> 0), ldc)
  }
}

type Koffi = typeof import('koffi')

function oneThread(koffi: Koffi, library: import('koffi').LibraryHandle, binding: BlasBinding): void {
  const attempts: [() => import('koffi').LibraryHandle, string][] = [
    [() => library, 'void openblas_set_num_threads(int)'],
    [() => library, 'void MKL_Set_Num_Threads(int)'],
    [() => library, 'void bli_thread_set_num_threads(int64_t)'],
    // OpenMP counts threads for each calling thread; the loader finds the runtime that the library brought along
    ...(binding.kind === 'dnnl' ? ['libgomp.so.1', 'libomp.so.5', 'libomp.dylib'] : []).map(
      (file): [() => import('koffi').LibraryHandle, string] => [
        () => koffi.load(file),
        'void omp_set_num_threads(int)',
      ],
    ),
  ]
  for (const [load, signature] of attempts) {
    try {
      load().func(signature)(1)
    } catch {
      // another library than this one
    }
  }
}
