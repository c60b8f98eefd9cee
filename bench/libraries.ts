import { Lane } from './lanes.js'
import { median, type Pace, Refusal } from './protocol.js'
import { type Cell, table } from './table.js'

/** What RISTRETTO_BLAS may name. */
const LIBRARIES = ['onednn', 'openblas', 'blis', 'mkl', 'accelerate']
const SAMPLES = 5

/**
 * GFLOPS of the native engine's product of size × size matrices with each library that is found here, which take turns;
 * '' if there is none.
 */
export async function librariesText(size: number, threads: readonly number[], pace: Pace): Promise<string> {
  const operations = 2 * size ** 3
  const rows: Cell[][] = []
  for (const count of threads) {
    const lanes = new Map<string, { lane: Lane; detail: string; ms: number[] }>()
    try {
      for (const name of LIBRARIES) {
        const lane = new Lane('native', count, { RISTRETTO_BLAS: name })
        try {
          const { detail } = await lane.prepare({ net: String(size), mode: 'gemm', batch: 1 }, pace)
          lanes.set(name, { lane, detail: detail.split(/[,;]/)[0], ms: [] })
        } catch (error) {
          await lane.stop()
          if (!(error instanceof Refusal)) throw error
        }
      }
      for (let i = 0; i < SAMPLES; i++)
        for (const { lane, ms } of lanes.values()) ms.push((await lane.sample()).times.gemm!)
    } finally {
      for (const { lane } of lanes.values()) await lane.stop()
    }
    for (const { detail, ms } of lanes.values()) {
      const row = rows.find(([name]) => name === detail)
      const gflops = operations / median(ms) / 1e6
      if (row) row.push(gflops)
      else rows.push([detail, gflops])
    }
  }
  if (rows.length === 0) return ''
  const head = ['library', ...threads.map(count => `${count} thread${count > 1 ? 's' : ''}`)]
  return `Product of ${size}×${size} matrices by each BLAS that was found, GFLOPS\n${table(head, rows)}`
}
