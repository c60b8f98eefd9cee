/**
 * From files to the first answer, in processes that have done nothing else: import, Net.create with trained weights,
 * one pass of one image. See docs/benchmarks.md.
 *
 *   npm run build && npx tsx bench/load.ts [--runs N] [--library FILE]
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Net } from '../lib/net.js'
import { describe, nets, SEED, unfilled } from './nets/index.js'
import { median } from './protocol.js'
import { type Cell, table } from './table.js'

/** What bench/load_process.mjs prints: ms, bytes. */
interface Load {
  readonly start: number
  readonly import: number
  readonly create: number
  readonly forward: number
  readonly total: number
  /** Bytes that were resident at most, after the import and at the end. */
  readonly before: number
  readonly peak: number
  readonly params: number
  readonly activations: number
  readonly sum: number
  readonly detail: string
}

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    library: { type: 'string', default: fileURLToPath(new URL('../dist/lib/index.js', import.meta.url)) },
  },
})
const runs = Number(options.runs)
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs must be a whole number from 1 on, not ${options.runs}`)
if (!existsSync(options.library)) throw new Error(`${options.library} is not there: npm run build first`)

const script = fileURLToPath(new URL('load_process.mjs', import.meta.url))
const place = (name: string) => fileURLToPath(new URL(`nets/${name}.prototxt`, import.meta.url))

/** A model file with weights that are neither zero nor all alike. */
async function writeWeights(name: string, path: string): Promise<void> {
  const net = await Net.create(unfilled(describe(name, 1)), { engine: 'js', stages: ['deploy'], seed: SEED })
  for (const { blob } of net.built.learnable) {
    const { dataArray } = blob
    for (let i = 0; i < dataArray.length; i++) dataArray[i] = ((i * 7919) % 1009) / 1e5 - 0.005
  }
  await net.save(path)
  net.dispose()
}

/** One fresh process; the reason, if the engine cannot run here. */
function load(name: string, weights: string, engine: string, threads: number): Load | string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      ...process.execArgv.filter(argument => argument.startsWith('--experimental')),
      script,
      options.library,
      place(name),
      weights,
      engine,
      String(threads),
    ],
    { encoding: 'utf8' },
  )
  if (status !== 0) return /EngineError: (.*)/.exec(stderr)?.[1] ?? stderr
  const loaded = JSON.parse(stdout) as Load
  if (!(Math.abs(loaded.sum - 1) < 1e-4))
    throw new Error(`${name} on ${engine}: the probabilities add up to ${loaded.sum}`)
  return loaded
}

const MB = 2 ** 20
const folder = await mkdtemp(join(tmpdir(), 'ristretto-load-'))
try {
  const rows: Cell[][] = []
  const refused = new Map<string, string>()
  for (const name of ['squeezenet', 'caffenet']) {
    const weights = join(folder, `${name}.caffemodel`)
    await writeWeights(name, weights)
    const size = (await stat(weights)).size
    for (const engine of ['wasm', 'native'])
      for (const threads of [1, 2].filter(count => count <= availableParallelism())) {
        // the first run brings files into the system's cache
        const loads = Array.from({ length: runs + 1 }, () => load(name, weights, engine, threads)).slice(1)
        const good = loads.filter((entry): entry is Load => typeof entry !== 'string')
        if (good.length < loads.length) {
          refused.set(engine, loads.find(entry => typeof entry === 'string') as string)
          continue
        }
        const of = (value: (entry: Load) => number) => median(good.map(value))
        rows.push([
          nets[name].title,
          engine,
          threads,
          of(e => e.start),
          of(e => e.import),
          of(e => e.create),
          of(e => e.forward),
          of(e => e.create + e.forward),
          of(e => e.total),
          Math.round(of(e => e.peak - e.before) / MB),
          Math.round((size + good[0].params) / MB),
        ])
      }
  }
  const head = [
    'net',
    'engine',
    'threads',
    'Node',
    'import',
    'create',
    'first pass',
    'create + pass',
    'all but Node',
    'peak MB',
    'file + params MB',
  ]
  console.log(table(head, rows))
  console.log(
    `Medians of ${runs} processes, ms, Node ${process.versions.node}. Peak is beyond what the process had after the import.`,
  )
  for (const [engine, reason] of refused) console.log(`Not run: ${engine}: ${reason}`)
} finally {
  await rm(folder, { recursive: true })
}
