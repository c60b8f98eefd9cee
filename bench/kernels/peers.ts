/**
 * Other implementations of the same matrix product, when they are installed: onnxruntime-web (in bench/) and OpenBLAS
 * (of the system).
 */
import { fork } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Contestant } from './measure.js'

export interface Peers {
  /** Contestants for n³, one for each number of threads that was asked for. */
  square(n: number): Promise<Contestant[]>
  close(): void
}

export async function findPeers(threads: readonly number[], log: (line: string) => void): Promise<Peers> {
  const all = [onnxruntime(threads), openblas(threads)]
  const found: Peers[] = []
  for (const peer of all) {
    try {
      found.push(await peer)
    } catch (error) {
      log(`left out: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return {
    square: async n => (await Promise.all(found.map(peer => peer.square(n)))).flat(),
    close: () => {
      for (const peer of found) peer.close()
    },
  }
}

/**
 * The number of threads is fixed when onnxruntime-web starts, so each has a process of its own, which times nothing
 * while others do.
 */
async function onnxruntime(threads: readonly number[]): Promise<Peers> {
  createRequire(import.meta.url).resolve('onnxruntime-web')
  const children = threads.map(count => ({
    count,
    child: fork(fileURLToPath(new URL('ort_process.mjs', import.meta.url)), [String(count)]),
  }))
  const ask = (child: (typeof children)[0]['child'], message: object) =>
    new Promise<void>((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`onnxruntime-web ended with code ${code}`))
      child.once('exit', ended)
      child.once('message', answer => {
        child.off('exit', ended)
        if (answer === 'done') resolve()
        else reject(new Error(String(answer)))
      })
      child.send(message)
    })
  return {
    async square(n) {
      for (const { child } of children) await ask(child, { load: n })
      return children.map(({ count, child }) => ({
        name: `onnxruntime-web ${count}`,
        run: () => ask(child, { run: n }),
      }))
    },
    close: () => {
      for (const { child } of children) child.kill()
    },
  }
}

/** cblas_sgemm with row-major matrices that are not transposed. */
async function openblas(threads: readonly number[]): Promise<Peers> {
  const { default: koffi } = await import('koffi')
  const library = koffi.load('libopenblas.so.0')
  const setThreads = library.func('void openblas_set_num_threads(int n)')
  const sgemm = library.func(
    'void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc)',
  )
  return {
    async square(n) {
      const [a, b, c] = [1, 2, 3].map(() => new Float32Array(n * n).fill(0.5))
      return threads.map(count => ({
        name: `OpenBLAS ${count}`,
        run() {
          setThreads(count)
          sgemm(101, 111, 111, n, n, n, 1, a, n, b, n, 0, c, n)
        },
      }))
    },
    close() {},
  }
}
