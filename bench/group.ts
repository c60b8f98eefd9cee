/**
 * What a group's sums cost in an iteration, and how much of that hides behind backward:
 *
 *   npx tsx bench/group.ts [--workers 2] [--nets lenet,resnet18] [--iterations 20]   # worker threads
 *   mpirun -n 2 node --import tsx bench/group.ts --nets lenet                               # an MPI's members
 *
 * Three ways take turns: gradients are sent as backward makes them ready, as training does it; all at once after backward;
 * not at all, which is no training.
 */
import { parseArgs } from 'node:util'
import { type Communicator, createSolver, joinGroup, type SolverParameter, startWorkers } from '../lib/index.js'
import type { Memory } from '../lib/memory.js'
import { describe, nets, SEED } from './nets/index.js'
import { median } from './protocol.js'
import { type Cell, table } from './table.js'

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    nets: { type: 'string', default: 'lenet,cifar10_quick,resnet18' },
    iterations: { type: 'string', default: '20' },
  },
})
const ways = ['as they are ready', 'after backward', 'not at all'] as const
type Way = (typeof ways)[number]

/** The group, whose sums go the way that `way` says at the time. */
class Throttled {
  way: Way = ways[0]
  bytes = 0
  readonly group: Communicator

  constructor(group: Communicator) {
    const held: (readonly Memory[])[] = []
    this.group = {
      ...{ rank: group.rank, size: group.size, name: group.name, local: group.local },
      sum: (...memories) => {
        this.bytes += 4 * memories.reduce((sum, { length }) => sum + length, 0)
        if (this.way === ways[0]) group.sum(...memories)
        else held.push(memories)
      },
      progress: () => group.progress?.(),
      finish: () => {
        for (const memories of held.splice(0)) if (this.way === ways[1]) group.sum(...memories)
        return group.finish()
      },
      gather: values => group.gather(values),
      broadcast: memories => group.broadcast(memories),
      abort: reason => group.abort(reason),
      close: () => group.close(),
      [Symbol.dispose]: () => group[Symbol.dispose](),
    }
  }
}

/** Iterations of one turn. */
const TURN = 4

async function measure(group: Communicator, name: string): Promise<Cell[]> {
  const throttled = new Throttled(group)
  const param: SolverParameter = {
    net_param: describe(name, nets[name].batch),
    base_lr: 1e-4,
    lr_policy: 'fixed',
    momentum: 0.9,
    random_seed: SEED,
    snapshot_after_train: false,
  }
  const solver = await createSolver(param, { group: throttled.group, engine: 'wasm', threads: 1 })
  for (const input of solver.net.inputs) solver.net.blobs[input].dataArray.fill(input === 'label' ? 0 : 0.5)
  await solver.step(2)
  throttled.bytes = 0
  await solver.step(1)
  const { bytes } = throttled
  const times = new Map<Way, number[]>(ways.map(way => [way, []]))
  for (let done = 0; done < Number(options.iterations); done += TURN)
    for (const way of ways) {
      throttled.way = way
      const begun = performance.now()
      await solver.step(TURN)
      times.get(way)!.push((performance.now() - begun) / TURN)
    }
  solver.dispose()
  const [ready, after, none] = ways.map(way => median(times.get(way)!))
  return [nets[name].title, nets[name].batch, bytes / 1e6, none, after, ready, after - none, after - ready]
}

/** What a member does. */
async function member(group: Communicator): Promise<void> {
  const rows: Cell[][] = []
  for (const name of options.nets.split(',')) rows.push(await measure(group, name))
  if (group.rank === 0) {
    const head = ['net', 'batch', 'MB', `${ways[2]}, ms`, `${ways[1]}, ms`, `${ways[0]}, ms`, 'sums, ms', 'hidden, ms']
    console.log(`${group.size} members of one thread, ${group.name}\n${table(head, rows)}`)
  }
  await group.close()
}

const group = await joinGroup()
if (group.size > 1) await member(group)
else await (await startWorkers(import.meta.url, Number(options.workers), { argv: process.argv.slice(2) })).finished
