/**
 * The efficiency that N members have by the cost model of docs/scaling.md: `npx tsx bench/scaling.ts [wasm|native]` prints
 * its table. Times of an iteration are those of docs/benchmarks.md, two threads.
 */
export {}

interface Network {
  readonly name: string
  /** Items a member. */
  readonly batch: number
  readonly params: number
  /** Forward and backward, ms: measured at another batch, times the ratio. */
  readonly ms: { readonly wasm: number; readonly native: number }
  /** Part of the gradients that is ready only when backward is over. */
  readonly late: number
}

const nets: readonly Network[] = [
  { name: 'LeNet', batch: 64, params: 0.431e6, ms: { wasm: 9.6, native: 4.2 }, late: 0.06 },
  { name: 'CaffeNet', batch: 256, params: 60.97e6, ms: { wasm: 295 * 25.6, native: 138 * 25.6 }, late: 0.06 },
  { name: 'GoogLeNet', batch: 32, params: 13.4e6, ms: { wasm: 78 * 32, native: 41 * 32 }, late: 0.3 },
  { name: 'ResNet-18', batch: 32, params: 11.7e6, ms: { wasm: 282 * 8, native: 140 * 8 }, late: 0.1 },
]
/** Bytes a second and seconds of latency of a link. */
const links: Readonly<Record<string, readonly [beta: number, alpha: number]>> = {
  '1 Gbit': [0.115e9, 50e-6],
  '10 Gbit': [1.1e9, 30e-6],
  '25 Gbit': [2.8e9, 20e-6],
  '100 Gbit': [11e9, 3e-6],
}
/** Bytes a second of copies in memory. */
const COPY = 8e9
/** Part of a pass that is backward, and of that what a sum beside it can use. */
const [BACKWARD, USED] = [2 / 3, 0.9]

/** Part of N members' time that computes. */
function efficiency(net: Network, seconds: number, [beta, alpha]: readonly [number, number], members: number): number {
  const bytes = 4 * net.params
  const sum =
    (2 * (members - 1) * bytes) / members / beta + 2 * Math.ceil(Math.log2(members)) * alpha + (2 * bytes) / COPY
  return seconds / (seconds + Math.max(net.late * sum, sum - USED * BACKWARD * seconds))
}

const engine = process.argv[2] === 'native' ? 'native' : 'wasm'
console.log(`| net, batch a member | MB | ms | ${Object.keys(links).join(' | ')} |\n|---|---|---|${'---|'.repeat(4)}`)
for (const net of nets) {
  const ms = net.ms[engine]
  const cells = Object.values(links).map(link =>
    [2, 4, 8, 16, 64].map(n => Math.round(100 * efficiency(net, ms / 1000, link, n))).join(' / '),
  )
  console.log(
    `| ${net.name} ${net.batch} | ${((4 * net.params) / 1e6).toFixed(1)} | ${ms.toFixed(0)} | ${cells.join(' | ')} |`,
  )
}
