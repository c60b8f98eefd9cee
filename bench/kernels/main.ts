/**
 * How fast the kernels are: npx tsx bench/kernels/main.ts [--threads 1,2] [--only TEXT,TEXT] [--rounds N] [--json FILE]
 * Medians of interleaved samples, in GFLOP/s or GB/s, beside the peak of the machine, the plain loops, and peers where they are installed.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { jsKernels } from '../../lib/engines/js.js'
import { createWasmEngine } from '../../lib/engines/wasm.js'
import { Memory } from '../../lib/memory.js'
import { RandomStream } from '../../lib/rng.js'
import { benchCases } from './cases.js'
import { type Contestant, race } from './measure.js'
import { peak } from './peak.js'
import { findPeers } from './peers.js'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '1,2' },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '9' },
    js: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

const threads = options.threads.split(',').map(Number)
const engines = await Promise.all(threads.map(count => createWasmEngine({ threads: count })))
const fused = engines[0].detail.startsWith('fma')
const top = await peak(fused)
const print = (line: string) => process.stdout.write(`${line}\n`)

print(`node ${process.version}, ${engines.map(engine => engine.detail).join('; ')}`)
print(`peak of one thread, ${fused ? 'fused' : 'separate'} multiply-adds on four lanes: ${top.toFixed(1)} GFLOP/s`)
const peers = await findPeers(threads, print)

const random = new RandomStream(5, 'bench')
const results: object[] = []
for (const { name, amount, unit, build, square } of benchCases) {
  if (!options.only.split(',').some(text => name.includes(text))) continue
  const memories: Memory[] = []
  const call = build(length => {
    const memory = new Memory(length, engines[0].heap)
    for (let i = 0; i < length; i++) memory.array[i] = random.uniform() - 0.5
    memories.push(memory)
    return memory
  })
  const contestants: Contestant[] = engines.map(engine => ({ name: `wasm ${engine.threads}`, run: () => call(engine.kernels) }))
  if (options.js) contestants.push({ name: 'js', run: () => call(jsKernels) })
  if (square) contestants.push(...(await peers.square(square)))
  const times = await race(contestants, Number(options.rounds))
  const cells = contestants.map((contestant, i) => {
    const speed = amount / times[i] / 1e6
    results.push({ case: name, contestant: contestant.name, milliseconds: times[i], speed, unit })
    return `${contestant.name} ${times[i].toFixed(3)} ms ${speed.toFixed(1).padStart(6)}`
  })
  print(`${name.padEnd(44)} ${unit.padEnd(8)} ${cells.join(' | ')}`)
  for (const memory of memories) memory.dispose()
}
peers.close()

if (options.json) {
  const about = { node: process.version, engines: engines.map(engine => engine.detail), peak: top }
  await writeFile(options.json, `${JSON.stringify({ ...about, results }, null, 2)}\n`)
}
