/**
 * How fast the kernels are, in GFLOP/s or GB/s and as parts of what the machine can do at most. See docs/benchmarks.md,
 * or:
 *
 *   npm run bench:kernels -- --help
 */

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Engine } from '../../lib/engine.js'
import { kernelsOf } from '../../lib/engines/complete.js'
import { createEngine } from '../../lib/engines/index.js'
import { jsKernels } from '../../lib/engines/plain_loops.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { benchCases } from './cases.js'
import { type Contestant, race } from './measure.js'
import { peak } from './peak.js'
import { findPeers } from './peers.js'

const HELP = `npm run bench:kernels -- [options]
  --only TEXT,…    kernels whose name contains one of these (default: all)
  --engines LIST   of wasm, native (default: wasm)
  --threads LIST   default: 1,2
  --js             the plain loops beside them
  --rounds N       samples of every contestant (default: 9)
  --json FILE      write the figures there
Percentages: of the multiply-adds that so many threads can do (wasm), or of the time that a plain copy of as many bytes takes.`

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    engines: { type: 'string', default: 'wasm' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
    js: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const print = (line: string) => process.stdout.write(`${line}\n`)
if (options.help) {
  print(HELP)
  process.exit(0)
}

const threads = options.threads.split(',').map(Number)
const engines: Engine[] = []
for (const name of options.engines.split(','))
  for (const count of threads) engines.push(await createEngine(name, { threads: count }))
const fused = engines[0].detail.startsWith('fma')
const top = await peak(fused)

print(`node ${process.version}, ${engines.map(engine => `${engine.name}: ${engine.detail}`).join('; ')}`)
print(`peak of one thread, ${fused ? 'fused' : 'separate'} multiply-adds on four lanes: ${top.toFixed(1)} GFLOP/s`)
const peers = await findPeers(threads, print)

const random = new RandomStream(5, 'bench')
const results: object[] = []
for (const { name, amount, unit, build, square } of benchCases) {
  if (!options.only.split(',').some(text => name.includes(text))) continue
  const memories: Memory[] = []
  const memory = (length: number) => {
    const memory = new Memory(length, engines[0].heap)
    for (let i = 0; i < length; i++) memory.array[i] = random.uniform() - 0.5
    memories.push(memory)
    return memory
  }
  const call = build(memory)
  const ours = engines.map(engine => ({ name: `${engine.name} ${engine.threads}`, run: () => call(kernelsOf(engine)) }))
  const others: Contestant[] = options.js ? [{ name: 'js', run: () => call(jsKernels) }] : []
  if (square) others.push(...(await peers.square(square)))
  const copies = unit === 'GB/s' ? copiesOf(amount, memory) : []
  const contestants = [...ours, ...others, ...copies]
  const times = await race(contestants, Number(options.rounds))
  const cells = [...ours, ...others].map((contestant, i) => {
    const speed = amount / times[i] / 1e6
    const most = i < ours.length ? peakOf(engines[i], unit, amount, times[ours.length + others.length + i]) : undefined
    results.push({ case: name, contestant: contestant.name, milliseconds: times[i], speed, unit, peak: most })
    const part = most === undefined ? '' : ` ${Math.round((100 * speed) / most)} %`
    return `${contestant.name} ${times[i].toFixed(3)} ms ${speed.toFixed(1).padStart(6)}${part}`
  })
  print(`${name.padEnd(44)} ${unit.padEnd(8)} ${cells.join(' | ')}`)
  for (const memory of memories) memory.dispose()
}
peers.close()

if (options.json) {
  const about = { node: process.version, engines: engines.map(engine => engine.detail), peak: top }
  await writeFile(options.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`)
}

/** What moves as many bytes by copying, on each engine: half of them are read, half written. */
function copiesOf(bytes: number, memory: (length: number) => Memory): Contestant[] {
  const n = Math.ceil(bytes / 8)
  const [from, to] = [memory(n), memory(n)]
  return engines.map(engine => ({ name: `copy ${engine.threads}`, run: () => kernelsOf(engine).copy(n, from, to) }))
}

/**
 * The most that an engine could reach: by its multiply-adds where they are ours, or by the copy that took `copied` ms
 * beside it.
 */
function peakOf(engine: Engine, unit: string, amount: number, copied: number): number | undefined {
  if (unit === 'GB/s') return amount / copied / 1e6
  return engine.name === 'wasm' ? top * engine.threads : undefined
}
